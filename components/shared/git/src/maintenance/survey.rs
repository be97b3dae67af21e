//! What a repository consists of on disk, and what should be done about it.

use super::cruft;
use super::{Error, Settings};
use crate::format::{Format, ObjectFormat};
use crate::listing::{self, Entry};
use crate::odb::multi_pack_index::{self, MultiPackIndex};
use crate::odb::{self, index, loose};
use crate::shortcut;
use gix_hash::ObjectId;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many packs there may be beside the largest.
const SMALL_PACKS_MAX: usize = 8;
/// How many loose objects there may be.
const LOOSE_MAX: usize = 200;
/// Everything is packed anew when so much of the largest pack has come beside it, in parts of it.
const REST_PARTS: u64 = 4;
/// One of so many parts of the objects of the largest pack may always be in packs without bitmaps.
const UNTOLD_PARTS: u64 = 100;
/// In a roll-up every pack has at least so many times the bytes of all smaller ones together.
const GEOMETRIC_FACTOR: u64 = 2;

/// The packs and loose objects of a repository.
#[derive(Debug, Default)]
pub struct Survey {
    /// Those that are not marked to be kept, the largest first.
    pub packs: Vec<PackFile>,
    /// Packs that are to stay as they are.
    pub kept_packs: u64,
    pub loose: Vec<ObjectId>,
    /// What packs, indexes and loose objects take, in bytes.
    pub bytes: u64,
    pub loose_bytes: u64,
    /// The names of files that only save work and are damaged.
    pub damaged: Vec<String>,
}

/// A pack on disk.
#[derive(Debug, Clone)]
pub struct PackFile {
    /// `pack-….pack`.
    pub name: String,
    pub bytes: u64,
    pub objects: u64,
    pub has_bitmaps: bool,
    /// Whether it has what no ref reached.
    pub is_cruft: bool,
    /// When the first of its objects was found not to be reached.
    pub oldest: Option<SystemTime>,
}

/// What should be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Nothing,
    /// What saves work, such as bitmaps, is written anew for the packs that there are.
    Shortcuts,
    /// One pack of these and of all loose objects.
    RollUp(Vec<String>),
    /// One pack of all that is reached.
    Everything,
}

impl Survey {
    /// Looks at the repository at `git_dir`.
    pub fn of(git_dir: &Path) -> Result<Self, Error> {
        let mut survey = Self::default();
        let format = Format::of(git_dir).map_err(odb::Error::from)?.objects;
        survey.packs(&git_dir.join("objects/pack"), format)?;
        survey.loose_objects(&git_dir.join("objects"), format)?;
        let damaged = shortcut::seen_damaged(&git_dir.join("objects"), format)?;
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        survey.damaged = damaged.iter().map(name).collect();
        Ok(survey)
    }

    fn packs(&mut self, directory: &Path, format: ObjectFormat) -> Result<(), Error> {
        let mut names = HashSet::new();
        for entry in entries(directory)? {
            if let Ok(name) = entry.name.into_string() {
                names.insert(name);
            }
        }
        for name in &names {
            let Some(stem) = name.strip_suffix(".pack").filter(|stem| stem.starts_with("pack-")) else {
                continue;
            };
            let has = |extension: &str| names.contains(&format!("{stem}.{extension}"));
            if !has("idx") {
                continue;
            }
            let size = |name: &str| fs::metadata(directory.join(name)).map_or(0, |metadata| metadata.len());
            let bytes = size(name);
            self.bytes += bytes + size(&format!("{stem}.idx"));
            if has("keep") || has("promisor") {
                self.kept_packs += 1;
                continue;
            }
            let is_cruft = has("mtimes");
            let oldest = is_cruft.then(|| cruft::oldest(&directory.join(format!("{stem}.mtimes")))).flatten();
            let objects = index::count(&directory.join(format!("{stem}.idx"))).map_or(0, u64::from);
            let (name, has_bitmaps) = (name.clone(), has("bitmap"));
            let pack = PackFile { name, bytes, objects, has_bitmaps, is_cruft, oldest };
            self.packs.push(pack);
        }
        self.packs.sort_by(|a, b| (b.bytes, &a.name).cmp(&(a.bytes, &b.name)));
        if names.contains(multi_pack_index::FILE_NAME) {
            self.multi_pack_bitmaps(directory, format, &names);
        }
        Ok(())
    }

