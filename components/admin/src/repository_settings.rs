//! `/<path>/-/settings/`: describing, moving and deleting a repository.

use crate::AdminVisit;
use crate::create::plain_path;
use crate::place_settings::settings_href;
use askama::Template;
use lithe_forge::quotas::{self, OwnLimits, Quota};
use lithe_forge::repositories::{self, RepositoryChange};
use lithe_forge::types::{Error, Permission, Repository};
use lithe_web::address::encode_path;
use lithe_web::{
    Answer, Fields, Frame, Html, Problem, RepositoryHead, Tab, Text, answer, filters, html, t, tn,
};

/// The page `/<path>/-/settings/`.
#[derive(Template)]
#[template(path = "repository_settings.html")]
struct RepositorySettingsPage {
    frame: Frame,
    head: RepositoryHead,
    current: &'static str,
    settings_href: String,
    problem: Problem,
    repository: Repository,
    owner: String,
    new_path: String,
    permanent_address: String,
    /// What deleting does.
    deletion: Html,
    large_files: LargeFiles,
}

/// What is said of the large files of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LargeFiles {
    used: Text,
    object_max: Text,
    repository_max: Text,
    /// The form for the limits; none for those who may not change them.
    form: Option<LimitsForm>,
}

/// In MiB; empty: the site's setting.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LimitsForm {
    object_mib_max: String,
    repository_mib_max: String,
}

pub fn answer(visit: AdminVisit, repository: Repository) -> Answer {
    let Some(form) = visit.form else {
        let notice = match visit.visit.query.get("done") {
            "saved" => Some(t("The changes are saved.")),
            "renamed" => Some(t("The repository has a new path. The old one leads here.")),
            _ => None,
        };
        let visit = AdminVisit { frame: Frame { notice, ..visit.frame }, ..visit };
        return show(visit, Problem::none(), repository, None);
    };
    let done = match form.get("do") {
        "describe" => describe(&visit, &repository, form),
        "rename" => rename(&visit, &repository, form),
        "limit" => limit(&visit, &repository, form),
        "delete" => delete(&visit, &repository, form),
        _ => Err(Failed::Error(Error::NotFound)),
    };
    match done {
        Ok(next) => answer::see_other(&next),
        Err(Failed::Problem(problem)) => show(visit, problem, repository, Some(form)),
        Err(Failed::Error(error)) => match Problem::of_store(&error) {
            Some(problem) => show(visit, problem, repository, Some(form)),
            None => visit.failed(&error),
        },
    }
}

/// Why a form was not done: a problem of its own, or the store's.
enum Failed {
    Problem(Problem),
    Error(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn describe(visit: &AdminVisit, repository: &Repository, form: &Fields) -> Result<String, Failed> {
    let change = change(repository, form);
    visit
        .requester()
        .call(|credentials, client| repositories::update(credentials, client, &repository.path, &change))?;
    Ok(format!("{}?done=saved", settings_href(&repository.path, "")))
}

fn change(repository: &Repository, form: &Fields) -> RepositoryChange {
    let owner = form.trimmed("owner");
    let is_new_owner = !owner.is_empty() && Some(owner) != repository.owner.as_deref();
    RepositoryChange {
        description: Some(form.trimmed("description").to_owned()),
        is_private: Some(form.is_checked("is-private")),
        owner: is_new_owner.then(|| owner.to_owned()),
    }
}

fn rename(visit: &AdminVisit, repository: &Repository, form: &Fields) -> Result<String, Failed> {
    let new_path = plain_path(form.get("new-path"));
    let renamed = visit.lifecycle().rename(&repository.path, &new_path)?;
    Ok(format!("{}?done=renamed", settings_href(&renamed.path, "")))
}

fn limit(visit: &AdminVisit, repository: &Repository, form: &Fields) -> Result<String, Failed> {
    let limits = limits(form).map_err(Failed::Problem)?;
    visit
        .requester()
        .call(|credentials, client| quotas::set_limits(credentials, client, &repository.path, limits))?;
    Ok(format!("{}?done=saved", settings_href(&repository.path, "")))
}

/// The limits that a form says; an empty field says that there is none.
fn limits(form: &Fields) -> Result<OwnLimits, Problem> {
    let limit = |field: &str| match form.trimmed(field) {
        "" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| Problem::with_field(field, t("The size is a whole number.")))
        }
    };
    Ok(OwnLimits {
        object_mib_max: limit("object-mib-max")?,
        repository_mib_max: limit("repository-mib-max")?,
    })
}

fn delete(visit: &AdminVisit, repository: &Repository, form: &Fields) -> Result<String, Failed> {
    if form.trimmed("confirm") != repository.path {
        let message = t("To delete the repository, type its path: {path}.").with("path", &repository.path);
        return Err(Failed::Problem(Problem::with_field("confirm", message)));
    }
    visit.lifecycle().delete(&repository.path)?;
    let parent = repository.path.rsplit_once('/').map(|(parent, _)| parent);
    Ok(format!("/{}", encode_path(parent.unwrap_or_default())))
}

