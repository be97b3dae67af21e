//! `/<path>/-/settings/health`: how well a repository is set to be served.

use crate::maintenance::{self, Run};
use crate::place_settings::settings_href;
use crate::{AdminVisit, large_files};
use askama::Template;
use lithe_forge::types::{Permission, Repository};
use lithe_git::health::Health;
use lithe_web::size::{bytes, grouped};
use lithe_web::{Answer, Frame, RepositoryHead, Tab, answer};
use std::path::Path;
use std::time::SystemTime;

/// The page `/<path>/-/settings/health`.
#[derive(Template)]
#[template(path = "repository_health.html")]
struct HealthPage {
    frame: Frame,
    head: RepositoryHead,
    current: &'static str,
    settings_href: String,
    /// Name and value of each figure.
    figures: Vec<(&'static str, String)>,
    problem: Option<String>,
    last: Option<Run>,
}

pub fn answer(visit: AdminVisit, repository: Repository) -> Answer {
    let git_dir = match visit.disk.place(&repository.directory) {
        Ok(git_dir) => git_dir,
        Err(error) => return visit.failed(&error.into()),
    };
    let (mut figures, problem) = match Health::of(&git_dir, SystemTime::now()) {
        Ok(health) => (figures(&health), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    if let Some(state) = large_files::read(&visit.disk.large_files(repository.id)) {
        let value = format!("{}, {}", grouped(state.unnamed), bytes(state.unnamed_bytes));
        figures.push(("Large files that nothing names", value));
    }
    answer::page(&HealthPage {
        frame: visit.frame.titled(format!("Git health · {}", repository.path)),
        head: RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), ""),
        current: "health",
        settings_href: settings_href(&repository.path, ""),
        figures,
        problem,
        last: maintenance::read(&git_dir).map(|state| Run::new(&repository.path, &state)),
    })
}

fn figures(health: &Health) -> Vec<(&'static str, String)> {
    let covered = match (health.bitmaps, health.packed_objects + health.loose_objects) {
        (0, _) | (_, 0) => "no".to_owned(),
        (commits, all) => {
            let percent = health.bitmap_objects * 100 / all;
            format!("{} commits; their pack has {percent} % of all objects", grouped(commits))
        }
    };
    let graph = match health.graph_commits {
        0 => "no".to_owned(),
        commits => format!("{} commits", grouped(commits)),
    };
    let damaged = match &health.damaged[..] {
        [] => "none".to_owned(),
        names => format!("{}; passed over until maintenance makes them anew", names.join(", ")),
    };
    let maintenance = if health.is_maintenance_due { "due" } else { "not needed" };
    vec![
        ("Size on disk", bytes(health.bytes)),
        ("Packs", grouped(health.packs)),
        ("Objects in packs", grouped(health.packed_objects)),
        ("Loose objects", grouped(health.loose_objects)),
        ("Refs", format!("{} ({} loose)", grouped(health.refs), grouped(health.loose_refs))),
        ("Bitmaps", covered),
        ("Commit-graph", graph),
        ("Damaged bitmaps, indexes and graphs", damaged),
        ("A clone sends about", bytes(health.clone_bytes)),
        ("Maintenance", maintenance.to_owned()),
    ]
}

/// What the command line says of a repository's health; none: it is too damaged to tell.
pub fn of(git_dir: &Path) -> Option<lithe_operator::Health> {
    let health = Health::of(git_dir, SystemTime::now()).ok()?;
    Some(lithe_operator::Health {
        loose_objects: health.loose_objects,
        refs: health.refs,
        loose_refs: health.loose_refs,
        bitmaps: health.bitmaps,
        bitmap_objects: health.bitmap_objects,
        graph_commits: health.graph_commits,
        damaged: health.damaged,
        clone_bytes: health.clone_bytes,
        is_maintenance_due: health.is_maintenance_due,
        last_maintenance: maintenance::read(git_dir),
    })
}
