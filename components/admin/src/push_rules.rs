//! `/<path>/-/settings/pushes`: what a push to a repository, or to those in a group, has to keep to.

use crate::AdminVisit;
use crate::place_settings::{group_frame, path_of, settings_href};
use askama::Template;
use lithe_forge::access::Place;
use lithe_forge::push_rules::{self, Checks, RefKind, RefRule, Rules, Signing, Who};
use lithe_forge::types::{Error, InvalidField, Permission};
use lithe_web::address::encode_path;
use lithe_web::{Answer, Fields, Frame, Problem, RepositoryHead, Tab, Text, answer, filters, size, t, tn};

/// The page `/<path>/-/settings/pushes` of a repository.
#[derive(Template)]
#[template(path = "repository_pushes.html")]
struct RepositoryPushesPage {
    frame: Frame,
    head: RepositoryHead,
    current: &'static str,
    settings_href: String,
    view: PushRulesView,
}

/// The same page of a group.
#[derive(Template)]
#[template(path = "group_pushes.html")]
struct GroupPushesPage {
    frame: Frame,
    current: &'static str,
    settings_href: String,
    name: String,
    href: String,
    view: PushRulesView,
}

/// The rules that hold, and the forms that change those of the place itself.
struct PushRulesView {
    problem: Problem,
    refs: Vec<RefRow>,
    inherited: Vec<Inherited>,
    checks: ChecksForm,
    rule: RuleForm,
}

/// A rule about refs.
struct RefRow {
    kind: Text,
    /// What the form for taking it says.
    form_kind: &'static str,
    pattern: String,
    create: Text,
    advance: Text,
    force: Text,
    delete: Text,
    signing: Text,
    from: Option<From>,
}

/// The group that rules come from.
struct From {
    path: String,
    href: String,
}

/// What a group around the place checks.
struct Inherited {
    from: From,
    checks: Vec<Text>,
}

/// The form of the place's own checks, as it is filled in.
struct ChecksForm {
    file_bytes_max: String,
    pack_bytes_max: String,
    repository_bytes_max: String,
    refs_max: String,
    forbidden_paths: String,
    message_required: String,
    message_forbidden: String,
    known_authors: bool,
}

/// The form for a rule about refs, as it is filled in.
struct RuleForm {
    kind: String,
    pattern: String,
    create: String,
    advance: String,
    force: String,
    delete: String,
    users: String,
    signing: String,
}

pub fn answer(visit: AdminVisit, place: Place) -> Answer {
    let path = path_of(&place).to_owned();
    let problem = match visit.form.map(|form| set(&visit, &path, form)) {
        None => Problem::none(),
        Some(Ok(())) => return answer::see_other(&format!("{}?done=saved", settings_href(&path, "pushes"))),
        Some(Err(error)) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return visit.failed(&error),
        },
    };
    let rules = visit.requester().call(|credentials, client| push_rules::list(credentials, client, &path));
    let rules = match rules {
        Ok(rules) => rules,
        Err(error) => return visit.failed(&error),
    };
    let is_saved = visit.visit.query.get("done") == "saved";
    let notice = is_saved.then(|| t("The rules are saved."));
    let frame = Frame { notice, ..visit.frame };
    let language = frame.language;
    let view = view(problem.clone(), rules, visit.form);
    match place {
        Place::Repository(repository) => problem.answer(
            language,
            &RepositoryPushesPage {
                frame: frame.titled(format!("Pushes · {path}")),
                head: RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), ""),
                current: "pushes",
                settings_href: settings_href(&path, ""),
                view,
            },
        ),
        Place::Group(_) => problem.answer(
            language,
            &GroupPushesPage {
                frame: group_frame(frame, &path, t("Pushes")),
                current: "pushes",
                settings_href: settings_href(&path, ""),
                name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                href: format!("/{}", encode_path(&path)),
                view,
            },
        ),
    }
}

fn set(visit: &AdminVisit, path: &str, form: &Fields) -> Result<(), Error> {
    let requester = visit.requester();
    match form.get("do") {
        "check" => {
            let checks = read_checks(form)?;
            requester.call(|credentials, client| push_rules::set_checks(credentials, client, path, &checks))
        }
        "protect" => {
            let rule = read_rule(form)?;
            requester.call(|credentials, client| push_rules::protect(credentials, client, path, &rule))
        }
        "unprotect" => {
            let (kind, pattern) = (read_kind(form)?, form.get("pattern"));
            requester
                .call(|credentials, client| push_rules::unprotect(credentials, client, path, kind, pattern))
        }
        _ => Err(Error::NotFound),
    }
}