fn show(visit: AdminVisit, problem: Problem, repository: Repository, form: Option<&Fields>) -> Answer {
    let quota =
        visit.requester().call(|credentials, client| quotas::get(credentials, client, &repository.path));
    let quota = match quota {
        Ok(quota) => quota,
        Err(error) => return visit.failed(&error),
    };
    let may_limit = visit.overview.viewer.user.as_ref().is_some_and(|user| user.is_admin);
    let large_files = large_files(&quota, may_limit, form);
    let grace_days = visit.overview.site.deletion_grace_days;
    problem.answer(
        visit.frame.language,
        &page(visit.frame, problem.clone(), repository, form, large_files, grace_days),
    )
}

fn large_files(quota: &Quota, may_limit: bool, form: Option<&Fields>) -> LargeFiles {
    let typed = |field: &str, limit: Option<u32>| match form.filter(|form| form.get("do") == "limit") {
        Some(form) => form.trimmed(field).to_owned(),
        None => limit.map(|limit| limit.to_string()).unwrap_or_default(),
    };
    LargeFiles {
        used: Text::size(quota.used_bytes),
        object_max: Text::size(quota.object_bytes_max),
        repository_max: Text::size(quota.repository_bytes_max),
        form: may_limit.then(|| LimitsForm {
            object_mib_max: typed("object-mib-max", quota.limits.object_mib_max),
            repository_mib_max: typed("repository-mib-max", quota.limits.repository_mib_max),
        }),
    }
}

fn page(
    frame: Frame,
    problem: Problem,
    mut repository: Repository,
    form: Option<&Fields>,
    large_files: LargeFiles,
    grace_days: u32,
) -> RepositorySettingsPage {
    let head = RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), "");
    let mut owner = repository.owner.clone().unwrap_or_default();
    let mut new_path = repository.path.clone();
    match form.map(|form| (form, form.get("do"))) {
        Some((form, "describe")) => {
            repository.description = form.trimmed("description").to_owned();
            repository.is_private = form.is_checked("is-private");
            owner = form.trimmed("owner").to_owned();
        }
        Some((form, "rename")) => new_path = plain_path(form.get("new-path")),
        _ => {}
    }
    RepositorySettingsPage {
        frame: frame.titled(Text::joined(" · ", [t("Settings"), Text::verbatim(repository.path.clone())])),
        head,
        current: "",
        settings_href: settings_href(&repository.path, ""),
        problem,
        permanent_address: format!("/_{}", repository.id),
        repository,
        owner,
        new_path,
        deletion: deletion(grace_days),
        large_files,
    }
}

/// What deleting a repository does, where it can be restored for so many days.
fn deletion(grace_days: u32) -> Html {
    let days = tn("{n} day", "{n} days", grace_days);
    html(
        "The repository disappears at once, with all its branches and tags. \
         It can be <a href='/-/deleted'>restored</a> for {days}.",
    )
    .with("days", days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    pub fn repository() -> Repository {
        Repository {
            id: 7,
            path: "team/demo".into(),
            directory: "team/demo.git".into(),
            description: "A <small> demo".into(),
            is_private: true,
            owner: Some("alice".into()),
            created: 0,
            updated: 0,
            deleted: None,
        }
    }

    fn quota() -> Quota {
        Quota {
            object_bytes_max: 4 << 30,
            repository_bytes_max: 1 << 30,
            used_bytes: 5 << 20,
            limits: OwnLimits { object_mib_max: None, repository_mib_max: Some(1024) },
        }
    }

    #[test]
    fn only_who_may_change_limits_sees_the_form_for_them() {
        assert_eq!(large_files(&quota(), false, None).form, None);
        let limits = |form: &str| limits(&Fields::parse(form.as_bytes()).unwrap());
        let own = |object: Option<u32>, repository: Option<u32>| {
            Ok(OwnLimits { object_mib_max: object, repository_mib_max: repository })
        };
        assert_eq!(limits("object-mib-max=+7&repository-mib-max="), own(Some(7), None));
        assert_eq!(limits(""), own(None, None));
        for form in ["object-mib-max=x", "repository-mib-max=-1", "object-mib-max=99999999999"] {
            assert!(limits(form).is_err(), "{form}");
        }
    }

    #[test]
    fn the_page() {
        let frame = Frame::bare("/team/demo/-/settings/", Language::English).below("team/demo");
        let page = page(frame, Problem::none(), repository(), None, large_files(&quota(), true, None), 30)
            .render()
            .unwrap();
        crate::place_settings::golden("repository_settings", &page);
    }

    #[test]
    fn an_owner_left_alone_is_not_changed() {
        let change = |form: &str| change(&repository(), &Fields::parse(form.as_bytes()).unwrap());
        assert_eq!(change("owner=alice").owner, None);
        assert_eq!(change("owner=").owner, None);
        assert_eq!(change("owner=bob").owner.as_deref(), Some("bob"));
        assert_eq!(change("is-private=true").is_private, Some(true));
        assert_eq!(change("description=+x+").description.as_deref(), Some("x"));
        assert_eq!(change("").is_private, Some(false));
    }

    #[test]
    fn a_form_that_failed_keeps_what_was_typed() {
        let form = Fields::parse(b"do=rename&new-path=other%2Fdemo").unwrap();
        let frame = Frame::bare("/team/demo/-/settings/", Language::English);
        let problem = Problem::with_field("new-path", t("taken"));
        let page =
            page(frame, problem, repository(), Some(&form), large_files(&quota(), true, Some(&form)), 30)
                .render()
                .unwrap();
        assert!(page.contains(r#"value="other/demo""#), "{page}");
        assert!(page.contains(r#"action="/team/demo/-/settings/""#), "{page}");
    }
}
