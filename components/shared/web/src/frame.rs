//! What stands around every page: who looks, where one is, where one can go.

use crate::address::{encode_component, encode_path};
use crate::format::Format;
use crate::language;
use crate::static_files;
use lithe_forge::settings::Overview;
use lithe_forge::types::{Permission, Repository, Viewer};
use lithe_words::{Language, Text, t};
use serde::Serialize;

/// What the layout shows around a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// The page's title, without the site's.
    pub title: Text,
    /// The site's title.
    pub site_title: String,
    /// Who is signed in.
    pub user: Option<FrameUser>,
    /// The secret that forms carry in the field [`crate::form::CSRF_FIELD`].
    pub csrf_token: String,
    /// Whether strangers may make accounts.
    pub is_registration_open: bool,
    /// The page's own address, path and query, to come back to after signing in.
    pub address: String,
    /// The groups above the page, outermost first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// What the search field holds.
    pub search: String,
    /// Said at the top of the page: what the last step did.
    pub notice: Option<Text>,
    /// The form in which the page, or what goes wrong with it, is answered.
    pub format: Format,
}

/// The user that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameUser {
    /// The name to sign in with.
    pub name: String,
    /// The name to show.
    pub display_name: String,
    pub is_admin: bool,
}

/// A step on the way to a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Breadcrumb {
    pub name: String,
    pub href: String,
}

impl FrameUser {
    /// The first letter of the name, for the picture.
    pub fn initial(&self) -> String {
        self.display_name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default()
    }
}

impl Frame {
    /// The frame of the page at `address` (path and query, as the request had them), which has no title yet. It is in the
    /// language that the viewer chose for the account, else in the one given.
    pub fn new(overview: &Overview, address: &str, language: Language) -> Self {
        let language = language::of_viewer(&overview.viewer).unwrap_or(language);
        Self {
            site_title: overview.site.title.clone(),
            is_registration_open: overview.site.registration,
            ..Self::bare(address, language).seen_by(&overview.viewer)
        }
    }

    /// The frame of a page where the settings could not be read: nobody signed in, the site's default title.
    pub fn bare(address: &str, language: Language) -> Self {
        Self {
            language,
            title: Text::EMPTY,
            site_title: "Lithe".to_owned(),
            user: None,
            csrf_token: String::new(),
            is_registration_open: false,
            address: address.to_owned(),
            breadcrumbs: Vec::new(),
            search: String::new(),
            notice: None,
            format: Format::Html,
        }
    }

    fn seen_by(mut self, viewer: &Viewer) -> Self {
        self.csrf_token = viewer.csrf_token.clone();
        self.user = viewer.user.as_ref().map(|user| FrameUser {
            name: user.name.clone(),
            display_name: match user.full_name.trim() {
                "" => user.name.clone(),
                full_name => full_name.to_owned(),
            },
            is_admin: user.is_admin,
        });
        self
    }

    /// The same frame of a page in that form.
    pub fn in_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// The same frame with another title.
    pub fn titled(mut self, title: impl Into<Text>) -> Self {
        self.title = title.into();
        self
    }

    /// The same frame below the groups of `path`, the last segment left out.
    pub fn below(mut self, path: &str) -> Self {
        self.breadcrumbs = breadcrumbs(path);
        self.breadcrumbs.pop();
        self
    }

    /// The same frame that says something at the top of the page.
    pub fn with_notice(mut self, notice: impl Into<Text>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    /// Where signing in is, and coming back from there.
    pub fn sign_in_href(&self) -> String {
        match self.address.as_str() {
            "" | "/" => "/-/login".to_owned(),
            address => format!("/-/login?return={}", encode_component(address)),
        }
    }

    /// The languages that the page can be shown in instead.
    pub fn other_languages(&self) -> impl Iterator<Item = Language> {
        Language::ALL.into_iter().filter(|language| *language != self.language)
    }

    /// The address of the style sheet.
    pub fn style_href(&self) -> &'static str {
        static_files::LITHE_CSS
    }

    /// The address of the script.
    pub fn script_href(&self) -> &'static str {
        static_files::LITHE_JS
    }

    /// The address of the script of the editor, which only pages with an editor have.
    pub fn editor_script_href(&self) -> &'static str {
        static_files::EDITOR_JS
    }

    /// The address of its style sheet.
    pub fn editor_style_href(&self) -> &'static str {
        static_files::EDITOR_CSS
    }

    /// The address of the icon.
    pub fn icon_href(&self) -> &'static str {
        static_files::ICON_SVG
    }
}

/// A step for each segment of the path of a group or repository.
pub fn breadcrumbs(path: &str) -> Vec<Breadcrumb> {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    ends.filter(|end| *end > 0)
        .map(|end| Breadcrumb {
            name: path[..end].rsplit('/').next().unwrap_or_default().to_owned(),
            href: format!("/{}", encode_path(&path[..end])),
        })
        .collect()
}

/// The pages that a repository's head leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Code,
    Commits,
    Refs,
    Search,
    Settings,
}

/// What stands above every page about a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RepositoryHead {
    /// The last segment of the path.
    pub name: String,
    /// The address of the summary, encoded.
    pub href: String,
    pub description: String,
    pub is_private: bool,
    #[serde(skip)]
    pub tabs: Vec<TabLink>,
}

/// A tab of a repository's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabLink {
    pub name: Text,
    pub href: String,
    /// The key that leads there, if there is one.
    pub key: Option<&'static str>,
    pub is_current: bool,
}

impl RepositoryHead {
    /// The head of a page under the tab `current` (none: the page belongs to no tab).
    ///
    /// `ref_name` is what the commits tab shows the history of: an encoded segment or path, empty
    /// for the default branch.
    pub fn new(
        repository: &Repository,
        permission: Permission,
        current: Option<Tab>,
        ref_name: &str,
    ) -> Self {
        let href = format!("/{}", encode_path(&repository.path));
        let commits = match ref_name {
            "" => format!("{href}/-/commits"),
            name => format!("{href}/-/commits/{name}"),
        };
        let mut tabs = vec![
            (Tab::Code, t("Code"), href.clone()),
            (Tab::Commits, t("Commits"), commits),
            (Tab::Refs, t("Branches & tags"), format!("{href}/-/refs")),
            (Tab::Search, t("Search"), format!("{href}/-/search")),
        ];
        if permission == Permission::Admin {
            tabs.push((Tab::Settings, t("Settings"), format!("{href}/-/settings/")));
        }
        let tabs = tabs.into_iter().map(|(tab, name, href)| TabLink {
            name,
            href,
            key: (tab == Tab::Search && current != Some(tab)).then_some("s"),
            is_current: Some(tab) == current,
        });
        Self {
            name: repository.path.rsplit('/').next().unwrap_or_default().to_owned(),
            description: repository.description.clone(),
            is_private: repository.is_private,
            tabs: tabs.collect(),
            href,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breadcrumbs_lead_to_each_group() {
        let names = |path| {
            let steps = breadcrumbs(path).into_iter();
            steps.map(|step| format!("{}={}", step.name, step.href)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(""), "");
        assert_eq!(names("a"), "a=/a");
        assert_eq!(names("a/b c/d"), "a=/a b c=/a/b%20c d=/a/b%20c/d");
    }

    #[test]
    fn signing_in_leads_back() {
        let frame = Frame::bare("/a?b=c&d", Language::English);
        assert_eq!(frame.sign_in_href(), "/-/login?return=%2Fa%3Fb%3Dc%26d");
        assert_eq!(Frame::bare("/", Language::English).sign_in_href(), "/-/login");
    }
}