fn invalid(name: &str, reason: &str) -> Error {
    Error::Invalid(InvalidField { name: name.to_owned(), reason: reason.to_owned() })
}

fn read_checks(form: &Fields) -> Result<Checks, Error> {
    let text = |name: &str| Some(form.trimmed(name).to_owned()).filter(|text| !text.is_empty());
    let bytes = |name: &str| match text(name) {
        None => Ok(None),
        Some(text) => match size::parse(&text) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(invalid(name, "a size is a number of bytes, or one with KiB, MiB or GiB")),
        },
    };
    let refs_max = match text("refs-max") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("refs-max", "it is a whole number"))?),
    };
    let paths = form.get("forbidden-paths").lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(Checks {
        file_bytes_max: bytes("file-bytes-max")?,
        pack_bytes_max: bytes("pack-bytes-max")?,
        repository_bytes_max: bytes("repository-bytes-max")?,
        refs_max,
        forbidden_paths: paths.map(str::to_owned).collect(),
        message_required: text("message-required"),
        message_forbidden: text("message-forbidden"),
        known_authors: form.is_checked("known-authors"),
    })
}

fn read_kind(form: &Fields) -> Result<RefKind, Error> {
    match form.get("kind") {
        "branches" => Ok(RefKind::Branches),
        "tags" => Ok(RefKind::Tags),
        _ => Err(invalid("kind", "say whether it is about branches or tags")),
    }
}

fn read_rule(form: &Fields) -> Result<RefRule, Error> {
    let who = |name: &str| match form.get(name) {
        "nobody" => Ok(Who::Nobody),
        "administrators" => Ok(Who::Administrators),
        "named" => Ok(Who::Named),
        "writers" => Ok(Who::Writers),
        _ => Err(invalid(name, "say who may do it")),
    };
    let users = form.get("users").split([',', ' ', '\n', '\r', '\t']).filter(|name| !name.is_empty());
    Ok(RefRule {
        kind: read_kind(form)?,
        pattern: form.trimmed("pattern").to_owned(),
        create: who("create")?,
        advance: who("advance")?,
        force: who("force")?,
        delete: who("delete")?,
        users: users.map(str::to_owned).collect(),
        signing: match form.get("signing") {
            "" | "nothing" => Signing::Nothing,
            "signed" => Signing::Signed,
            "verified" => Signing::Verified,
            _ => return Err(invalid("signing", "say what has to be signed")),
        },
    })
}

fn view(problem: Problem, mut rules: Vec<Rules>, form: Option<&Fields>) -> PushRulesView {
    let own = if rules.is_empty() { None } else { Some(rules.remove(0)) };
    let mut refs = Vec::new();
    let mut checks = None;
    if let Some(own) = own {
        refs.extend(own.refs.iter().map(|rule| row(rule, None)));
        checks = Some(own.checks);
    }
    let mut inherited = Vec::new();
    for around in &rules {
        refs.extend(around.refs.iter().map(|rule| row(rule, Some(from(&around.place)))));
        let lines = in_words(&around.checks);
        if !lines.is_empty() {
            inherited.push(Inherited { from: from(&around.place), checks: lines });
        }
    }
    let typed = |what: &str| form.filter(|form| form.get("do") == what);
    PushRulesView {
        problem,
        refs,
        inherited,
        checks: match typed("check") {
            Some(form) => ChecksForm::typed(form),
            None => ChecksForm::of(checks.as_ref()),
        },
        rule: RuleForm::new(typed("protect")),
    }
}

fn from(path: &str) -> From {
    From { path: path.to_owned(), href: settings_href(path, "pushes") }
}