    /// Notes which packs have bitmaps in common.
    fn multi_pack_bitmaps(&mut self, directory: &Path, format: ObjectFormat, names: &HashSet<String>) {
        let index = MultiPackIndex::open(directory, format).filter(MultiPackIndex::has_order);
        let Some(index) = index.filter(|index| names.contains(&format!("{}.bitmap", index.stem()))) else {
            return;
        };
        // Those of an index that names what is gone are of no use.
        if index.packs().iter().all(|name| names.contains(name)) {
            for pack in &mut self.packs {
                pack.has_bitmaps |= index.packs().contains(&pack.name.replace(".pack", ".idx"));
            }
        }
    }

    fn loose_objects(&mut self, objects: &Path, format: ObjectFormat) -> Result<(), Error> {
        for directory in entries(objects)? {
            let first = directory.name.to_string_lossy();
            if !directory.is_directory || !loose::is_directory_name(&first) {
                continue;
            }
            let directory = objects.join(&*first);
            for entry in entries(&directory)? {
                let hex = format!("{first}{}", entry.name.to_string_lossy());
                // What is named by another digest is no object of this repository.
                let id = ObjectId::from_hex(hex.as_bytes()).ok().filter(|id| id.kind() == format);
                if let Some(id) = id {
                    let bytes =
                        fs::metadata(directory.join(&entry.name)).map_or(0, |metadata| metadata.len());
                    self.bytes += bytes;
                    self.loose_bytes += bytes;
                    self.loose.push(id);
                }
            }
        }
        self.loose.sort_unstable();
        Ok(())
    }

    /// Whether a pack is one of those that may be replaced.
    pub fn has_pack(&self, name: &str) -> bool {
        self.packs.iter().any(|pack| pack.name == name)
    }

    /// The largest pack of what is reached.
    pub fn main_pack(&self) -> Option<&str> {
        self.packs.iter().find(|pack| !pack.is_cruft).map(|pack| pack.name.as_str())
    }

    /// Whether so much lies in other packs than the largest that they should have bitmaps in common.
    pub fn has_much_beside_main(&self, settings: &Settings) -> bool {
        let beside = self.packs.iter().filter(|pack| !pack.is_cruft).skip(1);
        are_too_many(beside.map(|pack| pack.objects).sum(), self.main_objects(), settings)
    }

    fn main_objects(&self) -> u64 {
        self.packs.iter().find(|pack| !pack.is_cruft).map_or(0, |pack| pack.objects)
    }

    /// The packs that an index over several is of: not those of what no ref reached, which go one day.
    pub fn packs_to_index(&self) -> impl Iterator<Item = &str> {
        self.packs.iter().filter(|pack| !pack.is_cruft).map(|pack| pack.name.as_str())
    }

    /// Whether all that can be packed is in one pack, but for what no ref reached.
    pub fn is_one_pack(&self) -> bool {
        self.loose.is_empty() && self.packs.iter().filter(|pack| !pack.is_cruft).count() <= 1
    }

    /// What should be done.
    pub fn plan(&self, settings: &Settings, now: SystemTime) -> Plan {
        match self.plan_of_packs(settings, now) {
            Plan::Nothing if !self.damaged.is_empty() => Plan::Shortcuts,
            plan => plan,
        }
    }

