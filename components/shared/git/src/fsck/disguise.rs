//! Names that HFS+ and NTFS take for `.git`, `.gitmodules` and the like.

/// A name that some file systems know by other spellings too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Special {
    /// Without the dot, in lower case.
    name: &'static [u8],
    /// What NTFS puts before the `~` of its short name if the usual ones are taken.
    hashed_prefix: &'static [u8; 6],
}

pub(super) const GITMODULES: Special = Special { name: b"gitmodules", hashed_prefix: b"gi7eba" };
pub(super) const GITATTRIBUTES: Special = Special { name: b"gitattributes", hashed_prefix: b"gi7d29" };
pub(super) const GITIGNORE: Special = Special { name: b"gitignore", hashed_prefix: b"gi250a" };
pub(super) const MAILMAP: Special = Special { name: b"mailmap", hashed_prefix: b"maba30" };

/// Whether a name can be any of these at all: a quick look that lets few others through.
pub(super) fn is_suspicious(name: &[u8]) -> bool {
    match name.first() {
        Some(b'.' | b'~' | b'g' | b'G' | b'm' | b'M') => true,
        Some(first) => !first.is_ascii() || name.contains(&b'\\'),
        None => false,
    }
}

/// Whether HFS+ or NTFS takes the name for `.git`.
pub(super) fn is_dotgit(name: &[u8]) -> bool {
    is_hfs(name, b"git") || is_ntfs_dotgit(name)
}

/// Whether NTFS takes the name for `.git`, up to a stream's name or a separator.
pub(super) fn is_ntfs_dotgit(name: &[u8]) -> bool {
    let rest = strip_ignoring_case(name, b".git").or_else(|| strip_ignoring_case(name, b"git~1"));
    rest.is_some_and(|rest| ends_unseen(rest, b"\\/:"))
}

impl Special {
    /// Whether HFS+ or NTFS takes the name for this.
    pub fn is(self, name: &[u8]) -> bool {
        is_hfs(name, self.name) || self.is_ntfs(name)
    }

    /// Whether NTFS takes the name for this.
    pub fn is_ntfs(self, name: &[u8]) -> bool {
        let long = name.strip_prefix(b".").and_then(|rest| strip_ignoring_case(rest, self.name));
        let short = || strip_ignoring_case(name, &self.name[..6]).and_then(strip_number_of_short_name);
        let rest = long.or_else(short).or_else(|| self.strip_hashed(name));
        rest.is_some_and(|rest| ends_unseen(rest, b":"))
    }

    /// A short name of eight characters: the beginning of the hashed prefix, `~`, and a number.
    fn strip_hashed(self, name: &[u8]) -> Option<&[u8]> {
        let (short, rest) = name.split_at_checked(8)?;
        let tilde = short.iter().position(|&byte| byte == b'~').filter(|&at| at <= 6)?;
        let (prefix, number) = (&short[..tilde], &short[tilde + 1..]);
        let is_number = number.first().is_some_and(|first| (b'1'..=b'9').contains(first))
            && number.iter().all(u8::is_ascii_digit);
        (prefix.eq_ignore_ascii_case(&self.hashed_prefix[..tilde]) && is_number).then_some(rest)
    }
}

fn strip_ignoring_case<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = name.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `~1` to `~4`: beyond these NTFS makes hashed names.
fn strip_number_of_short_name(name: &[u8]) -> Option<&[u8]> {
    let (number, rest) = name.split_at_checked(2)?;
    matches!(number, [b'~', b'1'..=b'4']).then_some(rest)
}

/// NTFS does not see spaces and dots at the end, nor what follows one of `ends`.
fn ends_unseen(rest: &[u8], ends: &[u8]) -> bool {
    match rest.iter().find(|&&byte| byte != b' ' && byte != b'.') {
        None => true,
        Some(byte) => ends.contains(byte),
    }
}

/// Whether HFS+, which does not see some characters and the case of letters, takes the name for a
/// dot and `wanted`. What is not UTF-8 ends the name.
fn is_hfs(name: &[u8], wanted: &[u8]) -> bool {
    let valid = match std::str::from_utf8(name) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&name[..error.valid_up_to()]).expect("valid up to there"),
    };
    let mut seen = valid.chars().filter(|character| !is_ignored_by_hfs(*character));
    let is_wanted =
        |character: char, byte: u8| character.is_ascii() && character.to_ascii_lowercase() == byte.into();
    seen.next() == Some('.')
        && wanted.iter().all(|&byte| seen.next().is_some_and(|character| is_wanted(character, byte)))
        && matches!(seen.next(), None | Some('/'))
}

fn is_ignored_by_hfs(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
