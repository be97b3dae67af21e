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

/// The file with its placeholders replaced; none if it has none, or if replacing them makes, and reads
/// of the message, more than `left` bytes. What it took is taken from `left`.
pub fn substitute(file: &[u8], commit: &Commit, left: &mut u64) -> Option<Vec<u8>> {
    let mut replaced = None::<Vec<u8>>;
    let mut done = 0;
    for begin in file.find_iter(BEGIN) {
        let Some(length) = file[begin..].iter().skip(1).position(|byte| *byte == b'$') else { break };
        if begin < done {
            continue;
        }
        let end = begin + 1 + length;
        let out = replaced.get_or_insert_default();
        append(out, &file[done..begin], left)?;
        expand(out, &file[begin + BEGIN.len()..end], commit, left)?;
        done = end + 1;
    }
    let mut out = replaced?;
    append(&mut out, &file[done..], left)?;
    Some(out)
}

/// Appends bytes, if there is room for them.
fn append(out: &mut Vec<u8>, bytes: &[u8], left: &mut u64) -> Option<()> {
    take(left, bytes.len())?;
    out.extend_from_slice(bytes);
    Some(())
}

/// Takes so many bytes, all that is left if that is less; none then.
fn take(left: &mut u64, bytes: usize) -> Option<()> {
    let rest = left.checked_sub(bytes as u64);
    *left = rest.unwrap_or_default();
    rest.map(drop)
}

/// Appends a format with its placeholders replaced, if there is room for that.
fn expand(out: &mut Vec<u8>, format: &[u8], commit: &Commit, left: &mut u64) -> Option<()> {
    let mut rest = format;
    while let Some(at) = rest.find_byte(b'%') {
        append(out, &rest[..at], left)?;
        rest = &rest[at + 1..];
        if matches!(rest.first(), Some(b's' | b'f' | b'b' | b'B')) {
            take(left, commit.message.len())?;
        }
        match placeholder(rest, commit) {
            Some((length, value)) => {
                append(out, &value, left)?;
                rest = &rest[length..];
            }
            None => append(out, b"%", left)?,
        }
    }
    append(out, rest, left)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_past_a_limit_is_left_as_it_is() {
        let id = gix_hash::ObjectId::null(gix_hash::Kind::Sha1);
        let by = Signature { name: "A".into(), email: "a@example.org".into(), seconds: 0, offset: 0 };
        let commit = |message: &[u8]| Commit {
            id,
            tree_id: id,
            parent_ids: Vec::new(),
            author: by.clone(),
            committer: by.clone(),
            message: message.into(),
            encoding: None,
        };
        let long = commit(&[b'm'; 1000]);
        let blank = commit(&[b'\n'; 1000]);
        // Of a message, what is read counts as well as what is written.
        let cases: [(&[u8], &Commit, u64, usize); 4] = [
            (b"a$Format:%B%B$b", &long, 4002, 2002),
            (b"a$Format:%s$b", &blank, 1002, 2),
            (b"a$Format:%H$b", &blank, 42, 42),
            (b"a$Format:%%x$b", &blank, 4, 4),
        ];
        for (file, commit, bytes, length) in cases {
            let (mut at, mut past) = (bytes, bytes - 1);
            let replaced = substitute(file, commit, &mut at).map(|replaced| replaced.len());
            assert_eq!((replaced, at), (Some(length), 0), "{}", file.as_bstr());
            assert_eq!(substitute(file, commit, &mut past), None, "{}", file.as_bstr());
        }
        let bomb = [b"$Format:".as_slice(), &b"%B".repeat(1 << 20), b"$"].concat();
        let mut left = 1 << 20;
        assert_eq!((substitute(&bomb, &long, &mut left), left), (None, 0));
    }
}
