//! The syntax of git-config(1), "Syntax", which `.gitmodules` has too. Nothing is included from
//! elsewhere (`include.path`): what lies outside of a repository is none of a component's.

use crate::odb::Error;
use bstr::ByteSlice;
use std::path::Path;

/// `[section "subsection"] key = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// In lower case.
    pub section: String,
    pub subsection: Option<Vec<u8>>,
    /// In lower case.
    pub key: String,
    /// None: the key stands alone, which is to say yes.
    pub value: Option<Vec<u8>>,
}

/// The settings of a repository, in the order they are written in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config(Vec<Setting>);

impl Config {
    /// Reads the `config` of the repository at `git_dir`; of one that has none, nothing.
    ///
    /// Fails with [`Error::DamagedFile`] if it cannot be understood to its end, and
    /// [`Error::Unsupported`] if it is too large: what it forbids would not be known.
    pub fn read(git_dir: &Path) -> Result<Self, Error> {
        let bytes = crate::format::read_config(git_dir)?;
        let reason = "its syntax is not that of a config";
        Self::parse(&bytes).ok_or(Error::DamagedFile { file: "config".into(), reason })
    }

    /// None: it cannot be understood to its end.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut settings = Vec::new();
        each_setting(text, |setting| settings.push(setting.clone()))?;
        Some(Self(settings))
    }

    /// Every setting.
    pub fn all(&self) -> &[Setting] {
        &self.0
    }

    /// Whether the last setting of that section and key says yes; none: there is none, or it says neither.
    pub fn is_set(&self, section: &str, key: &str) -> Option<bool> {
        let (_, _, value) = self.settings().filter(|(of, name, _)| (*of, *name) == (section, key)).last()?;
        match value.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"true" | b"yes" | b"on" | b"1") => Some(true),
            Some(b"" | b"false" | b"no" | b"off" | b"0") => Some(false),
            Some(_) => None,
        }
    }

    /// The settings of sections without a subsection, by section and key, both in lower case.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str, Option<&[u8]>)> {
        let plain = self.0.iter().filter(|setting| setting.subsection.is_none());
        plain.map(|setting| (&setting.section[..], &setting.key[..], setting.value.as_deref()))
    }
}

/// Calls `visit` with every setting; none if the text cannot be understood to its end.
pub(crate) fn each_setting(text: &[u8], mut visit: impl FnMut(&Setting)) -> Option<()> {
    let mut parser = Parser { rest: text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text) };
    // What comes before the first section is in none.
    let mut section: (String, Option<Vec<u8>>) = Default::default();
    loop {
        parser.skip(|byte| byte.is_ascii_whitespace());
        match parser.rest.first() {
            None => return Some(()),
            Some(b'#' | b';') => parser.skip(|byte| byte != b'\n'),
            Some(b'[') => section = parser.section()?,
            Some(_) => {
                let (key, value) = parser.setting()?;
                let (section, subsection) = section.clone();
                visit(&Setting { section, subsection, key, value });
            }
        }
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn skip(&mut self, while_: impl Fn(u8) -> bool) {
        let len = self.rest.iter().take_while(|byte| while_(**byte)).count();
        self.rest = &self.rest[len..];
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// Reads `[section]`, `[section "subsection"]` or the old form `[section.subsection]`.
    fn section(&mut self) -> Option<(String, Option<Vec<u8>>)> {
        self.next();
        let start = self.rest;
        self.skip(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let section = &start[..start.len() - self.rest.len()];
        let lower = |name: &[u8]| String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned();
        match self.next()? {
            b']' => {
                return Some(match section.split_once_str(".") {
                    Some((section, subsection)) => (lower(section), Some(subsection.to_ascii_lowercase())),
                    None => (lower(section), None),
                });
            }
            b' ' | b'\t' => {}
            _ => return None,
        }
        self.skip(|byte| b" \t".contains(&byte));
        if self.next()? != b'"' {
            return None;
        }
        let mut name = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\n' => return None,
                b'\\' => name.push(self.next().filter(|byte| *byte != b'\n')?),
                byte => name.push(byte),
            }
        }
        (self.next()? == b']').then(|| (lower(section), Some(name)))
    }

    fn setting(&mut self) -> Option<(String, Option<Vec<u8>>)> {
        let start = self.rest;
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let key = start[..start.len() - self.rest.len()].to_str().ok()?.to_ascii_lowercase();
        if !key.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        self.skip(|byte| b" \t".contains(&byte));
        match self.rest.first() {
            None | Some(b'\n') => Some((key, None)),
            Some(b'=') => {
                self.next();
                Some((key, Some(self.value()?)))
            }
            Some(_) => None,
        }
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        self.skip(|byte| b" \t".contains(&byte));
        let mut value = Vec::new();
        // What is in quotes is kept; spaces at the end outside of them are not.
        let mut kept = 0;
        let mut is_quoted = false;
        loop {
            match self.next() {
                None | Some(b'\n') if is_quoted => return None,
                None | Some(b'\n') => break,
                Some(b'\r') if !is_quoted && self.rest.first().is_none_or(|byte| *byte == b'\n') => {}
                Some(b'#' | b';') if !is_quoted => self.skip(|byte| byte != b'\n'),
                Some(b'"') => {
                    is_quoted = !is_quoted;
                    kept = value.len();
                }
                Some(b'\\') => {
                    match self.next()? {
                        b'\n' => continue,
                        b't' => value.push(b'\t'),
                        b'n' => value.push(b'\n'),
                        b'b' => value.push(8),
                        byte @ (b'"' | b'\\') => value.push(byte),
                        _ => return None,
                    }
                    kept = value.len();
                }
                Some(byte) => {
                    value.push(byte);
                    if is_quoted || !byte.is_ascii_whitespace() {
                        kept = value.len();
                    }
                }
            }
        }
        value.truncate(kept);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_reads_them() {
        let text =
            b"\xef\xbb\xbf; comment\n[Transfer] hideRefs = refs/a # more\n\thideRefs = \" refs/b \"; x\n\
            [remote \"X\\\"y\"]\n url = a\\tb\\\nc\n[branch.Main] merge\n[core]\n";
        let setting = |section: &str, subsection: Option<&str>, key: &str, value: Option<&str>| Setting {
            section: section.into(),
            subsection: subsection.map(|name| name.into()),
            key: key.into(),
            value: value.map(|value| value.into()),
        };
        let expected = vec![
            setting("transfer", None, "hiderefs", Some("refs/a")),
            setting("transfer", None, "hiderefs", Some(" refs/b ")),
            setting("remote", Some("X\"y"), "url", Some("a\tbc")),
            setting("branch", Some("main"), "merge", None),
        ];
        let config = Config::parse(text).expect("sound");
        assert_eq!(config, Config(expected));
        let plain: Vec<_> = config.settings().map(|(section, ..)| section).collect();
        assert_eq!(plain, ["transfer", "transfer"]);
    }

    #[test]
    fn what_git_does_not_understand_is_refused() {
        for text in ["[a", "[a]]", "[a \"b]", "[a] 1x = 2", "[a] b = \"c", "[a] b = \\x", "[a] b c", "\u{0}"]
        {
            assert_eq!(Config::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Config::parse(b""), Some(Config::default()));
    }
}
