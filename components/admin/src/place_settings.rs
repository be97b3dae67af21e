//! `/<path>/-/settings/…`: what is common to the settings of repositories and groups.

use crate::{
    AdminVisit, group_settings, issue_links, permissions, push_rules, repository_health, repository_settings,
};
use lithe_forge::access::{self, Opened, Place};
use lithe_forge::types::Permission;
use lithe_web::address::encode_path;
use lithe_web::frame::breadcrumbs;
use lithe_web::{Answer, Frame, Text, answer, failure, t};

/// The route table below `/<path>/-/settings`, for those who may administer the place.
pub fn answer(visit: AdminVisit, path: &str, page: &str) -> Answer {
    let opened = visit.requester().call(|credentials, client| access::open(credentials, client, path));
    let Opened { place, permission, is_moved, .. } = match opened {
        Ok(opened) => opened,
        Err(error) => return visit.failed(&error),
    };
    let own_path = path_of(&place).to_owned();
    if permission != Permission::Admin {
        let message = t("Only who may administer this can change its settings.");
        return failure::forbidden(&visit.frame, message);
    }
    if is_moved || own_path != path {
        return answer::moved(&settings_href(&own_path, page));
    }
    let visit = AdminVisit { frame: visit.frame.below(&own_path), ..visit };
    match (place, page) {
        (Place::Repository(repository), "") => repository_settings::answer(visit, repository),
        (Place::Repository(repository), "health") => repository_health::answer(visit, repository),
        (Place::Group(group), "") => group_settings::answer(visit, group),
        (place, "permissions") => permissions::answer(visit, place),
        (place, "pushes") => push_rules::answer(visit, place),
        (place, "issues") => issue_links::answer(visit, place),
        _ => failure::not_found(&visit.frame),
    }
}

/// The path of a place.
pub fn path_of(place: &Place) -> &str {
    match place {
        Place::Repository(repository) => &repository.path,
        Place::Group(group) => &group.path,
    }
}

/// The address of a page of a place's settings.
pub fn settings_href(path: &str, page: &str) -> String {
    format!("/{}/-/settings/{page}", encode_path(path))
}

/// The frame of a group's pages: the group itself is the last step of the way.
pub fn group_frame(frame: Frame, path: &str, title: Text) -> Frame {
    Frame {
        breadcrumbs: breadcrumbs(path),
        ..frame.titled(Text::joined(" · ", [title, Text::verbatim(path.to_owned())]))
    }
}

/// Compares a page with the one in `tests/golden`, or writes that with `LITHE_UPDATE_GOLDEN`.
#[cfg(test)]
#[track_caller]
pub fn golden(name: &str, page: &str) {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.html"));
    // The addresses of static files change with every change of theirs.
    let page = page
        .replace(lithe_web::static_files::LITHE_CSS, "STYLE")
        .replace(lithe_web::static_files::LITHE_JS, "SCRIPT")
        .replace(lithe_web::static_files::ICON_SVG, "ICON");
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("writable");
        std::fs::write(&file, &page).expect("writable");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(expected == page, "{} differs:\n{page}", file.display());
}
