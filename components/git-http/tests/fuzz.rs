//! The parsers of what clients send, fed with damaged recordings of what stock `git` sends, and those of
//! what lies in the cache.

use git_http::receive_pack::request::Reader;
use git_http::upload_pack::{Bundle, NoBundle, Reply, Version, serve};
use lithe_fuzz::fuzz;
use lithe_git::format::ObjectFormat;
use lithe_git::odb::{Store, delta};
use lithe_git::pack::delta::{BlockIndex, encode};
use lithe_git::pack::{Recipe, Replay};
use lithe_git::pkt_line::Lines;
use std::process::Command;

/// The repository that the recordings are about; its ids are the same wherever it is made.
const HISTORY: &str = r#"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main work && cd work
for n in 1 2 3 4; do mkdir -p dir && seq $n 40 > dir/list && echo $n > file && git add . && git commit -qm $n; done
git tag -am one v1 main~2 && git branch side main~1
git clone -q --bare . ../server.git && git -C ../server.git gc -q
"#;

#[test]
fn requests_to_upload_pack() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let made = Command::new("sh").args(["-ec", HISTORY]).current_dir(place.path()).status();
    assert!(made.expect("sh starts").success());
    let (git_dir, cache) = (place.path().join("server.git"), place.path().join("none"));
    fuzz("upload-pack", |request| {
        for version in [Version::V0, Version::V2] {
            let mut answer = Vec::new();
            match serve(&git_dir, &cache, version, request) {
                Reply::Bytes(bytes) => answer = bytes,
                Reply::Pack(mut body) => {
                    while let Some(piece) = body.next_piece().expect("the repository is sound") {
                        answer.extend_from_slice(&piece);
                    }
                }
            }
            // Whatever was asked, the answer is sound; a pack may come without a frame.
            let mut lines = Lines::new(&answer);
            while !lines.rest().starts_with(b"PACK") && lines.line().expect("sound pkt-lines").is_some() {}
        }
    });
}

#[test]
fn names_of_refs_for_bundles() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let made = Command::new("sh").args(["-ec", HISTORY]).current_dir(place.path()).status();
    assert!(made.expect("sh starts").success());
    let (git_dir, cache) = (place.path().join("server.git"), place.path().join("none"));
    fuzz("bundle", |name| match Bundle::of(&git_dir, Some(name.into())) {
        Ok(bundle) => {
            assert!(bundle.etag().expect("the repository is sound").is_ascii());
            let mut body = bundle.into_body(&cache).expect("the repository is sound");
            let mut bytes = Vec::new();
            while let Some(piece) = body.next_piece().expect("the repository is sound") {
                bytes.extend_from_slice(&piece);
            }
            assert!(bytes.starts_with(b"# v2 git bundle\n") && bytes.windows(6).any(|at| at == b"\n\nPACK"));
        }
        Err(error) => assert!(matches!(error, NoBundle::UnknownRef), "{error}"),
    });
}

#[test]
fn requests_to_receive_pack() {
    /// What is read, and how much of the bytes that took.
    fn read(bytes: &[u8], piece_len: usize) -> Result<(String, usize), String> {
        let mut reader = Reader::new(ObjectFormat::Sha1);
        let mut used = 0;
        for piece in bytes.chunks(piece_len) {
            used += reader.read(piece).map_err(|error| error.to_string())?;
        }
        let request = reader.finish().map_err(|error| error.to_string())?;
        Ok((format!("{request:?}"), used))
    }
    fuzz("receive-pack", |request| {
        let whole = read(request, request.len().max(1));
        assert!(whole.as_ref().is_ok_and(|(_, used)| *used <= request.len()) || whole.is_err());
        for piece_len in [1, 7] {
            assert_eq!(read(request, piece_len), whole);
        }
    });
}

#[test]
fn recipes() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let made = Command::new("sh").args(["-ec", HISTORY]).current_dir(place.path()).status();
    assert!(made.expect("sh starts").success());
    let store = Store::open(&place.path().join("server.git")).expect("it is sound");
    fuzz("recipe", |bytes| {
        let Some(recipe) = Recipe::from_bytes(&store, bytes) else { return };
        assert_eq!(recipe.to_bytes(), bytes);
        let (len, has_checksum) = (recipe.pack_len(), recipe.has_checksum());
        let mut replay = Replay::new(&store, recipe);
        let mut made = Vec::new();
        while replay.fill(&store, &mut made, len as usize + 21).expect("it was checked") {}
        assert_eq!(made.len() as u64, if has_checksum { len } else { len + 20 });
    });
}

#[test]
fn deltas_that_are_made() {
    let text: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    fuzz("delta", |bytes| {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let mixed = [&text[..700], first, &text[900..2_000], second, first].concat();
        for (base, target) in
            [(&text[..], bytes), (bytes, &text), (first, second), (&text, &mixed), (&mixed, bytes)]
        {
            let index = BlockIndex::new(base).expect("it is small");
            let made = encode(&index, base, target, usize::MAX / 2).expect("there is no limit");
            let mut result = Vec::new();
            delta::apply(base, &made, &mut result).expect("a sound delta");
            assert_eq!(result, target);
        }
    });
}
