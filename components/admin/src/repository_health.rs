//! `/<path>/-/settings/health`: how well a repository is set to be served.

use crate::maintenance::{self, Run};
use crate::place_settings::settings_href;
use crate::{AdminVisit, large_files};
use askama::Template;
use lithe_forge::types::{Permission, Repository};
use lithe_git::health::Health;
use lithe_web::{Answer, Frame, RepositoryHead, Tab, Text, answer, filters, t, tn};
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
    figures: Vec<(Text, Text)>,
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
        let value = Text::joined(", ", [Text::number(state.unnamed), Text::size(state.unnamed_bytes)]);
        figures.push((t("Large files that nothing names"), value));
    }
    answer::page(
        visit.frame.language,
        &HealthPage {
            frame: visit
                .frame
                .titled(Text::joined(" · ", [t("Git health"), Text::verbatim(repository.path.clone())])),
            head: RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), ""),
            current: "health",
            settings_href: settings_href(&repository.path, ""),
            figures,
            problem,
            last: maintenance::read(&git_dir).map(|state| Run::new(&repository.path, &state)),
        },
    )
}

fn figures(health: &Health) -> Vec<(Text, Text)> {
    let covered = match (health.bitmaps, health.packed_objects + health.loose_objects) {
        (0, _) | (_, 0) => t("no"),
        (commits, all) => tn(
            "{n} commit; its pack has {percent} % of all objects",
            "{n} commits; their pack has {percent} % of all objects",
            commits,
        )
        .with("percent", health.bitmap_objects * 100 / all),
    };
    let graph = match health.graph_commits {
        0 => t("no"),
        commits => tn("{n} commit", "{n} commits", commits),
    };
    let damaged = match &health.damaged[..] {
        [] => t("none"),
        names => t("{names}; passed over until maintenance makes them anew").with("names", names.join(", ")),
    };
    let refs = t("{refs} ({loose} loose)").with("refs", health.refs).with("loose", health.loose_refs);
    vec![
        (t("Size on disk"), Text::size(health.bytes)),
        (t("Packs"), Text::number(health.packs)),
        (t("Objects in packs"), Text::number(health.packed_objects)),
        (t("Loose objects"), Text::number(health.loose_objects)),
        (t("Refs"), refs),
        (t("Bitmaps"), covered),
        (t("Commit-graph"), graph),
        (t("Damaged bitmaps, indexes and graphs"), damaged),
        (t("A clone sends about"), Text::size(health.clone_bytes)),
        (t("Maintenance"), if health.is_maintenance_due { t("due") } else { t("not needed") }),
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
