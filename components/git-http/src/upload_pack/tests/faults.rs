//! Fetches from disks that fail, and from repositories whose shortcuts tell of what is not there.

use super::*;
use lithe_git::faults::{ReadFault, failing_reads, sealed};
use lithe_git::format::ObjectFormat;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// An index over two packs, with bitmaps.
const WITH_MULTI_PACK_BITMAPS: &str = "
cd server.git && git rev-list --objects --no-object-names main~5 | git pack-objects -q objects/pack/pack &&
(git rev-parse --all --not main~5 && echo --not && git rev-parse main~5) | git pack-objects -q --revs objects/pack/pack > /dev/null &&
git prune-packed && git multi-pack-index write --bitmap && git commit-graph write --reachable";

const SHALLOW: &str = "
rm -rf server.git && git clone -q --bare --depth=3 --no-single-branch file://$PWD/work server.git";

/// What a client makes of a response.
#[derive(Debug, PartialEq, Eq)]
enum Received {
    /// The lines before the pack, and the pack.
    Whole(Vec<String>, Vec<u8>),
    /// It was told why there is none, or that it has not all of it.
    Failed(String),
    /// The response ended before it should.
    Cut,
}

/// A request, with what the client has.
struct Asked {
    version: Version,
    bytes: Vec<u8>,
    has: String,
    needed: BTreeSet<String>,
}

impl Asked {
    /// A clone, a fetch and a shallow clone, by version 2, and a fetch that has no word for failure.
    fn of(place: &Place) -> Vec<Self> {
        let [main, have] = ["main", "main~2"].map(|revision| place.id(revision));
        let all = place.shell("git -C server.git rev-parse --all");
        let mut clone: Vec<String> = all.lines().map(|id| format!("want {id}")).collect();
        clone.extend(arguments(&["ofs-delta", "done"]));
        let fetch = [format!("want {main}"), format!("have {have}"), "thin-pack".into(), "done".into()];
        let shallow = [format!("want {main}"), "deepen 2".into(), "done".into()];
        let v2 = |words: &[String], has: &str, needed: &str| Self {
            version: Version::V2,
            bytes: v2_request("fetch", words),
            has: has.to_owned(),
            needed: if needed.is_empty() { BTreeSet::new() } else { place.rev_list(needed) },
        };
        let mut unframed = Vec::new();
        pkt_line::write_text(&mut unframed, format_args!("want {main} ofs-delta\n"));
        pkt_line::flush(&mut unframed);
        pkt_line::write_text(&mut unframed, format_args!("have {have}\n"));
        pkt_line::write(&mut unframed, b"done\n");
        vec![
            v2(&clone, "", "--all"),
            v2(&fetch, &have, "main --not main~2"),
            v2(&shallow, "", ""),
            Self { version: Version::V0, bytes: unframed, ..v2(&fetch, &have, "main --not main~2") },
        ]
    }

    fn receive(&self, place: &Place) -> Received {
        let (git_dir, cache_dir) = (place.root.path().join("server.git"), place.root.path().join("cache"));
        // Whoever came before may have left word of what the pack consists of.
        let _ = fs::remove_dir_all(&cache_dir);
        let (mut bytes, mut failure) = (Vec::new(), None);
        match super::super::serve(&git_dir, &cache_dir, self.version, &self.bytes) {
            Reply::Bytes(all) => bytes = all,
            Reply::Pack(mut body) => loop {
                match body.next_piece() {
                    Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                    Ok(None) => break,
                    Err(error) => {
                        failure = Some(error.to_string());
                        break;
                    }
                }
            },
        }
        match self.version {
            Version::V2 => by_lines(&bytes),
            _ => failure.map_or_else(|| unframed(&bytes), Received::Failed),
        }
    }
}

/// As a client takes it that reads lines of version 2.
fn by_lines(bytes: &[u8]) -> Received {
    let mut lines = Lines::new(bytes);
    let (mut told, mut pack, mut is_pack) = (Vec::new(), Vec::new(), false);
    while let Some(line) = lines.line().expect("sound pkt-lines") {
        match line {
            Line::Data([1, data @ ..]) if is_pack => pack.extend_from_slice(data),
            Line::Data([2, ..]) if is_pack => {}
            Line::Data([3, words @ ..]) if is_pack => {
                return Received::Failed(String::from_utf8_lossy(words).into());
            }
            Line::Data(b"packfile\n") => is_pack = true,
            Line::Flush if is_pack => return Received::Whole(told, pack),
            line => {
                let text = line.text().map_or_else(String::new, |text| String::from_utf8_lossy(text).into());
                if text.starts_with("ERR ") {
                    return Received::Failed(text);
                }
                told.push(text);
            }
        }
    }
    Received::Cut
}

/// As a client takes it that asked for no side band: the connection is all that tells of failure.
fn unframed(bytes: &[u8]) -> Received {
    let mut lines = Lines::new(bytes);
    match lines.line().expect("a sound pkt-line").and_then(|line| line.text().map(<[u8]>::to_vec)) {
        Some(text) if text.starts_with(b"ERR ") => Received::Failed(String::from_utf8_lossy(&text).into()),
        Some(text) => Received::Whole(vec![String::from_utf8_lossy(&text).into()], lines.rest().to_vec()),
        None => Received::Cut,
    }
}