fn row(rule: &RefRule, from: Option<From>) -> RefRow {
    let (kind, form_kind) = match rule.kind {
        RefKind::Branches => (t("Branches"), "branches"),
        RefKind::Tags => (t("Tags"), "tags"),
    };
    let who = |who| match who {
        Who::Nobody => t("Nobody"),
        Who::Administrators => t("Administrators"),
        Who::Named if rule.users.is_empty() => t("Administrators"),
        Who::Named => t("{users}, administrators").with("users", rule.users.join(", ")),
        Who::Writers => t("All who may write"),
    };
    RefRow {
        kind,
        form_kind,
        pattern: rule.pattern.clone(),
        create: who(rule.create),
        advance: who(rule.advance),
        force: who(rule.force),
        delete: who(rule.delete),
        signing: match rule.signing {
            Signing::Nothing => t("No"),
            Signing::Signed => t("By anybody"),
            Signing::Verified => t("Verified"),
        },
        from,
    }
}

/// What is checked, a line each.
fn in_words(checks: &Checks) -> Vec<Text> {
    let sizes = [
        (t("A file has at most {size}."), checks.file_bytes_max),
        (t("The pack of one push has at most {size}."), checks.pack_bytes_max),
        (t("A repository has at most {size}."), checks.repository_bytes_max),
    ];
    let sizes = sizes.into_iter().filter_map(|(text, limit)| Some((text, limit?)));
    let mut lines: Vec<Text> = sizes.map(|(text, limit)| text.with("size", size::exact(limit))).collect();
    lines.extend(
        checks.refs_max.map(|limit| tn("There is at most {n} ref.", "There are at most {n} refs.", limit)),
    );
    if !checks.forbidden_paths.is_empty() {
        lines.push(t("Forbidden paths: {paths}").with("paths", checks.forbidden_paths.join(", ")));
    }
    let messages = [
        (t("Messages contain a match of {pattern}"), &checks.message_required),
        (t("Messages do not contain a match of {pattern}"), &checks.message_forbidden),
    ];
    for (text, pattern) in messages {
        lines.extend(pattern.as_ref().map(|pattern| text.with("pattern", pattern)));
    }
    lines.extend(checks.known_authors.then(|| t("The author of every commit has an account.")));
    lines
}

impl ChecksForm {
    fn of(checks: Option<&Checks>) -> Self {
        let bytes =
            |limit: fn(&Checks) -> Option<u64>| checks.and_then(limit).map(size::exact).unwrap_or_default();
        let text = |text: fn(&Checks) -> &Option<String>| {
            checks.and_then(|checks| text(checks).clone()).unwrap_or_default()
        };
        Self {
            file_bytes_max: bytes(|checks| checks.file_bytes_max),
            pack_bytes_max: bytes(|checks| checks.pack_bytes_max),
            repository_bytes_max: bytes(|checks| checks.repository_bytes_max),
            refs_max: checks
                .and_then(|checks| checks.refs_max)
                .map(|max| max.to_string())
                .unwrap_or_default(),
            forbidden_paths: checks.map(|checks| checks.forbidden_paths.join("\n")).unwrap_or_default(),
            message_required: text(|checks| &checks.message_required),
            message_forbidden: text(|checks| &checks.message_forbidden),
            known_authors: checks.is_some_and(|checks| checks.known_authors),
        }
    }

    fn typed(form: &Fields) -> Self {
        let text = |name: &str| form.trimmed(name).to_owned();
        Self {
            file_bytes_max: text("file-bytes-max"),
            pack_bytes_max: text("pack-bytes-max"),
            repository_bytes_max: text("repository-bytes-max"),
            refs_max: text("refs-max"),
            forbidden_paths: text("forbidden-paths"),
            message_required: text("message-required"),
            message_forbidden: text("message-forbidden"),
            known_authors: form.is_checked("known-authors"),
        }
    }
}

