//! `/<path>/-/settings/permissions`: who may do what with a repository or group.

use crate::AdminVisit;
use crate::place_settings::{group_frame, path_of, settings_href};
use askama::Template;
use lithe_forge::access::Place;
use lithe_forge::repositories::{self, Grant, Grantee};
use lithe_forge::types::{Error, InvalidField, Permission};
use lithe_web::address::encode_path;
use lithe_web::{Answer, Fields, Frame, Problem, RepositoryHead, Tab, Text, answer, filters, t};

/// The page `/<path>/-/settings/permissions` of a repository.
#[derive(Template)]
#[template(path = "repository_permissions.html")]
struct RepositoryPermissionsPage {
    frame: Frame,
    head: RepositoryHead,
    current: &'static str,
    settings_href: String,
    list: GrantList,
}

/// The same page of a group.
#[derive(Template)]
#[template(path = "group_permissions.html")]
struct GroupPermissionsPage {
    frame: Frame,
    current: &'static str,
    settings_href: String,
    name: String,
    href: String,
    list: GrantList,
}

/// The grants, and the form for one more.
struct GrantList {
    problem: Problem,
    grants: Vec<GrantRow>,
    /// What the form holds.
    kind: String,
    name: String,
    permission: String,
}

struct GrantRow {
    kind: Text,
    /// What the form for taking it back says.
    form_kind: &'static str,
    name: String,
    permission: Text,
    inherited_from: Option<InheritedFrom>,
}

struct InheritedFrom {
    path: String,
    href: String,
}

pub fn answer(visit: AdminVisit, place: Place) -> Answer {
    let path = path_of(&place).to_owned();
    let problem = match visit.form.map(|form| set(&visit, &path, form)) {
        None => Problem::none(),
        Some(Ok(())) => {
            let next = format!("{}?done=saved", settings_href(&path, "permissions"));
            return answer::see_other(&next);
        }
        Some(Err(error)) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return visit.failed(&error),
        },
    };
    let grants =
        visit.requester().call(|credentials, client| repositories::grants(credentials, client, &path));
    let grants = match grants {
        Ok(grants) => grants,
        Err(error) => return visit.failed(&error),
    };
    let is_saved = visit.form.is_none() && visit.visit.query.get("done") == "saved";
    let notice = is_saved.then(|| t("The permissions are changed."));
    let list = list(problem.clone(), &grants, visit.form);
    show(Frame { notice, ..visit.frame }, place, problem, list)
}

fn show(frame: Frame, place: Place, problem: Problem, list: GrantList) -> Answer {
    let (language, settings_href) = (frame.language, settings_href(path_of(&place), ""));
    match place {
        Place::Repository(repository) => problem.answer(
            language,
            &RepositoryPermissionsPage {
                frame: frame
                    .titled(Text::joined(" · ", [t("Permissions"), Text::verbatim(repository.path.clone())])),
                head: RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), ""),
                current: "permissions",
                settings_href,
                list,
            },
        ),
        Place::Group(group) => problem.answer(
            language,
            &GroupPermissionsPage {
                frame: group_frame(frame, &group.path, t("Permissions")),
                current: "permissions",
                settings_href,
                name: group.path.rsplit('/').next().unwrap_or_default().to_owned(),
                href: format!("/{}", encode_path(&group.path)),
                list,
            },
        ),
    }
}

/// Gives, changes or takes what the form says.
fn set(visit: &AdminVisit, path: &str, form: &Fields) -> Result<(), Error> {
    let (grantee, permission) = read(form)?;
    visit
        .requester()
        .call(|credentials, client| repositories::set_grant(credentials, client, path, &grantee, permission))
}

fn read(form: &Fields) -> Result<(Grantee, Permission), Error> {
    let invalid = |field: &str, reason: &str| {
        Error::Invalid(InvalidField { name: field.to_owned(), reason: reason.to_owned() })
    };
    let name = form.trimmed("name").to_owned();
    let grantee = match form.get("kind") {
        "everyone" => Grantee::Everyone,
        "user" if name.is_empty() => return Err(invalid("name", "say which user")),
        "user" => Grantee::User(name),
        "user-group" if name.is_empty() => return Err(invalid("name", "say which user group")),
        "user-group" => Grantee::UserGroup(name),
        _ => return Err(invalid("kind", "say who it is for")),
    };
    let permission = match form.get("permission") {
        "none" => Permission::None,
        "read" => Permission::Read,
        "write" => Permission::Write,
        "admin" => Permission::Admin,
        _ => return Err(invalid("permission", "say what it allows")),
    };
    Ok((grantee, permission))
}

fn list(problem: Problem, grants: &[Grant], form: Option<&Fields>) -> GrantList {
    let typed = |field: &str| form.map(|form| form.trimmed(field).to_owned()).unwrap_or_default();
    GrantList {
        problem,
        grants: grants.iter().map(row).collect(),
        kind: typed("kind"),
        name: typed("name"),
        permission: typed("permission"),
    }
}

fn row(grant: &Grant) -> GrantRow {
    let (kind, form_kind, name) = match &grant.grantee {
        Grantee::Everyone => (t("Everyone"), "everyone", String::new()),
        Grantee::User(name) => (t("User"), "user", name.clone()),
        Grantee::UserGroup(name) => (t("User group"), "user-group", name.clone()),
    };
    let inherited_from = grant
        .inherited_from
        .as_ref()
        .map(|path| InheritedFrom { path: path.clone(), href: settings_href(path, "permissions") });
    GrantRow { kind, form_kind, name, permission: word(grant.permission), inherited_from }
}

/// What a permission allows.
fn word(permission: Permission) -> Text {
    match permission {
        Permission::None => t("Nothing"),
        Permission::Read => t("Read"),
        Permission::Write => t("Write"),
        Permission::Admin => t("Administer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn forms_say_who_and_what() {
        let read = |form: &str| read(&Fields::parse(form.as_bytes()).unwrap()).ok();
        let user = Grantee::User("bob".into());
        let cases = [
            ("kind=everyone&permission=read", Some((Grantee::Everyone, Permission::Read))),
            ("kind=user&name=+bob+&permission=admin", Some((user.clone(), Permission::Admin))),
            ("kind=user&name=bob&permission=none", Some((user, Permission::None))),
            (
                "kind=user-group&name=devs&permission=write",
                Some((Grantee::UserGroup("devs".into()), Permission::Write)),
            ),
            ("kind=user&name=&permission=read", None),
            ("kind=robot&name=x&permission=read", None),
            ("kind=everyone&permission=all", None),
            ("", None),
        ];
        for (form, expected) in cases {
            assert_eq!(read(form), expected, "{form}");
        }
    }

    #[test]
    fn only_the_places_own_grants_can_be_taken_there() {
        let grant = |grantee, inherited_from: Option<&str>| Grant {
            grantee,
            permission: Permission::Write,
            inherited_from: inherited_from.map(Into::into),
        };
        let grants = [
            grant(Grantee::Everyone, None),
            grant(Grantee::User("bob".into()), Some("team")),
            grant(Grantee::UserGroup("devs".into()), None),
        ];
        let page = GroupPermissionsPage {
            frame: Frame::bare("/team/tools/-/settings/permissions", Language::English)
                .titled(t("Permissions")),
            current: "permissions",
            settings_href: settings_href("team/tools", ""),
            name: "tools".into(),
            href: "/team/tools".into(),
            list: list(Problem::none(), &grants, None),
        };
        crate::place_settings::golden("permissions", &page.render().unwrap());
    }
}
