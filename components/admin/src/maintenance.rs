//! Maintenance of repositories: by hand, by the host's clock, and what became of it.

use crate::disk::{Disk, Lenders};
use crate::limits::{MAINTENANCE_RETRY_AFTER, MAINTENANCE_RUNS_SHOWN, MAINTENANCE_SWEEP_TIME_MAX};
use crate::looked_at::{Look, LookedAt};
use crate::registry::Registry;
use crate::{AdminVisit, large_files};
use askama::Template;
use lithe_forge::types::{Error, Repository};
use lithe_git::maintenance::{self, Plan, Progress, Report, Settings, Survey};
use lithe_lfs::Collected;
use lithe_operator::{Maintenance, Reply};
use lithe_web::address::encode_path;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Frame, Text, answer, filters, t, tn};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// What the last run did, in the repository's own directory.
const STATE: &str = "lithe-maintenance.json";
/// How often a run that nobody waits for tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Such a run rests for as long as it worked, after it worked for so long.
const SLICE: Duration = Duration::from_millis(50);

/// Maintains the repository at `path`, or every one that needs it, for somebody who waits for it.
pub fn run(registry: &impl Registry, disk: &Disk, path: Option<&str>, force: bool) -> Result<Reply, Error> {
    let settings = Settings { is_forced: force, ..Settings::default() };
    let (mut runs, lenders) = (Vec::new(), OnceCell::new());
    let repositories = match path {
        Some(path) => vec![registry.open(path)?],
        None => present(registry)?.collect(),
    };
    for repository in repositories {
        let needs = Needs::of(disk, &repository, &settings)?;
        if path.is_some() || needs != Needs::NOTHING {
            runs.push(maintain(registry, disk, &repository, &settings, &lenders, needs, Pace::Full)?);
        }
    }
    Ok(Reply::Maintained { runs })
}

/// Which parts of maintenance a repository needs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Needs {
    packing: bool,
    collection: bool,
}

impl Needs {
    const NOTHING: Self = Self { packing: false, collection: false };

    fn of(disk: &Disk, repository: &Repository, settings: &Settings) -> Result<Self, Error> {
        let git_dir = disk.place(&repository.directory)?;
        let large_files = disk.large_files(repository.id);
        let is_forced = settings.is_forced && large_files.directory().is_dir();
        Ok(Self {
            packing: settings.is_forced || is_due(&git_dir, settings),
            collection: is_forced || large_files::is_due(&large_files, SystemTime::now()),
        })
    }
}

/// What no ref of a repository reaches may be all that those who borrow from it have: it stays.
fn careful(settings: Settings, lenders: &Lenders, git_dir: &Path) -> Settings {
    match lenders.is_no_lender(git_dir) {
        true => settings,
        false => Settings { unreachable_for: None, ..settings },
    }
}

/// Maintains what needs it, while others have the machine too. What is not done when the time is over
/// is for the next sweep.
pub fn sweep(registry: &impl Registry, disk: &Disk) -> Result<Reply, Error> {
    let began = Instant::now();
    let settings = Settings::default();
    let (mut runs, lenders) = (Vec::new(), OnceCell::new());
    disk.remove_stale_uploads()?;
    let mut looked_at = LookedAt::read(disk.root());
    let present: Vec<Repository> = present(registry)?.collect();
    let directories: HashSet<&str> = present.iter().map(|repository| &*repository.directory).collect();
    looked_at.retain(|directory| directories.contains(directory));
    for repository in &present {
        let Ok(git_dir) = disk.place(&repository.directory) else { continue };
        let now = SystemTime::now();
        // Before the closer look, so that what comes meanwhile is seen the next time.
        let look = Look::at(&git_dir, now);
        let is_unchanged = look.is_some_and(|look| looked_at.has(&repository.directory, look));
        let needs = Needs {
            packing: !is_unchanged && is_due(&git_dir, &settings) && has_changed(&git_dir, now),
            collection: large_files::is_due(&disk.large_files(repository.id), now),
        };
        if let Some(look) = look.filter(|_| !is_unchanged && !needs.packing) {
            looked_at.note(repository.directory.clone(), look);
        }
        if needs != Needs::NOTHING {
            runs.push(maintain(registry, disk, repository, &settings, &lenders, needs, Pace::Half)?);
        }
        if began.elapsed() > MAINTENANCE_SWEEP_TIME_MAX {
            break;
        }
    }
    looked_at.write(disk.root());
    Ok(Reply::Maintained { runs })
}

fn present(registry: &impl Registry) -> Result<impl Iterator<Item = Repository>, Error> {
    Ok(registry.all()?.into_iter().filter(|repository| repository.deleted.is_none()))
}

fn is_due(git_dir: &Path, settings: &Settings) -> bool {
    Survey::of(git_dir).is_ok_and(|survey| survey.plan(settings, SystemTime::now()) != Plan::Nothing)
}

