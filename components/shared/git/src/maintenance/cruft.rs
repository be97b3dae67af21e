//! What no ref reaches, and since when that is known (gitformat-pack, "Cruft packs").

use super::pack::{self, Made};
use super::survey::Survey;
use super::{Error, Run};
use crate::checksum;
use crate::disk;
use crate::durable;
use crate::format::{Format, ObjectFormat};
use crate::odb::{Packed, Store};
use crate::refs::{self, RefStore};
use crate::walk::{Located, ObjectSet};
use gix_hash::ObjectId;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HEAD_LEN: usize = 12;

/// The objects that no ref reaches.
#[derive(Default)]
pub struct Rest {
    objects: ObjectSet,
    /// When each was found not to be reached, in seconds since 1970-01-01T00:00:00Z.
    times: HashMap<ObjectId, u32>,
    removed: u64,
    /// Whether some of them lie elsewhere than in a pack of such objects.
    has_new: bool,
    cruft_packs: usize,
}

impl Rest {
    /// Whether all of them lie in one pack already, and stay.
    pub fn is_unchanged(&self) -> bool {
        self.removed == 0 && !self.has_new && self.cruft_packs <= 1
    }
}

/// Finds what is in the repository and not in `reached`.
pub fn of(run: &Run, survey: &Survey, store: &Store, reached: &ObjectSet) -> Result<Rest, Error> {
    let mut rest = Rest::default();
    let now = seconds(run.now);
    let keeps_all = run.settings.unreachable_for.is_none() || keeps_all(run.git_dir)?;
    let oldest = run.settings.unreachable_for.filter(|_| !keeps_all).map(|limit| seconds(run.now - limit));
    let add = |rest: &mut Rest, at: Located, id: ObjectId, since: Option<u32>| {
        let time = since.unwrap_or(now);
        if oldest.is_some_and(|oldest| time < oldest) {
            rest.removed += 1;
        } else if rest.objects.insert(at) {
            rest.times.insert(id, time);
            rest.has_new |= since.is_none();
        }
    };
    for pack in 0..store.pack_count() {
        let name = store.pack_name(pack);
        let Some(known) = survey.packs.iter().find(|known| known.name == name) else { continue };
        let times = if known.is_cruft { read(run.git_dir, &name, store.pack_len(pack)) } else { None };
        rest.cruft_packs += usize::from(known.is_cruft);
        for position in 0..store.pack_len(pack) {
            let packed = Packed { pack, position };
            if reached.contains(Located::Packed(packed)) {
                continue;
            }
            let id = store.packed_id(packed)?;
            // One that several packs have is reached, or not, where it is found first.
            if store.locate_packed(&id)? == Some(packed) {
                let since = times.as_ref().map(|times| times[position as usize]);
                add(&mut rest, Located::Packed(packed), id, since);
            }
        }
    }
    for id in &survey.loose {
        if let Some(at @ Located::Loose(_)) = Located::find(store, id)?
            && !reached.contains(at)
        {
            add(&mut rest, at, *id, None);
        }
    }
    Ok(rest)
}

/// Whether something may need objects that the refs do not tell of: broken refs, other work trees, and
/// reflogs in tables; or the repository's owner wants them all kept.
fn keeps_all(git_dir: &Path) -> Result<bool, Error> {
    let refs = RefStore::open(git_dir)?;
    let is_precious = Format::of(git_dir).map_err(refs::Error::from)?.keeps_all_objects;
    let is_unsure = refs.is_in_tables() || !refs.snapshot()?.broken.is_empty();
    Ok(is_precious || is_unsure || disk::exists(&git_dir.join("worktrees"))?)
}

/// Makes a pack of what is kept, with the times beside it. None: nothing is.
pub fn write(run: &mut Run, store: &Store, rest: Rest) -> Result<Option<Made>, Error> {
    run.report.unreachable_removed = rest.removed;
    run.report.unreachable_kept = rest.objects.len();
    let Some(made) = pack::write(run, store, rest.objects)? else { return Ok(None) };
    let hash = store.object_format();
    let mut file = Vec::with_capacity(HEAD_LEN + 4 * made.indexed.objects.len() + 64);
    file.extend_from_slice(b"MTME\0\0\0\x01");
    file.extend_from_slice(&(if hash.len_in_bytes() == 20 { 1_u32 } else { 2 }).to_be_bytes());
    for (id, _) in &made.indexed.objects {
        file.extend_from_slice(&rest.times.get(id).copied().unwrap_or_default().to_be_bytes());
    }
    file.extend_from_slice(made.indexed.checksum.as_slice());
    durable::append_checksum(&mut file, hash)?;
    durable::replace_file(&made.sibling("mtimes"), &file)?;
    Ok(Some(made))
}

/// Reads the times beside a pack of so many objects. None: they are damaged, and so not known.
fn read(git_dir: &Path, pack: &str, count: u32) -> Option<Vec<u32>> {
    let path = git_dir.join("objects/pack").join(pack).with_extension("mtimes");
    let times = times(&disk::read(&path).ok()?, Some(count))?;
    Some(times)
}

/// When the first of the objects was found not to be reached, by the file of times.
pub fn oldest(path: &Path) -> Option<SystemTime> {
    let first = times(&disk::read(path).ok()?, None)?.into_iter().min()?;
    Some(UNIX_EPOCH + Duration::from_secs(first.into()))
}

fn times(file: &[u8], count: Option<u32>) -> Option<Vec<u32>> {
    let rest = file.strip_prefix(b"MTME\0\0\0\x01")?;
    let format = match rest.first_chunk::<4>()? {
        [0, 0, 0, 1] => ObjectFormat::Sha1,
        [0, 0, 0, 2] => ObjectFormat::Sha256,
        _ => return None,
    };
    // By a wrong time, something would go too soon.
    if !checksum::ends_with_its_own(file, format) {
        return None;
    }
    let trailers = 2 * format.len_in_bytes();
    let times = rest[4..].len().checked_sub(trailers).map(|len| &rest[4..4 + len])?;
    let is_right =
        times.len().is_multiple_of(4) && count.is_none_or(|count| times.len() == count as usize * 4);
    let time = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
    is_right.then(|| times.chunks_exact(4).map(time).collect())
}

fn seconds(time: SystemTime) -> u32 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
