//! The lines that say who and when: `Name <mail> seconds zone`.

use super::message::{self, Message};

/// Checks the rest of an `author`, `committer` or `tagger` line, and takes it from the front of `rest`.
pub(super) fn take(rest: &mut &[u8]) -> Result<(), &'static Message> {
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let line = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    let mark = |text: &[u8]| text.iter().position(|byte| b"<>".contains(byte));
    if line.starts_with(b"<") {
        return Err(&message::MISSING_NAME_BEFORE_EMAIL);
    }
    let open = mark(line).ok_or(&message::MISSING_EMAIL)?;
    if line[open] == b'>' {
        return Err(&message::BAD_NAME);
    }
    if line[open - 1] != b' ' {
        return Err(&message::MISSING_SPACE_BEFORE_EMAIL);
    }
    let after = &line[open + 1..];
    let close = mark(after).filter(|&at| after[at] == b'>').ok_or(&message::BAD_EMAIL)?;
    date(after[close + 1..].strip_prefix(b" ").ok_or(&message::MISSING_SPACE_BEFORE_DATE)?)
}

fn date(text: &[u8]) -> Result<(), &'static Message> {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(len);
    if digits.starts_with(b"0") && text.get(1) != Some(&b' ') {
        return Err(&message::ZERO_PADDED_DATE);
    }
    let seconds = digits
        .iter()
        .try_fold(0_i64, |seconds, digit| seconds.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
    if seconds.is_none() {
        return Err(&message::BAD_DATE_OVERFLOW);
    }
    let zone = rest.strip_prefix(b" ").filter(|_| len > 0).ok_or(&message::BAD_DATE)?;
    match zone {
        [b'+' | b'-', digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(&message::BAD_TIMEZONE),
    }
}