    fn plan_of_packs(&self, settings: &Settings, now: SystemTime) -> Plan {
        let (cruft, packs): (Vec<_>, Vec<_>) = self.packs.iter().partition(|pack| pack.is_cruft);
        let is_over = |pack: &&PackFile| match (settings.unreachable_for, pack.oldest) {
            (Some(limit), Some(oldest)) => now.duration_since(oldest).is_ok_and(|age| age > limit),
            _ => false,
        };
        let small: u64 = packs.iter().skip(1).map(|pack| pack.bytes).sum::<u64>() + self.loose_bytes;
        let Some(largest) = packs.first() else {
            return if self.loose.len() > LOOSE_MAX { Plan::Everything } else { Plan::Nothing };
        };
        let is_much = small > largest.bytes / REST_PARTS && (packs.len() > 2 || self.loose.len() > LOOSE_MAX);
        if !largest.has_bitmaps || is_much || cruft.iter().any(is_over) {
            return Plan::Everything;
        }
        let without_bitmaps = packs.iter().filter(|pack| !pack.has_bitmaps).map(|pack| pack.objects).sum();
        let needs_bitmaps = are_too_many(without_bitmaps, largest.objects, settings);
        if packs.len() - 1 <= SMALL_PACKS_MAX && self.loose.len() <= LOOSE_MAX {
            // Loose objects have no bitmaps: they become a pack before.
            match needs_bitmaps {
                true if self.loose.is_empty() => return Plan::Shortcuts,
                true => {}
                false => return Plan::Nothing,
            }
        }
        Plan::RollUp(roll_up(&packs, self.loose_bytes))
    }
}

/// Whether so many objects are too many to lie in packs without the bitmaps that the largest, of `main` objects, has.
/// Bitmaps over all packs take longer for a large repository, as does a clone of it.
fn are_too_many(objects: u64, main: u64, settings: &Settings) -> bool {
    objects > settings.objects_without_bitmaps_max && objects > main / UNTOLD_PARTS
}

/// The packs to be made one, of packs sorted by size, the largest first, which itself stays.
fn roll_up(packs: &[&PackFile], loose_bytes: u64) -> Vec<String> {
    let mut smaller = loose_bytes;
    let mut end = packs.len();
    // From the smallest on: whatever has not many times what comes after it goes in with it.
    for index in (1..packs.len()).rev() {
        if packs[index].bytes < smaller.saturating_mul(GEOMETRIC_FACTOR) {
            end = index;
        }
        smaller += packs[index].bytes;
    }
    // Too many remain, each of them large enough: the smaller half.
    let first = if packs.len() - end <= 1 { packs.len().div_ceil(2).max(1) } else { end };
    packs[first..].iter().map(|pack| pack.name.clone()).collect()
}

