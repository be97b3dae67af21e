//! Where a shallow clone's history is cut (gitprotocol-pack, "deepen").

use super::commit::Commit;
use super::paint::paint_exactly;
use crate::disk;
use crate::format::ObjectFormat;
use crate::odb::{Error, Store};
use gix_hash::ObjectId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::io;
use std::path::Path;

/// How far back a client wants history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deepen {
    /// This many commits from each want on; `u32::MAX`: all.
    Depth(u32),
    /// This many commits beyond where the client's history is cut, as far as the wants lead there.
    Relative(u32),
    /// Commits not older than this (seconds since 1970), and none that these commits reach.
    Since { since: Option<i64>, not: Vec<ObjectId> },
}

/// How the client's boundary changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boundary {
    /// Commits to be cut off from their parents that were not before, in order of their ids.
    pub shallow: Vec<ObjectId>,
    /// Commits that get their parents back, in order of their ids.
    pub unshallow: Vec<ObjectId>,
}

/// The commits whose parents the shallow repository at `git_dir` has not got (gitrepository-layout, `shallow`);
/// none where it is whole.
///
/// Fails if that cannot be told: history that is cut must never pass for whole.
pub fn of_repository<S: BuildHasher + Default>(
    git_dir: &Path,
    object_format: ObjectFormat,
) -> Result<HashSet<ObjectId, S>, Error> {
    let path = git_dir.join("shallow");
    let text = match disk::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::default()),
        text => text.map_err(Error::io(path))?,
    };
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let ids = lines.map(|line| ObjectId::from_hex(line).ok().filter(|id| id.kind() == object_format));
    let reason = "a line of it is not an object id";
    ids.collect::<Option<_>>().ok_or(Error::DamagedFile { file: "shallow".into(), reason })
}

/// Tells where history is to be cut. `wants` are commits; `client_shallow` is where the client's
/// history is cut now, `server_shallow` where ours is. None: the date and the exclusions leave no commit.
pub fn deepen(
    store: &Store,
    wants: &[ObjectId],
    client_shallow: &HashSet<ObjectId>,
    server_shallow: &HashSet<ObjectId>,
    deepen: &Deepen,
) -> Result<Option<Boundary>, Error> {
    let depths = |starts: &[ObjectId], depth| depths(store, starts, server_shallow, depth);
    let (cut, whole) = match deepen {
        Deepen::Depth(depth) => depths(wants, *depth)?,
        // What is whole stays so.
        Deepen::Relative(_) if client_shallow.is_empty() => CutAndWhole::default(),
        Deepen::Relative(depth) => {
            let starts = reached(store, wants, client_shallow, server_shallow)?;
            depths(&starts, depth.saturating_add(1))?
        }
        Deepen::Since { since, not } => {
            let (cut, whole) = selected(store, wants, server_shallow, *since, not)?;
            if cut.is_empty() && whole.is_empty() {
                return Ok(None);
            }
            (cut, whole)
        }
    };
    let mut boundary = Boundary {
        shallow: cut.difference(client_shallow).copied().collect(),
        unshallow: client_shallow.intersection(&whole).copied().collect(),
    };
    boundary.shallow.sort_unstable();
    boundary.unshallow.sort_unstable();
    Ok(Some(boundary))
}

type CutAndWhole = (HashSet<ObjectId>, HashSet<ObjectId>);

/// The commits at just `depth` from the starts, and those nearer.
fn depths(
    store: &Store,
    starts: &[ObjectId],
    server_shallow: &HashSet<ObjectId>,
    depth: u32,
) -> Result<CutAndWhole, Error> {
    let (mut cut, mut whole) = CutAndWhole::default();
    let mut seen = HashSet::new();
    let mut queue: VecDeque<(ObjectId, u32)> = starts.iter().map(|id| (*id, 1)).collect();
    while let Some((id, at)) = queue.pop_front() {
        if !seen.insert(id) {
            continue;
        }
        if at >= depth && depth != u32::MAX || server_shallow.contains(&id) {
            cut.insert(id);
            continue;
        }
        whole.insert(id);
        queue.extend(Commit::read(store, &id)?.parents.into_iter().map(|parent| (parent, at + 1)));
    }
    Ok((cut, whole))
}

