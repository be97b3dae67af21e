//! What `export-subst` replaces: `$Format:…$`, with placeholders of git-log(1), "PRETTY FORMATS".
//!
//! An archive follows from its commit alone, so what depends on more than that stays as it stands:
//! names of refs (`%d`, `%D`, `%(describe)`), notes, and how long ago something was. For the same reason
//! an abbreviated id always has seven digits.

use bstr::{BString, ByteSlice as _};
use gix_date::time::{CustomFormat, format};
use lithe_code::repository::{Commit, Signature};

const BEGIN: &[u8] = b"$Format:";

/// How many digits an abbreviated id has.
const ABBREVIATION_DIGITS: usize = 7;

/// The file with its placeholders replaced; none if it has none.
pub fn substitute(file: &[u8], commit: &Commit) -> Option<Vec<u8>> {
    let mut replaced = None::<Vec<u8>>;
    let mut done = 0;
    for begin in file.find_iter(BEGIN) {
        let Some(length) = file[begin..].iter().skip(1).position(|byte| *byte == b'$') else { break };
        if begin < done {
            continue;
        }
        let end = begin + 1 + length;
        let out = replaced.get_or_insert_default();
        out.extend_from_slice(&file[done..begin]);
        expand(out, &file[begin + BEGIN.len()..end], commit);
        done = end + 1;
    }
    replaced.map(|mut out| {
        out.extend_from_slice(&file[done..]);
        out
    })
}

/// Appends a format with its placeholders replaced.
fn expand(out: &mut Vec<u8>, format: &[u8], commit: &Commit) {
    let mut rest = format;
    while let Some(at) = rest.find_byte(b'%') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        match placeholder(&rest[1..], commit) {
            Some((length, value)) => {
                out.extend_from_slice(&value);
                rest = &rest[1 + length..];
            }
            None => {
                out.push(b'%');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
}

/// How long a placeholder is, without its `%`, and what it stands for; none if it is left as it is.
fn placeholder(text: &[u8], commit: &Commit) -> Option<(usize, BString)> {
    let long = |value: String| BString::from(value);
    let value = match *text.first()? {
        b'%' => "%".into(),
        b'n' => "\n".into(),
        b'x' => {
            let byte = u8::from_str_radix(text.get(1..3)?.to_str().ok()?, 16).ok()?;
            return Some((3, [byte].as_slice().into()));
        }
        b'H' => long(commit.id.to_string()),
        b'h' => long(commit.id.to_hex_with_len(ABBREVIATION_DIGITS).to_string()),
        b'T' => long(commit.tree_id.to_string()),
        b't' => long(commit.tree_id.to_hex_with_len(ABBREVIATION_DIGITS).to_string()),
        b'P' => long(parents(commit, usize::MAX)),
        b'p' => long(parents(commit, ABBREVIATION_DIGITS)),
        b's' => subject(&commit.message),
        b'f' => sanitized(first_line(&commit.message)),
        b'b' => body(&commit.message),
        b'B' => commit.message.clone(),
        b'e' => commit.encoding.clone().unwrap_or_default(),
        b'a' => return person(*text.get(1)?, &commit.author).map(|value| (2, value)),
        b'c' => return person(*text.get(1)?, &commit.committer).map(|value| (2, value)),
        _ => return None,
    };
    Some((1, value))
}

fn parents(commit: &Commit, digits: usize) -> String {
    let ids = commit.parent_ids.iter();
    let ids = ids.map(|id| id.to_hex_with_len(digits.min(id.kind().len_in_hex())).to_string());
    ids.collect::<Vec<_>>().join(" ")
}

fn person(field: u8, signature: &Signature) -> Option<BString> {
    let time = gix_date::Time { seconds: signature.seconds, offset: signature.offset };
    let formatted = |format: CustomFormat| time.format(format).ok().map(BString::from);
    match field {
        b'n' | b'N' => Some(signature.name.clone()),
        b'e' | b'E' => Some(signature.email.clone()),
        b'l' | b'L' => signature.email.split_str("@").next().map(BString::from),
        b't' => Some(signature.seconds.to_string().into()),
        b'd' => formatted(format::DEFAULT),
        b'D' => formatted(format::RFC2822),
        b'i' => formatted(format::ISO8601),
        b'I' => formatted(format::ISO8601_STRICT),
        b's' => formatted(format::SHORT),
        _ => None,
    }
}

/// The lines up to the first empty one, as one line.
fn subject(message: &[u8]) -> BString {
    let lines = message.lines().skip_while(|line| line.trim().is_empty());
    let lines: Vec<&[u8]> = lines.take_while(|line| !line.trim().is_empty()).map(<[u8]>::trim_end).collect();
    bstr::join(" ", lines).into()
}

/// What follows the subject and the empty lines behind it.
fn body(message: &[u8]) -> BString {
    let lines = message.lines_with_terminator().skip_while(|line| line.trim().is_empty());
    let lines = lines.skip_while(|line| !line.trim().is_empty()).skip_while(|line| line.trim().is_empty());
    bstr::concat(lines).into()
}

fn first_line(message: &[u8]) -> &[u8] {
    message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

/// A line as a part of a file name: whatever is not a letter, digit, `.` or `_` becomes one `-`.
fn sanitized(line: &[u8]) -> BString {
    let mut name = BString::default();
    for byte in line {
        let is_kept = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
        match is_kept {
            true if *byte == b'.' && name.ends_with(b".") => {}
            true => name.push(*byte),
            false if name.is_empty() || name.ends_with(b"-") => {}
            false => name.push(b'-'),
        }
    }
    while name.ends_with(b".") || name.ends_with(b"-") {
        name.pop();
    }
    name
}
