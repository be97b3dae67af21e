//! Where submodules come from, by `.gitmodules` (gitmodules(5)).

use crate::limits::GITMODULES_BYTES_MAX;
use bstr::{BStr, BString, ByteSlice as _};
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::Revision;
use lithe_git::config::Config;
use lithe_web::address::encode_path;
use std::collections::HashMap;

/// The addresses that the submodules of a commit may be linked to, by their paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Submodules(HashMap<BString, String>);

impl Submodules {
    /// Reads the commit's `.gitmodules`. Nothing is known of what it does not name as it should.
    ///
    /// `own_path` is the repository's, `team/demo`, which relative addresses begin from.
    pub fn read(repository: Repository<'_>, revision: &Revision, own_path: &str) -> Self {
        Self::found(repository, revision, own_path).ok().flatten().unwrap_or_default()
    }

    fn found(repository: Repository<'_>, revision: &Revision, own_path: &str) -> Result<Option<Self>, Error> {
        let commit = repository.commit(&revision.commit_id)?;
        let entry = repository.entry_at(&commit.tree_id, ".gitmodules".into())?;
        let Some(entry) = entry.filter(|entry| entry.is_blob()) else { return Ok(None) };
        let text = repository.blob(&entry.id, GITMODULES_BYTES_MAX)?;
        Ok(Self::parse(&text, own_path))
    }

    fn parse(text: &[u8], own_path: &str) -> Option<Self> {
        let config = Config::parse(text)?;
        let mut by_name: HashMap<_, (Option<BString>, Option<String>)> = HashMap::new();
        for setting in config.all().iter().filter(|setting| setting.section == "submodule") {
            let (Some(name), Some(value)) = (&setting.subsection, &setting.value) else { continue };
            let (path, href) = by_name.entry(name).or_default();
            match setting.key.as_str() {
                "path" => *path = Some(value.clone().into()),
                "url" => *href = address(value.to_str().unwrap_or_default(), own_path),
                _ => {}
            }
        }
        Some(Self(by_name.into_values().filter_map(|(path, href)| Some((path?, href?))).collect()))
    }

    /// The address of the submodule at a path, if it is one that a link may lead to.
    pub fn href(&self, path: &BStr) -> Option<String> {
        self.0.get(path).cloned()
    }
}

/// The address of a submodule as a link: of the web, without a password, or of a neighbour on this site.
fn address(url: &str, own_path: &str) -> Option<String> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains('\\') {
        return None;
    }
    if let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_plain = !host.is_empty() && !host.contains('@');
        return is_plain.then(|| url.to_owned());
    }
    if let Some(web) = web_address(url) {
        return Some(web);
    }
    if !url.starts_with("./") && !url.starts_with("../") {
        return None;
    }
    let mut segments: Vec<&str> = own_path.split('/').collect();
    for segment in url.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(segment),
        }
    }
    let path = segments.join("/");
    let path = path.strip_suffix(".git").unwrap_or(&path);
    (!path.is_empty()).then(|| format!("/{}", encode_path(path)))
}

/// Where a repository that is fetched over SSH, `git@example.org:a/b.git`, is usually seen on the web.
fn web_address(url: &str) -> Option<String> {
    let (host, path) = match url.strip_prefix("ssh://") {
        Some(rest) => rest.split_once('/')?,
        None => url.split_once(':').filter(|(host, path)| host.contains('@') && !path.starts_with('/'))?,
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_plain = host.contains('.') && host.bytes().all(is_host) && !path.is_empty();
    is_plain.then(|| format!("https://{host}/{}", encode_path(path.strip_suffix(".git").unwrap_or(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submodules_lead_only_where_a_link_may() {
        let cases = [
            ("https://example.org/a.git", Some("https://example.org/a.git")),
            ("http://example.org", Some("http://example.org")),
            ("../other.git", Some("/team/other")),
            ("./below", Some("/team/demo/below")),
            ("../../top/x", Some("/top/x")),
            ("../../../x", None),
            ("../..", None),
            ("https://user:secret@example.org/a", None),
            ("https://", None),
            ("https:///a", None),
            ("javascript:alert(1)", None),
            ("ssh://git@example.org/a", Some("https://example.org/a")),
            ("ssh://git@example.org:2222/a/b.git", Some("https://example.org/a/b")),
            ("git@example.org:a", Some("https://example.org/a")),
            ("git@example.org:a/b.git", Some("https://example.org/a/b")),
            ("git@example.org:/srv/a", None),
            ("git@localhost:a", None),
            ("git@a<b.c:a", None),
            ("file://host/a", None),
            ("/etc/passwd", None),
            ("//evil.example", None),
            ("https://a\\b", None),
            ("https://a b", None),
        ];
        for (url, expected) in cases {
            assert_eq!(address(url, "team/demo").as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn they_are_known_by_their_paths() {
        let text =
            b"[submodule \"one\"]\n\tpath = lib/one\n\turl = ../one.git\n[submodule \"two\"]\n\tpath = two\n";
        let submodules = Submodules::parse(text, "team/demo").expect("it can be read");
        assert_eq!(submodules.href("lib/one".into()).as_deref(), Some("/team/one"));
        assert_eq!(submodules.href("two".into()), None);
        assert_eq!(Submodules::parse(b"[", "team/demo"), None);
    }
}
