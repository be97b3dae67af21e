//! `/-/admin/settings`: the settings of the site.

use crate::AdminVisit;
use askama::Template;
use lithe_forge::settings::{self, Site};
use lithe_web::{Answer, Fields, Frame, Problem, Text, answer, filters, t};

/// The page `/-/admin/settings`.
#[derive(Template)]
#[template(path = "site_settings.html")]
struct SiteSettingsPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    site: Site,
    deletion_grace_days: String,
    session_days: String,
    lfs_object_mib_max: String,
    lfs_repository_mib_max: String,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let Some(form) = visit.form else {
        let is_saved = visit.visit.query.get("done") == "saved";
        let notice = is_saved.then(|| t("The settings are saved."));
        let frame = Frame { notice, ..visit.frame };
        return answer::page(
            frame.language,
            &page(frame, Problem::none(), visit.overview.site.clone(), None),
        );
    };
    let (site, problem) = read(form);
    let problem = match problem {
        Some(problem) => problem,
        None => match update(&visit, &site) {
            Ok(()) => return answer::see_other("/-/admin/settings?done=saved"),
            Err(error) => match Problem::of_store(&error) {
                Some(problem) => problem,
                None => return visit.failed(&error),
            },
        },
    };
    problem.answer(visit.frame.language, &page(visit.frame, problem.clone(), site, Some(form)))
}

fn update(visit: &AdminVisit, site: &Site) -> Result<(), lithe_forge::types::Error> {
    visit.requester().call(|credentials, client| settings::update(credentials, client, site))
}

/// The fields that are numbers, and what is said of one that is none.
const NUMBERS: [(&str, Text); 4] = [
    ("deletion-grace-days", t("The days are a whole number.")),
    ("session-days", t("The days are a whole number.")),
    ("lfs-object-mib-max", t("The size is a whole number.")),
    ("lfs-repository-mib-max", t("The size is a whole number.")),
];

/// The settings that the form says, and what is wrong with its numbers.
fn read(form: &Fields) -> (Site, Option<Problem>) {
    let number = |field: &str| form.trimmed(field).parse::<u32>();
    let wrong = NUMBERS.into_iter().find(|(field, _)| number(field).is_err());
    let site = Site {
        title: form.trimmed("title").to_owned(),
        registration: form.is_checked("registration"),
        anonymous_access: form.is_checked("anonymous-access"),
        public_by_default: form.is_checked("public-by-default"),
        top_level_creation: form.is_checked("top-level-creation"),
        deletion_grace_days: number("deletion-grace-days").unwrap_or_default(),
        session_days: number("session-days").unwrap_or_default(),
        lfs_object_mib_max: number("lfs-object-mib-max").unwrap_or_default(),
        lfs_repository_mib_max: number("lfs-repository-mib-max").unwrap_or_default(),
    };
    let problem = wrong.map(|(field, message)| Problem::with_field(field, message));
    (site, problem)
}

fn page(frame: Frame, problem: Problem, site: Site, form: Option<&Fields>) -> SiteSettingsPage {
    let typed = |field: &str, number: u32| match form {
        Some(form) => form.trimmed(field).to_owned(),
        None => number.to_string(),
    };
    SiteSettingsPage {
        frame: frame.titled(t("Settings")),
        current: "settings",
        problem,
        deletion_grace_days: typed("deletion-grace-days", site.deletion_grace_days),
        session_days: typed("session-days", site.session_days),
        lfs_object_mib_max: typed("lfs-object-mib-max", site.lfs_object_mib_max),
        lfs_repository_mib_max: typed("lfs-repository-mib-max", site.lfs_repository_mib_max),
        site,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn numbers_that_are_none_are_kept_and_marked() {
        let form = b"title=T&deletion-grace-days=30&session-days=x&lfs-object-mib-max=1&lfs-repository-mib-max=1&registration=true";
        let form = Fields::parse(form).unwrap();
        let (site, problem) = read(&form);
        let problem = problem.expect("x is no number");
        assert!(problem.is_at("session-days"));
        assert!(site.registration && !site.anonymous_access);
        let frame = Frame::bare("/-/admin/settings", Language::English);
        let page = page(frame, problem, site, Some(&form)).render().unwrap();
        assert!(page.contains(r#"value="x""#) && page.contains("aria-invalid"), "{page}");
        for text in ["", "-1", "1.5", "99999999999"] {
            let form = format!(
                "deletion-grace-days=1&session-days=1&lfs-object-mib-max={text}&lfs-repository-mib-max=1"
            );
            assert!(read(&Fields::parse(form.as_bytes()).unwrap()).1.is_some(), "{text}");
        }
    }
}
