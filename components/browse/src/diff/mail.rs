//! Commits as mails that `git am` takes (git-format-patch(1)).
//!
//! A message cannot pass for more than it is: a line of it that would begin another mail, the patch or a
//! head of a mail is moved in by a space.

use super::patch::Patch;
use bstr::{BStr, ByteSlice as _};
use lithe_code::repository::{Commit, Signature};
use std::fmt::Write as _;

/// The longest encoded word, in characters (RFC 2047, section 2).
const ENCODED_WORD_MAX: usize = 75;

/// The place of a mail among others: the second of three is `(2, 3)`.
pub type Place = (usize, usize);

/// Appends a commit and what it changed.
pub fn push(mails: &mut Vec<u8>, commit: &Commit, place: Place, patch: &Patch) {
    mails.extend_from_slice(head(commit, place).as_bytes());
    mails.extend_from_slice(&patch.bytes);
    mails.extend_from_slice(b"-- \nLithe\n\n");
}

/// All that stands above the patch.
fn head(commit: &Commit, (number, count): Place) -> String {
    let message = commit.text();
    let message = message.trim_start();
    // The title is the first paragraph, on one line.
    let (title, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let title = title.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let series = if count > 1 { format!("[PATCH {number}/{count}]") } else { "[PATCH]".to_owned() };
    let mut head = format!("From {} Mon Sep 17 00:00:00 2001\n", commit.id);
    let date = lithe_web::time::mail_date(commit.author.seconds, commit.author.offset);
    let written = [
        writeln!(head, "From: {}", person(&commit.author)),
        writeln!(head, "Date: {date}"),
        writeln!(head, "Subject: {series} {}", encoded(&without_controls(&title))),
        writeln!(head, "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8"),
        writeln!(head, "Content-Transfer-Encoding: 8bit\n"),
    ];
    written.into_iter().for_each(|result| result.expect("a string takes it"));
    push_body(&mut head, body);
    head.push_str("---\n\n");
    head
}

fn push_body(head: &mut String, body: &str) {
    let mut is_at_top = true;
    for line in body.trim_matches('\n').trim_end().lines() {
        let begins = |words: &[&str]| {
            words
                .iter()
                .any(|word| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
        };
        is_at_top &= line.trim().is_empty() || begins(&["From:", "Date:", "Subject:", ">From", "[PATCH]"]);
        let is_moved =
            begins(&["From ", "diff -", "Index: ", "---"]) || (is_at_top && !line.trim().is_empty());
        head.push_str(if is_moved { " " } else { "" });
        head.push_str(line);
        head.push('\n');
    }
}

fn person(signature: &Signature) -> String {
    let name = without_controls(&signature.name.to_str_lossy());
    let special = |c: char| "()<>[]:;@\\,.\"".contains(c);
    let name = match name.trim() {
        name if !name.is_ascii() => encoded(name),
        name if name.contains(special) => {
            format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        name => name.to_owned(),
    };
    format!("{name} <{}>", address(signature.email.as_bstr()))
}

fn address(email: &BStr) -> String {
    without_controls(&email.to_str_lossy()).replace(['<', '>'], "")
}

fn without_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text in a head: as it is, or in encoded words if it is not ASCII (RFC 2047, section 4.2).
fn encoded(text: &str) -> String {
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    const START: &str = "=?UTF-8?q?";
    let mut words = String::from(START);
    let mut length = START.len();
    for character in text.chars() {
        let mut bytes = [0; 4];
        let mut piece = String::new();
        for byte in character.encode_utf8(&mut bytes).bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => piece.push(char::from(byte)),
                _ => write!(piece, "={byte:02X}").expect("a string takes it"),
            }
        }
        if length + piece.len() + "?=".len() > ENCODED_WORD_MAX {
            words.push_str("?=\n ");
            words.push_str(START);
            length = START.len();
        }
        length += piece.len();
        words.push_str(&piece);
    }
    words.push_str("?=");
    words
}
