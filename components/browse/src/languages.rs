//! The languages of a tree, by the sizes of its files.
//!
//! To know them, the size of every file has to be looked up. So a view does a part, within a budget, and
//! keeps it under the id of the tree with the directories that are left; the next view goes on from there.
//! What is kept follows from the tree alone.

use crate::cache::{Cache, Key};
use crate::limits::{LANGUAGES_LEFT_MAX, LANGUAGES_SHOWN_MAX, LANGUAGES_TIME_MAX};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::attributes;
use lithe_code::languages::is_vendored_directory;
use lithe_code::marks::FileMarks;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_web::address::{decode, encode_path};
use lithe_web::{Text, t};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// A language's part of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: Text,
    pub bytes: u64,
    /// `12.3 %`.
    pub percent: Text,
    /// Where it begins and how long it is in a bar of 1,000.
    pub start: u64,
    pub width: u64,
}

/// The languages of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Languages {
    /// The largest first; `Other` at the end stands for the rest.
    pub parts: Vec<Part>,
    /// Whether all of the tree was looked at.
    pub is_complete: bool,
}

/// How many bytes of each language are in a tree, found a part at a time: from nothing, or from another tree whose
/// bytes are known, by what differs between the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many bytes there are, once nothing is left.
    pub bytes: BTreeMap<String, u64>,
    /// The trees; empty: none.
    before: String,
    after: String,
    left: Vec<Left>,
    /// Whether there are more directories than are looked at.
    pub is_cut: bool,
}

/// A directory that is still to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    /// The path, encoded as in an address; empty, or with a slash at its end.
    path: String,
    /// The ids of the directories in the two trees, as far as they are there.
    before: String,
    after: String,
    /// Whether what stands above says other things of the same files than before.
    is_said_anew: bool,
}

/// A directory in both trees.
struct Pair {
    path: BString,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    is_said_anew: bool,
}

fn id(text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(text.as_bytes()).ok()
}

fn text(id: Option<ObjectId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

impl Tally {
    /// Nothing found yet of a tree.
    pub fn of_tree(tree_id: &ObjectId) -> Self {
        Self::between(BTreeMap::new(), None, tree_id)
    }

    /// The bytes of a tree, of which those of another one are known.
    pub fn between(bytes: BTreeMap<String, u64>, before: Option<ObjectId>, after: &ObjectId) -> Self {
        let (before, after) = (text(before), after.to_string());
        let whole =
            Left { path: String::new(), before: before.clone(), after: after.clone(), is_said_anew: false };
        Self { bytes, before, after, left: vec![whole], is_cut: false }
    }

    /// Whether all was looked at.
    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// Looks at directories until none is left, or the time is over; at one at least.
    pub fn advance(&mut self, repository: Repository<'_>, until: Instant) -> Result<(), Error> {
        let marks = |tree: &str| id(tree).map(|id| FileMarks::new(repository, &id)).transpose();
        let (mut before, mut after) = (marks(&self.before)?, marks(&self.after)?);
        while let Some(left) = self.left.pop() {
            let path = decode(&left.path).map(BString::from).unwrap_or_default();
            let pair = Pair {
                path,
                before: id(&left.before),
                after: id(&left.after),
                is_said_anew: left.is_said_anew,
            };
            self.look_at(repository, pair, (&mut before, &mut after))?;
            if Instant::now() >= until {
                break;
            }
        }
        Ok(())
    }

    fn look_at<'a>(
        &mut self,
        repository: Repository<'a>,
        pair: Pair,
        (before_marks, after_marks): (&mut Option<FileMarks<'a>>, &mut Option<FileMarks<'a>>),
    ) -> Result<(), Error> {
        let entries = |id: Option<ObjectId>| id.map_or_else(|| Ok(Vec::new()), |id| repository.tree(&id));
        let (before, after) = (entries(pair.before)?, entries(pair.after)?);
        let said = |entries: &[Entry]| {
            entries.iter().find(|entry| entry.name == attributes::FILE_NAME).map(|entry| entry.id)
        };
        let is_said_anew = pair.is_said_anew || said(&before) != said(&after);
        let mut of_name: HashMap<&BStr, (Option<&Entry>, Option<&Entry>)> = HashMap::new();
        for entry in &before {
            of_name.entry(entry.name.as_bstr()).or_default().0 = Some(entry);
        }
        for entry in &after {
            of_name.entry(entry.name.as_bstr()).or_default().1 = Some(entry);
        }
        for (name, (old, new)) in of_name {
            if old == new && !is_said_anew {
                continue;
            }
            let path = BString::from([pair.path.as_slice(), name].concat());
            self.directory(&path, (old, new), is_said_anew);
            for (entry, marks, is_new) in [(old, &mut *before_marks, false), (new, &mut *after_marks, true)] {
                if let (Some(entry), Some(marks)) = (entry, marks) {
                    self.file(repository, path.as_bstr(), entry, marks, is_new)?;
                }
            }
        }
        Ok(())
    }

    /// Notes a directory to be looked at later; not one of what others wrote, whatever is said of single files in it.
    fn directory(
        &mut self,
        path: &BString,
        (old, new): (Option<&Entry>, Option<&Entry>),
        is_said_anew: bool,
    ) {
        let tree = |entry: Option<&Entry>| entry.filter(|entry| entry.is_tree()).map(|entry| entry.id);
        let (before, after) = (tree(old), tree(new));
        let name = path.rsplit_str("/").next().unwrap_or_default();
        if (before.is_none() && after.is_none()) || is_vendored_directory(name) {
            return;
        }
        if self.left.len() >= LANGUAGES_LEFT_MAX {
            self.is_cut = true;
            return;
        }
        let path = format!("{}/", encode_path(path));
        self.left.push(Left { path, before: text(before), after: text(after), is_said_anew });
    }

    /// Adds the bytes of a file to those of its language, or takes them away.
    fn file(
        &mut self,
        repository: Repository<'_>,
        path: &BStr,
        entry: &Entry,
        marks: &mut FileMarks<'_>,
        is_new: bool,
    ) -> Result<(), Error> {
        if !matches!(entry.mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable) {
            return Ok(());
        }
        let marks = marks.of(path)?;
        let Some(language) = marks.language.filter(|_| marks.is_counted) else { return Ok(()) };
        let size = repository.header(&entry.id)?.1;
        let bytes = self.bytes.entry(language.name.to_owned()).or_default();
        *bytes = if is_new { bytes.saturating_add(size) } else { bytes.saturating_sub(size) };
        Ok(())
    }
}