/// Whether anything came to the repository since the last run, or that was long ago: what a run could
/// not do, it cannot do a moment later.
fn has_changed(git_dir: &Path, now: SystemTime) -> bool {
    let Some(last) = read(git_dir) else { return true };
    let finished = Duration::from_secs(last.finished.unwrap_or_default().try_into().unwrap_or_default());
    let finished = SystemTime::UNIX_EPOCH + finished;
    let is_newer = |directory: &str| {
        let modified = fs::metadata(git_dir.join(directory)).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| modified > finished + Duration::from_secs(1))
    };
    let is_long_ago = now.duration_since(finished).is_ok_and(|age| age > MAINTENANCE_RETRY_AFTER);
    is_long_ago || last.error.is_none() && (is_newer("objects") || is_newer("objects/pack"))
}

/// How much of the machine a run takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Full,
    Half,
}

/// A run that tells how far it is, and rests now and then.
struct Teller<'a> {
    git_dir: &'a Path,
    state: Maintenance,
    told: Option<Instant>,
    worked: Instant,
    pace: Pace,
}

impl Teller<'_> {
    fn tell(&mut self, stage: &str, done: u64, total: u64) -> bool {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            (self.state.stage, self.state.done, self.state.total) = (stage.to_owned(), done, total);
            write(self.git_dir, &self.state);
            self.told = Some(Instant::now());
        }
        if self.pace == Pace::Half && self.worked.elapsed() >= SLICE {
            std::thread::sleep(self.worked.elapsed().min(4 * SLICE));
            self.worked = Instant::now();
        }
        true
    }
}

fn maintain(
    registry: &impl Registry,
    disk: &Disk,
    repository: &Repository,
    settings: &Settings,
    // Looked up for the first one that is maintained.
    lenders: &OnceCell<Lenders>,
    needs: Needs,
    pace: Pace,
) -> Result<Maintenance, Error> {
    let git_dir = &disk.place(&repository.directory)?;
    let lenders = match lenders.get() {
        Some(lenders) => lenders,
        None => {
            let found = disk.lenders()?;
            lenders.get_or_init(|| found)
        }
    };
    let settings = careful(*settings, lenders, git_dir);
    let path = &repository.path;
    let state = Maintenance { path: path.clone(), begun: now(), ..Maintenance::default() };
    let mut teller = Teller { git_dir, state, told: None, worked: Instant::now(), pace };
    let mut tell = |progress: Progress| teller.tell(progress.stage.name(), progress.done, progress.total);
    let outcome = match needs {
        Needs { packing: false, collection: true } => Ok(Report::default()),
        _ => maintenance::run(git_dir, &settings, SystemTime::now(), &mut tell),
    };
    if let Err(locked @ maintenance::Error::Locked { .. }) = &outcome {
        // The state is the other's to tell.
        let error = Some(locked.to_string());
        return Ok(Maintenance { finished: Some(now()), error, ..teller.state });
    }
    let mut errors = Vec::new();
    let mut done = outcome.map_or_else(
        |error| {
            errors.push(error.to_string());
            Vec::new()
        },
        |report| changes(&report),
    );
    if needs.collection {
        let mut tell = |done, total| teller.tell("looking for large files that nothing names", done, total);
        let now = SystemTime::now();
        match large_files::collect(registry, disk, repository, git_dir, now, &mut tell) {
            Ok(collected) => done.extend(collected_in_words(&collected)),
            Err(error) => errors.push(error.to_string()),
        }
    }
    for error in &errors {
        eprintln!("maintenance of {path}: {error}");
    }
    let error = Some(errors.join("; ")).filter(|errors| !errors.is_empty());
    let state = Maintenance { finished: Some(now()), changes: done, error, ..teller.state };
    let state = Maintenance { stage: String::new(), done: 0, total: 0, ..state };
    write(git_dir, &state);
    Ok(state)
}

