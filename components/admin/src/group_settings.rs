//! `/<path>/-/settings/`: describing and deleting a group.

use crate::AdminVisit;
use crate::place_settings::{group_frame, settings_href};
use askama::Template;
use lithe_forge::repositories;
use lithe_forge::types::{Error, Group};
use lithe_web::address::encode_path;
use lithe_web::{Answer, Frame, Problem, answer, filters, t};

/// The page `/<path>/-/settings/` of a group.
#[derive(Template)]
#[template(path = "group_settings.html")]
struct GroupSettingsPage {
    frame: Frame,
    current: &'static str,
    settings_href: String,
    problem: Problem,
    name: String,
    href: String,
    path: String,
    description: String,
}

pub fn answer(visit: AdminVisit, group: Group) -> Answer {
    let Some(form) = visit.form else {
        let is_saved = visit.visit.query.get("done") == "saved";
        let notice = is_saved.then(|| t("The changes are saved."));
        let page = page(Frame { notice, ..visit.frame }, Problem::none(), &group, None);
        return answer::page(page.frame.language, &page);
    };
    let (requester, path) = (visit.requester(), &group.path);
    let description = form.trimmed("description");
    let done = match form.get("do") {
        "describe" => requester
            .call(|credentials, client| repositories::update_group(credentials, client, path, description))
            .map(|_| format!("{}?done=saved", settings_href(path, ""))),
        "delete" => requester
            .call(|credentials, client| repositories::delete_group(credentials, client, path))
            .map(|()| {
                let parent = path.rsplit_once('/').map(|(parent, _)| parent);
                format!("/{}", encode_path(parent.unwrap_or_default()))
            }),
        _ => Err(Error::NotFound),
    };
    let error = match done {
        Ok(next) => return answer::see_other(&next),
        Err(error) => error,
    };
    match Problem::of_store(&error) {
        Some(problem) => problem.answer(
            visit.frame.language,
            &page(visit.frame, problem.clone(), &group, form.find("description")),
        ),
        None => visit.failed(&error),
    }
}

fn page(frame: Frame, problem: Problem, group: &Group, typed: Option<&str>) -> GroupSettingsPage {
    GroupSettingsPage {
        frame: group_frame(frame, &group.path, t("Settings")),
        current: "",
        settings_href: settings_href(&group.path, ""),
        problem,
        name: group.path.rsplit('/').next().unwrap_or_default().to_owned(),
        href: format!("/{}", encode_path(&group.path)),
        path: group.path.clone(),
        description: typed.unwrap_or(&group.description).to_owned(),
    }
}