/// Lets `git` judge packs, each once.
#[derive(Default)]
struct Judge(HashMap<Vec<u8>, Result<(), String>>);

impl Judge {
    /// Fails with words if a pack has not all that is needed.
    fn check(&mut self, place: &Place, asked: &Asked, pack: &[u8]) -> Result<(), String> {
        let judge = || match place.try_index(pack, &asked.has) {
            None => Err("git does not take it".to_owned()),
            Some(got) => match asked.needed.difference(&got).next() {
                None => Ok(()),
                Some(id) => Err(format!("it lacks {id}")),
            },
        };
        self.0.entry(pack.to_vec()).or_insert_with(judge).clone()
    }
}

#[test]
fn any_read_may_fail_in_a_fetch() {
    for storage in [STORAGES[1], WITH_BITMAPS, STORAGES[6], WITH_MULTI_PACK_BITMAPS, SHALLOW] {
        let place = Place::new(storage);
        for (number, asked) in Asked::of(&place).iter().enumerate() {
            let Received::Whole(sound, _) = asked.receive(&place) else { panic!("{storage}: it is sound") };
            let (mut judge, mut failed) = (Judge::default(), 0);
            for fault in ReadFault::ALL {
                // All of the first ones, and some of those that follow.
                for first in (0..20).chain((20..).step_by(5)) {
                    let (received, has_struck) = failing_reads(fault, first, || asked.receive(&place));
                    let context = format!("{storage}: request {number}, {fault:?} at read {first}");
                    match received {
                        Received::Whole(lines, pack) => {
                            assert_eq!(lines, sound, "{context}");
                            assert_eq!(judge.check(&place, asked, &pack), Ok(()), "{context}");
                        }
                        Received::Failed(_) => failed += 1,
                        Received::Cut => panic!("{context}: nothing is told"),
                    }
                    if !has_struck {
                        break;
                    }
                }
            }
            assert!(failed > 0, "{storage}: request {number}: what cannot be read is not sent");
        }
    }
}

#[test]
fn any_read_may_fail_in_a_listing_of_refs() {
    for storage in
        ["rm server.git/packed-refs; git -C work push -q --mirror ../server.git", STORAGES[0], SHALLOW]
    {
        let place = Place::new(storage);
        let git_dir = place.root.path().join("server.git");
        let list = v2_request("ls-refs", &arguments(&["peel", "symrefs"]));
        let answers: [&dyn Fn() -> Vec<u8>; 3] =
            [&|| place.serve(Version::V2, &list), &|| advertise(&git_dir, Version::V0), &|| {
                advertise(&git_dir, Version::V2)
            }];
        for (number, answer) in answers.iter().enumerate() {
            let sound = answer();
            for fault in ReadFault::ALL {
                for first in 0.. {
                    let (bytes, has_struck) = failing_reads(fault, first, answer);
                    let is_told = bytes[4..].starts_with(b"ERR ");
                    let context = format!("{storage}: listing {number}, {fault:?} at read {first}");
                    assert!(is_told || bytes == sound, "{context}: {}", String::from_utf8_lossy(&bytes));
                    if !has_struck {
                        break;
                    }
                }
            }
        }
    }
}

/// The shortcuts of a repository.
fn shortcuts(place: &Place) -> Vec<PathBuf> {
    let found = place.shell("find server.git/objects -name '*.rev' -o -name '*.bitmap' -o -name 'multi-pack-index' -o -name commit-graph");
    found.lines().map(|name| place.root.path().join(name)).collect()
}

#[test]
fn a_shortcut_that_tells_of_what_is_not_there_is_passed_over() {
    for storage in [WITH_BITMAPS, WITH_MULTI_PACK_BITMAPS] {
        let place = Place::new(storage);
        let requests = Asked::of(&place);
        let mut judges: Vec<Judge> = requests.iter().map(|_| Judge::default()).collect();
        for path in shortcuts(&place) {
            let bytes = fs::read(&path).expect("readable");
            place.shell(&format!("chmod +w {}", path.display()));
            // Behind the signature, a number after the other becomes larger than anything that there is.
            for at in (8..bytes.len() - 20 - 4).step_by(4) {
                let mut wrong = bytes.clone();
                wrong[at..at + 4].fill(0xff);
                fs::write(&path, sealed(&wrong, ObjectFormat::Sha1)).expect("written");
                let received = Vec::from_iter(requests.iter().map(|asked| asked.receive(&place)));
                // `git`, which judges, would believe it.
                fs::write(&path, &bytes).expect("written");
                for ((asked, judge), received) in requests.iter().zip(&mut judges).zip(received) {
                    let context = format!("{storage}: {} at {at}", path.display());
                    match received {
                        Received::Whole(_, pack) => {
                            assert_eq!(judge.check(&place, asked, &pack), Ok(()), "{context}");
                        }
                        // What is wrong with the order of entries may show on the way.
                        Received::Failed(words) if path.extension().is_some_and(|kind| kind == "rev") => {
                            assert!(
                                words.contains("the order of its entries is damaged"),
                                "{context}: {words}"
                            );
                        }
                        other => panic!("{context}: {other:?}"),
                    }
                }
            }
        }
    }
}