/// What became of large files that nothing names, in words.
fn collected_in_words(collected: &Collected) -> Vec<String> {
    let counts = [
        (collected.removed, collected.removed_bytes, removed as fn(u64) -> Text),
        (collected.unnamed, collected.unnamed_bytes, unnamed),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    counts.map(|(count, size, words)| words(count).with("size", Text::size(size)).to_string()).collect()
}

fn removed(count: u64) -> Text {
    tn(
        "{n} large file ({size}) removed that nothing named",
        "{n} large files ({size}) removed that nothing named",
        count,
    )
}

fn unnamed(count: u64) -> Text {
    tn(
        "{n} large file ({size}) kept for now that nothing names",
        "{n} large files ({size}) kept for now that nothing names",
        count,
    )
}

/// What is said of each number of what a run did.
const CHANGES: [fn(u64) -> Text; 8] = [
    |count| tn("{n} pack replaced", "{n} packs replaced", count),
    |count| tn("{n} loose object packed", "{n} loose objects packed", count),
    |count| tn("{n} ref packed", "{n} refs packed", count),
    |count| tn("{n} bitmap written", "{n} bitmaps written", count),
    |count| tn("{n} commit in the commit-graph", "{n} commits in the commit-graph", count),
    |count| tn("{n} unreachable object kept for now", "{n} unreachable objects kept for now", count),
    |count| tn("{n} unreachable object removed", "{n} unreachable objects removed", count),
    |count| {
        tn(
            "{n} damaged file removed that only saves work",
            "{n} damaged files removed that only save work",
            count,
        )
    },
];

/// What a run did, in words.
fn changes(report: &Report) -> Vec<String> {
    let counts = [
        report.packs_replaced,
        report.loose_objects_packed,
        report.refs_packed,
        report.bitmaps,
        report.graph_commits,
        report.unreachable_kept,
        report.unreachable_removed,
        report.damaged_removed,
    ];
    let counts = counts.into_iter().zip(CHANGES).filter(|(count, _)| *count > 0);
    counts.map(|(count, words)| words(count).to_string()).collect()
}

/// What a run wrote down that it did, which is English, for a page in any language.
fn recorded(change: &str) -> Text {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let Some(count) = change.split(' ').next().and_then(|number| digits(number).parse().ok()) else {
        return Text::foreign(change);
    };
    let size = change.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(size, _)| size);
    let sized = size
        .into_iter()
        .flat_map(|size| [removed(count), unnamed(count)].map(|text| text.with("size", size.to_owned())));
    let mut known = CHANGES.into_iter().map(|words| words(count)).chain(sized);
    known.find(|words| words.to_string() == change).unwrap_or_else(|| Text::verbatim(change.to_owned()))
}

/// What the last run did; none: there was none, or it cannot be told.
pub fn read(git_dir: &Path) -> Option<Maintenance> {
    serde_json::from_slice(&fs::read(git_dir.join(STATE)).ok()?).ok()
}

/// Keeps what a run did. It is for people to read: that it cannot be written stops no run.
fn write(git_dir: &Path, state: &Maintenance) {
    let temporary = git_dir.join(format!("{STATE}.new"));
    let bytes = serde_json::to_vec(state).expect("it is only texts and numbers");
    let _ = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, git_dir.join(STATE)));
}

/// The page `/-/admin/maintenance`.
#[derive(Template)]
#[template(path = "maintenance.html")]
struct MaintenancePage {
    frame: Frame,
    current: &'static str,
    runs: Vec<Run>,
}

/// A run as the page shows it.
pub struct Run {
    pub path: String,
    pub href: String,
    pub begun: Time,
    /// In words: what it does, did, or why it failed.
    pub text: Text,
    pub is_at_work: bool,
    pub is_failed: bool,
}

impl Run {
    pub fn new(path: &str, state: &Maintenance) -> Self {
        let is_at_work = state.finished.is_none();
        let text = match (&state.error, is_at_work) {
            (Some(error), _) => Text::verbatim(error.clone()),
            (None, true) if state.total > 0 => {
                let percent = state.done * 100 / state.total;
                t("{stage} ({percent} %)")
                    .with("stage", Text::foreign(&*state.stage))
                    .with("percent", percent)
            }
            (None, true) => Text::foreign(&*state.stage),
            (None, false) if state.changes.is_empty() => t("nothing to be done"),
            (None, false) => Text::joined(", ", state.changes.iter().map(|change| recorded(change))),
        };
        Self {
            path: path.to_owned(),
            href: format!("/{}/-/settings/health", encode_path(path)),
            begun: Time::new(state.begun, now()),
            text,
            is_at_work,
            is_failed: state.error.is_some(),
        }
    }
}

/// Shows the last run of each repository, those at work and failed first.
pub fn page(visit: AdminVisit) -> Answer {
    let all = match present(visit.requester()) {
        Ok(all) => all,
        Err(error) => return visit.failed(&error),
    };
    let state = |repository: Repository| {
        let state = read(&visit.disk.place(&repository.directory).ok()?)?;
        Some((state.begun, Run::new(&repository.path, &state)))
    };
    let mut runs: Vec<(i64, Run)> = all.filter_map(state).collect();
    runs.sort_by_key(|(begun, run)| (!run.is_at_work, !run.is_failed, std::cmp::Reverse(*begun)));
    runs.truncate(MAINTENANCE_RUNS_SHOWN);
    answer::page(
        visit.frame.language,
        &MaintenancePage {
            frame: visit.frame.titled(t("Maintenance")),
            current: "maintenance",
            runs: runs.into_iter().map(|(_, run)| run).collect(),
        },
    )
}
