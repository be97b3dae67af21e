//! Markdown made into HTML that is safe to show on a page of the site.
//!
//! The text is rendered with its raw HTML, and then everything is taken out that is not on a list
//! of harmless elements and attributes. Links and images that are relative lead to the files of
//! the repository. Images from elsewhere are not loaded (the pages' policy forbids it, so that
//! looking at a repository tells nobody); their alternative text stands in their place.

use crate::highlight;
use crate::limits::{MARKDOWN_BYTES_MAX, MARKDOWN_DEPTH_MAX};
use crate::links::{Links, resolved};
use bstr::{BStr, BString, ByteSlice as _};
use comrak::adapters::SyntaxHighlighterAdapter;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What is before every `id` in a rendered text, so that none meets an id of the page.
pub const ID_PREFIX: &str = "user-content-";

/// Where a text lies, to find what its links mean.
#[derive(Debug, Clone)]
pub struct Origin {
    pub links: Links,
    pub revision: BString,
    /// The file that the text is in.
    pub file: BString,
}

/// Whether a file name says that the file is Markdown.
pub fn is_markdown(file_name: &BStr) -> bool {
    let name = file_name.to_ascii_lowercase();
    [".md", ".markdown", ".mdown", ".mkdn", ".mkd"].iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// Renders a text; its highest headings become those of `heading_level`. None if it is larger or
/// deeper than may be rendered: then it is to be shown as plain text.
pub fn render(text: &str, origin: &Origin, heading_level: u8) -> Option<String> {
    if text.len() > MARKDOWN_BYTES_MAX {
        return None;
    }
    let mut plugins = comrak::options::Plugins::default();
    plugins.render.codefence_syntax_highlighter = Some(&CodeBlocks);
    let html = comrak::markdown_to_html_with_plugins(text, &options(), &plugins);
    if !is_shallow(&html) {
        return None;
    }
    Some(with_headings_from(&sanitized(&html, origin), heading_level))
}

fn options() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.header_id_prefix = Some(String::new());
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options.render.r#unsafe = true;
    options
}

/// Whether elements are nested less deep than [`MARKDOWN_DEPTH_MAX`], by a count that takes every
/// opening tag for one more level until a closing tag: parsers need quadratic time for deep nesting.
fn is_shallow(html: &str) -> bool {
    const VOID: [&[u8]; 8] = [b"br", b"hr", b"img", b"input", b"wbr", b"col", b"source", b"!"];
    let mut depth = 0_usize;
    for tag in html.as_bytes().split_str("<").skip(1) {
        match tag.first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() => {
                let name = tag[..tag.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(tag.len())]
                    .to_ascii_lowercase();
                // A paragraph or list item may be left open; Markdown itself always closes them.
                depth += usize::from(!VOID.contains(&name.as_slice()));
            }
            _ => {}
        }
        if depth > MARKDOWN_DEPTH_MAX {
            return false;
        }
    }
    true
}

fn sanitized(html: &str, origin: &Origin) -> String {
    let mut cleaner = ammonia::Builder::default();
    let classes = HashMap::from([
        ("span", HashSet::from(highlight::CLASSES)),
        ("section", HashSet::from(["footnotes"])),
        ("sup", HashSet::from(["footnote-ref"])),
        ("a", HashSet::from(["anchor", "footnote-backref"])),
        ("div", HashSet::from(ALERT_CLASSES)),
        ("p", HashSet::from(["markdown-alert-title"])),
    ]);
    let origin = origin.clone();
    cleaner
        .add_tags(["section", "input", "picture"])
        .add_generic_attributes(["id"])
        .add_tag_attributes("a", ["aria-label"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .add_tag_attributes("div", ["align"])
        .add_tag_attributes("p", ["align"])
        .add_tag_attributes("h1", ["align"])
        .add_tag_attributes("h2", ["align"])
        .add_tag_attributes("h3", ["align"])
        .allowed_classes(classes)
        .url_schemes(HashSet::from([
            "http", "https", "mailto", "irc", "ircs", "xmpp", "magnet", "git", "ssh",
        ]))
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener noreferrer"))
        .id_prefix(Some(ID_PREFIX))
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            ("a", "href") => Some(link(&origin, value)),
            ("img", "src") => image(&origin, value).map(Cow::Owned),
            (_, "cite" | "longdesc" | "srcset") => None,
            _ => Some(value.into()),
        });
    cleaner.clean(html).to_string()
}

const ALERT_CLASSES: [&str; 6] = [
    "markdown-alert",
    "markdown-alert-note",
    "markdown-alert-tip",
    "markdown-alert-important",
    "markdown-alert-warning",
    "markdown-alert-caution",
];