impl Languages {
    /// Finds the languages of the tree, or goes on finding them.
    pub fn find(cache: &dyn Cache, repository: Repository<'_>, tree_id: &ObjectId) -> Result<Self, Error> {
        let key = Key::new(&[b"languages", tree_id.as_bytes()]);
        let kept = cache.get(&key).and_then(|kept| serde_json::from_str::<Tally>(&kept).ok());
        let mut tally = kept.unwrap_or_else(|| Tally::of_tree(tree_id));
        if !tally.is_done() {
            tally.advance(repository, Instant::now() + LANGUAGES_TIME_MAX)?;
            if let Ok(text) = serde_json::to_string(&tally) {
                cache.put(&key, &text);
            }
        }
        Ok(Self { is_complete: tally.is_done() && !tally.is_cut, parts: parts(&tally.bytes) })
    }
}

/// The largest parts of a whole, and the rest as one.
fn parts(bytes: &BTreeMap<String, u64>) -> Vec<Part> {
    let mut all: Vec<(Text, u64)> = bytes.iter().map(|(name, bytes)| (name.into(), *bytes)).collect();
    all.retain(|(_, bytes)| *bytes > 0);
    all.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let total: u64 = all.iter().map(|(_, bytes)| bytes).sum();
    if all.len() > LANGUAGES_SHOWN_MAX {
        let rest = all.split_off(LANGUAGES_SHOWN_MAX - 1).iter().map(|(_, bytes)| bytes).sum();
        all.push((t("Other"), rest));
    }
    let thousandths =
        |bytes: u64| u64::try_from(u128::from(bytes) * 1_000 / u128::from(total.max(1))).unwrap_or(1_000);
    let mut before = 0;
    let part = |(name, bytes): (Text, u64)| {
        let (start, end) = (thousandths(before), thousandths(before + bytes));
        before += bytes;
        Part { name, bytes, percent: Text::share(bytes, total), start, width: end - start }
    };
    all.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        let bytes: BTreeMap<String, u64> =
            (1..=20).map(|number| (format!("L{number:02}"), number * 7)).collect();
        let parts = parts(&bytes);
        assert_eq!(parts.len(), LANGUAGES_SHOWN_MAX);
        assert_eq!(
            (&parts[0].name, &parts[LANGUAGES_SHOWN_MAX - 1].name),
            (&Text::verbatim("L20"), &t("Other"))
        );
        assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 7 * 210);
        let end = parts.iter().fold(0, |end, part| {
            assert_eq!(part.start, end);
            end + part.width
        });
        assert_eq!(end, 1_000);
        assert!(super::parts(&BTreeMap::new()).is_empty());
    }
}