fn entries(directory: &Path) -> Result<Vec<Entry>, Error> {
    match listing::list(directory) {
        Ok(entries) => Ok(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::OBJECTS_WITHOUT_BITMAPS_MAX;
    use super::*;
    use std::time::Duration;

    fn pack(index: usize, bytes: u64) -> PackFile {
        let (name, has_bitmaps) = (format!("{index}"), index == 0);
        PackFile { name, bytes, objects: 0, has_bitmaps, is_cruft: false, oldest: None }
    }

    fn survey(bytes: &[u64], loose: usize) -> Survey {
        let packs = bytes.iter().enumerate().map(|(index, bytes)| pack(index, *bytes)).collect();
        let id = ObjectId::null(gix_hash::Kind::Sha1);
        Survey { packs, loose: vec![id; loose], loose_bytes: loose as u64 * 100, ..Survey::default() }
    }

    #[test]
    fn little_is_left_alone_and_much_is_packed() {
        let rolled = |names: &[usize]| Plan::RollUp(names.iter().map(usize::to_string).collect());
        let many = |count: usize| [&[1_000_000][..], &vec![10; count]].concat();
        let cases = [
            (survey(&[], 0), Plan::Nothing),
            (Survey { damaged: vec!["commit-graph".into()], ..survey(&[1000], 0) }, Plan::Shortcuts),
            (survey(&[], LOOSE_MAX), Plan::Nothing),
            (survey(&[], LOOSE_MAX + 1), Plan::Everything),
            (survey(&[1000], 0), Plan::Nothing),
            (survey(&[1000, 900], 0), Plan::Nothing),
            (survey(&[1000, 100, 100], 0), Plan::Nothing),
            (survey(&[1000, 200, 100], 0), Plan::Everything),
            (survey(&[1_000_000, 10], LOOSE_MAX), Plan::Nothing),
            (survey(&[1_000_000, 10], LOOSE_MAX + 1), rolled(&[1])),
            (survey(&many(SMALL_PACKS_MAX), 0), Plan::Nothing),
            (survey(&many(SMALL_PACKS_MAX + 1), 0), rolled(&[1, 2, 3, 4, 5, 6, 7, 8, 9])),
            (
                survey(&[1_000_000, 50_000, 500, 10, 10, 10, 10, 10, 10, 10], 0),
                rolled(&[3, 4, 5, 6, 7, 8, 9]),
            ),
            (
                survey(&[10_000_000, 1_000_000, 100_000, 20_000, 4_000, 900, 200, 60, 20, 5], 0),
                rolled(&[5, 6, 7, 8, 9]),
            ),
        ];
        for (survey, expected) in cases {
            assert_eq!(survey.plan(&Settings::default(), SystemTime::now()), expected, "{survey:?}");
        }
    }

    #[test]
    fn bitmaps_over_several_packs_are_written_once_much_has_none() {
        let (max, now) = (OBJECTS_WITHOUT_BITMAPS_MAX, SystemTime::now());
        let survey = |main: u64, objects: &[u64], loose: usize| {
            let mut survey = survey(&[&[1_000_000][..], &vec![10; objects.len()]].concat(), loose);
            for (pack, objects) in survey.packs.iter_mut().zip([&[main], objects].concat()) {
                pack.objects = objects;
            }
            survey
        };
        let plan = |survey: &Survey| survey.plan(&Settings::default(), now);
        let rolled = |names: &[&str]| Plan::RollUp(names.iter().map(|name| (*name).to_owned()).collect());
        for (survey, expected) in [
            (survey(max, &[max], 0), Plan::Nothing),
            (survey(max, &[max + 1], 0), Plan::Shortcuts),
            (survey(max, &[max / 2, max / 2, 1], 0), Plan::Shortcuts),
            (survey(UNTOLD_PARTS * (max + 1), &[max + 1], 0), Plan::Nothing),
            (survey(UNTOLD_PARTS * (max + 1), &[max + 1, 1], 0), Plan::Shortcuts),
            (survey(max, &[max], 1), Plan::Nothing),
            (survey(max, &[max + 1], 1), rolled(&["1"])),
        ] {
            assert_eq!(plan(&survey), expected, "{survey:?}");
            assert_eq!(survey.has_much_beside_main(&Settings::default()), expected != Plan::Nothing);
        }
        let mut survey = survey(max, &[max + 1, max], 0);
        survey.packs[1].has_bitmaps = true;
        assert_eq!(plan(&survey), Plan::Nothing, "what came after the bitmaps counts");
        survey.packs[1].is_cruft = true;
        survey.packs[1].has_bitmaps = false;
        assert_eq!(plan(&survey), Plan::Nothing, "what nothing reaches does not count");
        assert_eq!(survey.packs_to_index().collect::<Vec<_>>(), ["0", "2"]);
    }

    #[test]
    fn a_pack_without_bitmaps_and_one_that_is_over_are_reasons() {
        let now = SystemTime::now();
        let mut survey = survey(&[1000], 0);
        survey.packs[0].has_bitmaps = false;
        assert_eq!(survey.plan(&Settings::default(), now), Plan::Everything);
        survey.packs[0].has_bitmaps = true;
        let day = Duration::from_secs(24 * 60 * 60);
        survey.packs.push(PackFile { is_cruft: true, oldest: Some(now - 13 * day), ..pack(1, 10) });
        assert_eq!(survey.plan(&Settings::default(), now), Plan::Nothing);
        assert_eq!(survey.plan(&Settings::default(), now + 2 * day), Plan::Everything);
        let forever = Settings { unreachable_for: None, ..Settings::default() };
        assert_eq!(survey.plan(&forever, now + 2 * day), Plan::Nothing);
    }
}