/// Where a link leads: within the text, to a page of the site, to a file of the repository, or away.
fn link<'a>(origin: &Origin, target: &'a str) -> Cow<'a, str> {
    if let Some(id) = target.strip_prefix('#') {
        return format!("#{ID_PREFIX}{id}").into();
    }
    if is_absolute(target) {
        return target.into();
    }
    let (path, suffix) = split_path(target);
    match file(origin, path) {
        Some(file) if path.ends_with('/') || file.is_empty() => {
            format!("{}{suffix}", origin.links.tree(origin.revision.as_bstr(), file.as_bstr())).into()
        }
        Some(file) => {
            let suffix = match suffix.strip_prefix('#') {
                Some(id) if is_markdown(file.as_bstr()) => format!("#{ID_PREFIX}{id}"),
                _ => suffix.to_owned(),
            };
            format!("{}{suffix}", origin.links.blob(origin.revision.as_bstr(), file.as_bstr())).into()
        }
        None => target.into(),
    }
}

/// Where an image comes from; none if it is not a file of the repository.
fn image(origin: &Origin, target: &str) -> Option<String> {
    if is_absolute(target) {
        return None;
    }
    let (path, _) = split_path(target);
    let file = file(origin, path)?;
    Some(origin.links.raw(origin.revision.as_bstr(), file.as_bstr()))
}

/// Whether a link does not lead to a file of the repository: it has a scheme or a host. Browsers
/// read `\` as `/` and skip control characters (WHATWG URL, section 4.4).
fn is_absolute(target: &str) -> bool {
    let target: String = target.chars().filter(|c| !c.is_ascii_control()).collect();
    let target = target.trim().replace('\\', "/");
    let scheme = target.split(['/', '?', '#']).next().unwrap_or_default();
    target.starts_with("//") || scheme.contains(':')
}

fn file(origin: &Origin, path: &str) -> Option<Vec<u8>> {
    let path = lithe_web::address::decode(path).ok()?;
    Some(resolved(origin.file.as_bstr(), &path))
}

/// Splits a link before its query or fragment.
fn split_path(target: &str) -> (&str, &str) {
    target.split_at(target.find(['?', '#']).unwrap_or(target.len()))
}

/// Renumbers the headings of sanitised HTML: the highest become `level`, and none is more than one
/// level below the heading above it.
fn with_headings_from(html: &str, level: u8) -> String {
    let mut outline: Vec<u8> = Vec::new();
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    // What is not a tag has its `<` escaped.
    while let Some(start) = rest.find("<h") {
        let (before, tag) = rest.split_at(start);
        result.push_str(before);
        let Some(original) = heading_digit(&tag[2..]) else {
            result.push_str("<h");
            rest = &tag[2..];
            continue;
        };
        while outline.last().is_some_and(|above| *above >= original) {
            outline.pop();
        }
        outline.push(original);
        let shown = usize::from(level).saturating_add(outline.len() - 1).min(6);
        let closing = format!("</h{original}>");
        let end = tag.find(&closing).unwrap_or(tag.len());
        result.push_str(&format!("<h{shown}{}</h{shown}>", &tag[3..end]));
        rest = tag.get(end + closing.len()..).unwrap_or_default();
    }
    result.push_str(rest);
    result
}

/// The digit of a heading's tag, given what follows `<h`.
fn heading_digit(tag: &str) -> Option<u8> {
    match tag.as_bytes() {
        [digit @ b'1'..=b'6', b' ' | b'>', ..] => Some(digit - b'0'),
        _ => None,
    }
}

/// Highlights code blocks by the language that they name.
struct CodeBlocks;

impl SyntaxHighlighterAdapter for CodeBlocks {
    fn write_highlighted(
        &self,
        output: &mut dyn fmt::Write,
        language: Option<&str>,
        code: &str,
    ) -> fmt::Result {
        let language = language.and_then(|info| info.split([' ', ',', '{', '\t']).next()).unwrap_or_default();
        for line in highlight::code(language, code).lines {
            writeln!(output, "{line}")?;
        }
        Ok(())
    }

    fn write_pre_tag(
        &self,
        output: &mut dyn fmt::Write,
        _: HashMap<&'static str, Cow<'_, str>>,
    ) -> fmt::Result {
        output.write_str("<pre>")
    }

    fn write_code_tag(
        &self,
        output: &mut dyn fmt::Write,
        _: HashMap<&'static str, Cow<'_, str>>,
    ) -> fmt::Result {
        output.write_str("<code>")
    }
}
