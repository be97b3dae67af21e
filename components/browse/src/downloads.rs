//! What there is to download of a revision: archives of its files, which the component `archive` makes.

use bstr::{BStr, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::text;
use lithe_web::{Text, t};
use serde::Serialize;

/// The formats of archives, the most usual first.
const FORMATS: [&str; 4] = ["tar.gz", "tar.zst", "tar", "zip"];

/// The formats where there is room for two.
const FEW_FORMATS: [&str; 2] = ["tar.gz", "zip"];

/// What a menu of downloads has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Downloads {
    /// What is in the archives.
    #[serde(skip)]
    pub what: Text,
    #[serde(rename = "downloads")]
    pub archives: Vec<Download>,
    /// Every branch and tag in one file; none: not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_href: Option<String>,
}

/// An archive to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Download {
    pub format: String,
    pub href: String,
}

impl Downloads {
    /// The files of a revision, which people call `label`, and all branches and tags.
    pub fn of_repository(links: &Links, revision: &BStr, label: String) -> Self {
        Self { bundle_href: Some(links.bundle()), ..Self::of_revision(links, revision, label) }
    }

    /// The files of a revision.
    pub fn of_revision(links: &Links, revision: &BStr, label: String) -> Self {
        let what = t("The files of {name}").with("name", label);
        Self { what, archives: archives(links, revision, "".into(), &FORMATS), bundle_href: None }
    }

    /// The files of a directory of a revision; none if an address cannot name it.
    pub fn of_directory(links: &Links, revision: &BStr, label: String, path: &BStr) -> Option<Self> {
        if path.is_empty() {
            return Some(Self::of_revision(links, revision, label));
        }
        path.to_str().ok()?;
        let what = t("The files of {path} in {name}").with("path", text::visible(path)).with("name", label);
        Some(Self { what, archives: archives(links, revision, path, &FORMATS), bundle_href: None })
    }
}

/// The archives of a revision in the formats that most people want.
pub fn few(links: &Links, revision: &BStr) -> Vec<Download> {
    archives(links, revision, "".into(), &FEW_FORMATS)
}

fn archives(links: &Links, revision: &BStr, path: &BStr, formats: &[&str]) -> Vec<Download> {
    let download = |format: &&str| Download {
        format: (*format).to_owned(),
        href: links.archive(revision, path, format),
    };
    formats.iter().map(download).collect()
}