/// Those of `targets` that `starts` reach.
fn reached(
    store: &Store,
    starts: &[ObjectId],
    targets: &HashSet<ObjectId>,
    server_shallow: &HashSet<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    let mut reached = Vec::new();
    let mut seen: HashSet<ObjectId> = starts.iter().copied().collect();
    let mut stack = starts.to_vec();
    while let Some(id) = stack.pop() {
        if targets.contains(&id) {
            reached.push(id);
        }
        if server_shallow.contains(&id) {
            continue;
        }
        stack.extend(Commit::read(store, &id)?.parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(reached)
}

/// The commits selected by date and exclusion: those with a parent that is not, and the others.
fn selected(
    store: &Store,
    wants: &[ObjectId],
    server_shallow: &HashSet<ObjectId>,
    since: Option<i64>,
    not: &[ObjectId],
) -> Result<CutAndWhole, Error> {
    let painted = paint_exactly(store, wants, not, server_shallow)?;
    let mut selected = HashMap::new();
    for (id, commit) in painted.wanted {
        if since.is_none_or(|since| commit.date >= since) {
            selected.insert(id, commit);
        }
    }
    let is_cut = |commit: &Commit| commit.parents.iter().any(|parent| !selected.contains_key(parent));
    let (cut, whole): (Vec<_>, Vec<_>) = selected.iter().partition(|(_, commit)| is_cut(commit));
    Ok((cut.into_iter().map(|(id, _)| *id).collect(), whole.into_iter().map(|(id, _)| *id).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    fn ids(place: &Scratch, script: &str) -> Vec<ObjectId> {
        place.sh(script).lines().map(|line| line.parse().expect("an id")).collect()
    }

    #[test]
    fn a_list_of_what_is_cut_off_that_cannot_be_understood_is_not_an_empty_one() {
        let place = Scratch::new();
        let read = || of_repository(place.path(), ObjectFormat::Sha1).map(|ids: HashSet<_>| ids.len()).ok();
        assert_eq!(read(), Some(0), "there is none");
        let (sha1, sha256) = ("1".repeat(40), "1".repeat(64));
        let cases = [
            (String::new(), Some(0)),
            (format!("{sha1}\n"), Some(1)),
            (format!("{sha1}\n{}\n", "2".repeat(40)), Some(2)),
            (format!("{sha1}\n{}\n", "2".repeat(39)), None),
            (format!("{sha256}\n"), None),
            ("garbage".to_owned(), None),
        ];
        for (text, expected) in cases {
            std::fs::write(place.path().join("shallow"), &text).expect("written");
            assert_eq!(read(), expected, "{text:?}");
        }
        std::fs::remove_file(place.path().join("shallow")).expect("removed");
        std::fs::create_dir(place.path().join("shallow")).expect("made");
        assert_eq!(read(), None, "it cannot be read");
    }

    #[test]
    fn what_is_excluded_is_cut_off_wherever_clocks_go_wrong() {
        let place = Scratch::new();
        // Every third commit is years older than its parents; every fifth is a merge.
        place.sh(
            "git init -q -b main && tree=$(git mktree < /dev/null) && for i in $(seq 0 24); do
                parents=
                case $i in
                    0) ;;
                    *[05]) parents=\"-p c$((i - 1)) -p c$((i / 2))\" ;;
                    *[38]) parents=\"-p c$((i - 2))\" ;;
                    *) parents=\"-p c$((i - 1))\" ;;
                esac
                date=$((1700000000 + i * 1000 - (i % 3 == 2) * 100000000))
                id=$(GIT_COMMITTER_DATE=\"@$date +0000\" git commit-tree -m $i $parents $tree) && git tag c$i $id
            done",
        );
        for prepare in ["true", "git commit-graph write --reachable"] {
            place.sh(prepare);
            let store = Store::open(&place.path().join(".git")).expect("readable");
            for excluded in 0..24 {
                let ids = |script: &str| ids(&place, script);
                let how = Deepen::Since { since: None, not: ids(&format!("git rev-parse c{excluded}")) };
                let wants = ids("git rev-parse c24 c23 c12");
                let none = HashSet::new();
                let boundary = deepen(&store, &wants, &none, &none, &how).expect("readable");
                let kept: HashSet<_> = {
                    let left: HashSet<_> = ids(&format!("git rev-list c{excluded}")).into_iter().collect();
                    let all = ids("git rev-list c24 c23 c12");
                    all.into_iter().filter(|id| !left.contains(id)).collect()
                };
                let is_cut = |id: &&ObjectId| {
                    !ids(&format!("git rev-parse {id}^@")).iter().all(|parent| kept.contains(parent))
                };
                let mut shallow: Vec<_> = kept.iter().filter(is_cut).copied().collect();
                shallow.sort_unstable();
                assert_eq!(boundary.expect("some are left").shallow, shallow, "without c{excluded}");
            }
        }
    }
}