impl RuleForm {
    /// What is usual: everybody goes on with a protected branch, and nobody rewrites it.
    fn new(form: Option<&Fields>) -> Self {
        let typed = |name: &str, usual: &str| match form {
            Some(form) => form.trimmed(name).to_owned(),
            None => usual.to_owned(),
        };
        Self {
            kind: typed("kind", "branches"),
            pattern: typed("pattern", ""),
            create: typed("create", "writers"),
            advance: typed("advance", "writers"),
            force: typed("force", "nobody"),
            delete: typed("delete", "nobody"),
            users: typed("users", ""),
            signing: typed("signing", "nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    fn fields(form: &str) -> Fields {
        Fields::parse(form.as_bytes()).unwrap()
    }

    fn checks() -> Checks {
        Checks {
            file_bytes_max: Some(10 << 20),
            pack_bytes_max: None,
            repository_bytes_max: Some(1 << 30),
            refs_max: Some(100),
            forbidden_paths: vec!["*.exe".into(), "/vendor/".into()],
            message_required: Some("^[A-Z]+-[0-9]+: ".into()),
            message_forbidden: None,
            known_authors: true,
        }
    }

    fn rule() -> RefRule {
        RefRule {
            kind: RefKind::Branches,
            pattern: "release/*".into(),
            create: Who::Administrators,
            advance: Who::Named,
            force: Who::Nobody,
            delete: Who::Nobody,
            users: vec!["bob".into(), "carol".into()],
            signing: Signing::Verified,
        }
    }

    #[test]
    fn the_checks_are_read_as_they_are_shown() {
        let shown = ChecksForm::of(Some(&checks()));
        assert_eq!((shown.file_bytes_max.as_str(), shown.refs_max.as_str()), ("10 MiB", "100"));
        let form = "file-bytes-max=10+MiB&pack-bytes-max=&repository-bytes-max=1GiB&refs-max=100&\
            forbidden-paths=*.exe%0D%0A%0D%0A+/vendor/&message-required=%5E%5BA-Z%5D%2B-%5B0-9%5D%2B:%20&\
            message-forbidden=&known-authors=true";
        let read = read_checks(&fields(form)).expect("sound");
        // White space at the ends of a field is taken for a slip.
        let expected = Checks { message_required: Some("^[A-Z]+-[0-9]+:".into()), ..checks() };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (form, name) in [
            ("file-bytes-max=big", "file-bytes-max"),
            ("pack-bytes-max=-1", "pack-bytes-max"),
            ("repository-bytes-max=1+x", "repository-bytes-max"),
            ("refs-max=1.5", "refs-max"),
        ] {
            match read_checks(&fields(form)) {
                Err(Error::Invalid(field)) => assert_eq!(field.name, name),
                other => panic!("{form}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_rule_is_read() {
        let form = "kind=branches&pattern=+release/*+&create=administrators&advance=named&force=nobody&\
            delete=nobody&users=bob,+carol&signing=verified";
        assert_eq!(read_rule(&fields(form)).ok(), Some(rule()));
        for broken in [
            form.replace("branches", "x"),
            form.replace("named", "all"),
            form.replace("verified", "x"),
            String::new(),
        ] {
            assert!(read_rule(&fields(&broken)).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_page() {
        let tags = RefRule { kind: RefKind::Tags, pattern: "v*".into(), signing: Signing::Nothing, ..rule() };
        let rules = vec![
            Rules { place: "team/tools".into(), refs: vec![rule()], checks: checks() },
            Rules { place: "team".into(), refs: vec![tags], checks: checks() },
        ];
        let page = GroupPushesPage {
            frame: Frame::bare("/team/tools/-/settings/pushes", Language::English).titled(t("Pushes")),
            current: "pushes",
            settings_href: settings_href("team/tools", ""),
            name: "tools".into(),
            href: "/team/tools".into(),
            view: view(Problem::none(), rules, None),
        };
        let page = page.render().unwrap();
        for part in [
            "<code>release/*</code>",
            "<td>bob, carol, administrators</td>",
            "<td>Verified</td>",
            r#"<a href="/team/-/settings/pushes">team</a>"#,
            r#"name="file-bytes-max" type="text" value="10 MiB""#,
            "A repository has at most 1 GiB.",
            "The author of every commit has an account.",
        ] {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
    }

    #[test]
    fn a_form_that_failed_keeps_what_was_typed() {
        let form = fields("do=check&file-bytes-max=big&forbidden-paths=a%0Ab");
        let own = Rules { place: "team".into(), refs: vec![], checks: checks() };
        let shown = view(Problem::none(), vec![own], Some(&form));
        assert_eq!(
            (shown.checks.file_bytes_max.as_str(), shown.checks.forbidden_paths.as_str()),
            ("big", "a\nb")
        );
        assert_eq!(shown.rule.force, "nobody", "the other form is as usual");
        let form = fields("do=protect&pattern=a+b&force=writers");
        let shown = view(Problem::none(), vec![], Some(&form));
        assert_eq!((shown.rule.pattern.as_str(), shown.rule.force.as_str()), ("a b", "writers"));
    }
}
