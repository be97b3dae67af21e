//! Markdown made into HTML that is safe to show on a page of the site.
//!
//! The text is rendered with its raw HTML, and then everything is taken out that is not on a list
//! of harmless elements and attributes. Links and images that are relative lead to the files of
//! the repository. Images from elsewhere are not loaded (the pages' policy forbids it, so that
//! looking at a repository tells nobody); their alternative text stands in their place.

use crate::highlight;
use crate::limits::{MARKDOWN_BYTES_MAX, MARKDOWN_DEPTH_MAX, MARKDOWN_TEXT_COST_MAX};
use crate::markup::Markup;
use bstr::{BStr, BString, ByteSlice as _};
use comrak::adapters::SyntaxHighlighterAdapter;
use lithe_code::links::{Links, resolved};
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
    // What is kept is the same for readers of all languages: the heading alone, and no words about it.
    let html = html.replace("aria-label=\"Link to heading '", "aria-label=\"# '");
    safe(&html, origin, heading_level)
}

/// Takes everything out of HTML that is not harmless, and resolves its links, as [`render`] does. None if
/// it is deeper than may be parsed.
pub fn safe(html: &str, origin: &Origin, heading_level: u8) -> Option<String> {
    if !is_shallow(html) || text_cost(html) > MARKDOWN_TEXT_COST_MAX {
        return None;
    }
    Some(finished(&sanitized(html, origin), heading_level))
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

/// Whether elements are nested no deeper than [`MARKDOWN_DEPTH_MAX`]: parsers need quadratic time for
/// deep nesting. An end tag closes one element, and not those inside of it, which it may leave open.
fn is_shallow(html: &str) -> bool {
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let tag = &rest[start..];
        let name = tag_name(tag).to_ascii_lowercase();
        rest = &tag[1..];
        if tag.starts_with("</") {
            if let Some(position) = open.iter().rposition(|element| *element == name) {
                open.remove(position);
            }
        } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic())
            && !NEVER_NESTED.contains(&name.as_str())
        {
            open.push(name);
        }
        if open.len() > MARKDOWN_DEPTH_MAX {
            return false;
        }
    }
    true
}

/// What it costs to parse the text between tags: a parser takes it in pieces, which end at a line end
/// or a character reference, and copies what it has for each. In bytes copied, about.
fn text_cost(html: &str) -> u64 {
    let runs = html.split('<').map(str::as_bytes);
    runs.map(|run| run.len() as u64 * run.iter().filter(|byte| matches!(byte, b'&' | b'\n')).count() as u64)
        .sum()
}

/// Elements without an end tag, and those that end by themselves where the next of their kind begins.
const NEVER_NESTED: [&str; 17] = [
    "br", "hr", "img", "input", "wbr", "col", "source", "p", "li", "dt", "dd", "td", "th", "tr", "tbody",
    "thead", "option",
];

fn sanitized(html: &str, origin: &Origin) -> String {
    let mut cleaner = ammonia::Builder::default();
    let classes = HashMap::from([
        ("span", highlight::CLASSES.into_iter().chain(ORG_CLASSES).collect()),
        ("section", HashSet::from(["footnotes"])),
        ("sup", HashSet::from(["footnote-ref"])),
        ("a", HashSet::from(["anchor", "footnote-backref"])),
        ("div", HashSet::from(ALERT_CLASSES)),
        ("p", HashSet::from(["markdown-alert-title"])),
        ("dl", HashSet::from(["fields"])),
    ]);
    let origin = origin.clone();
    cleaner
        .add_tags(["section", "input", "picture"])
        .add_generic_attributes(["id"])
        .add_tag_attributes("a", ["aria-label"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .set_tag_attribute_value("input", "aria-label", "Task")
        .add_tag_attributes("div", ["align"])
        .add_tag_attributes("ol", ["type"])
        .add_tag_attributes("li", ["value"])
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

/// What is around the title of a headline in Org.
const ORG_CLASSES: [&str; 4] = ["org-to-do", "org-done", "org-priority", "org-tag"];

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
                Some(id) if Markup::has_ids(file.as_bstr()) => format!("#{ID_PREFIX}{id}"),
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

/// Rewrites the tags of sanitised HTML: headings are renumbered, so that the highest become those of
/// `level` and none is more than one level below the one above it; images that come from nowhere are
/// replaced by their alternative text.
fn finished(html: &str, level: u8) -> String {
    let mut headings = Headings { level, outline: Vec::new(), open: Vec::new() };
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    // What is not a tag has its `<` escaped.
    while let Some(start) = rest.find('<') {
        let (before, from_tag) = rest.split_at(start);
        let (tag, after) = from_tag.split_at(tag_len(from_tag));
        result.push_str(before);
        match tag_name(tag) {
            name @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6") => {
                let shown = if tag.starts_with("</") { headings.close() } else { headings.open(name) };
                let prefix = if tag.starts_with("</") { "</h" } else { "<h" };
                result.push_str(&format!("{prefix}{shown}{}", &tag[prefix.len() + 1..]));
            }
            "img" if !tag.contains(" src=\"") => {
                let alternative = tag.split_once(" alt=\"").and_then(|(_, alt)| alt.split('"').next());
                result.push_str("<span class=\"image-elsewhere\">");
                result.push_str(&alternative.unwrap_or_default().replace('<', "&lt;").replace('>', "&gt;"));
                result.push_str("</span>");
            }
            // What may be wider than the page is scrolled by keyboard too.
            name @ ("pre" | "table") if !tag.starts_with("</") => {
                result.push_str(&format!("<{name} tabindex=\"0\"{}", &tag[1 + name.len()..]));
            }
            _ => result.push_str(tag),
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

/// The length of the tag that the text begins with. Attributes of sanitised HTML are in double quotes.
fn tag_len(html: &str) -> usize {
    let mut is_quoted = false;
    for (index, byte) in html.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return index + 1,
            _ => {}
        }
    }
    html.len()
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    name.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// The headings of a text, renumbered one after the other.
struct Headings {
    /// What the highest become.
    level: u8,
    /// The names of the headings that the last one is below, itself included.
    outline: Vec<String>,
    /// What the headings that are not closed yet became.
    open: Vec<usize>,
}

impl Headings {
    fn open(&mut self, name: &str) -> usize {
        while self.outline.last().is_some_and(|above| above.as_str() >= name) {
            self.outline.pop();
        }
        self.outline.push(name.to_owned());
        let shown = (usize::from(self.level) + self.outline.len() - 1).min(6);
        self.open.push(shown);
        shown
    }

    fn close(&mut self) -> usize {
        self.open.pop().unwrap_or(6)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { links: Links::new("team/demo"), revision: "main".into(), file: "doc/README.md".into() }
    }

    fn html(text: &str) -> String {
        render(text, &origin(), 2).expect("the text is within the limits")
    }

    #[test]
    fn what_could_run_or_load_is_taken_out() {
        let hostile = [
            "<script>alert(1)</script>",
            "<ScRiPt src=//evil></sCrIpT>",
            "<img src=x onerror=alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "<a href=\" &#14; javascript:alert(1)\">x</a>",
            "[x](vbscript:x) [x](data:text/html,<script>alert(1)</script>)",
            "![x](data:image/svg+xml;base64,AAAA)",
            "<iframe src=\"https://evil\"></iframe>",
            "<object data=x></object><embed src=x><applet></applet>",
            "<form action=//evil><input name=password><button>x</button></form>",
            "<style>body{display:none}</style><link rel=stylesheet href=//evil>",
            "<p style=\"position:fixed\" onclick=alert(1)>x</p>",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "<meta http-equiv=refresh content=0><base href=//evil>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<img alt='<h1 title=\"x\"><script>alert(1)</script>' src=//evil>",
            "```\"><script>alert(1)</script>\nx\n```",
            "<video src=//evil autoplay></video><audio src=//evil></audio>",
            "![x](//evil/x.png) ![x](https://evil/x.png) ![x](\\\\evil/x.png) <img srcset=\"//evil 2x\">",
            "<!--><script>alert(1)</script>-->",
            "<textarea><script>alert(1)</script></textarea>",
        ];
        let forbidden = [
            "<script",
            "javascript:",
            "vbscript:",
            "data:",
            "<iframe",
            "<object",
            "<embed",
            "<form",
            "<button",
            "<style",
            "<link",
            "<svg",
            "<math",
            "<meta",
            "<base",
            "<video",
            "<audio",
            "<textarea",
            "src=\"//",
            "src=\"https",
        ];
        for text in hostile {
            let html = html(text).to_ascii_lowercase();
            let tags: Vec<&str> = html
                .match_indices('<')
                .map(|(start, _)| &html[start..start + tag_len(&html[start..])])
                .collect();
            for tag in &tags {
                let name = tag_name(tag);
                assert!(!forbidden.iter().any(|bad| tag.starts_with(bad)), "{text}: {tag}");
                for attribute in tag.split(' ').skip(1).filter(|part| part.contains('=')) {
                    let (attribute, value) = attribute.split_once('=').expect("it has one");
                    assert!(!attribute.starts_with("on") && attribute != "style", "{text}: {tag}");
                    let is_address = matches!(attribute, "href" | "src");
                    assert!(!is_address || !forbidden.iter().any(|bad| value.contains(bad)), "{text}: {tag}");
                    assert!(
                        attribute != "src" || value.starts_with("\"/team/demo/-/raw/"),
                        "{text}: {name} {tag}"
                    );
                }
            }
        }
    }

    #[test]
    fn ids_cannot_be_those_of_the_page() {
        let html = html("# Main\n\n<a id=\"main\" name=\"main\"></a> [to](#main)");
        assert!(
            html.contains("id=\"user-content-main\"") && html.contains("href=\"#user-content-main\""),
            "{html}"
        );
        assert!(!html.contains("id=\"main\"") && !html.contains("name=\"main\""), "{html}");
    }

    #[test]
    fn relative_links_lead_to_the_files() {
        let cases = [
            ("[x](a.md)", "href=\"/team/demo/-/blob/main/doc/a.md\""),
            ("[x](../a b.md)", "[x](../a b.md)"),
            ("[x](<../a b.md>)", "href=\"/team/demo/-/blob/main/a%20b.md\""),
            ("[x](/src/)", "href=\"/team/demo/-/tree/main/src\""),
            ("[x](..)", "href=\"/team/demo/-/tree/main\""),
            ("[x](../../../x)", "href=\"/team/demo/-/blob/main/x\""),
            ("[x](a.md#some-part)", "href=\"/team/demo/-/blob/main/doc/a.md#user-content-some-part\""),
            ("[x](a.rst#some-part)", "href=\"/team/demo/-/blob/main/doc/a.rst#user-content-some-part\""),
            ("[x](a.rs#L10)", "href=\"/team/demo/-/blob/main/doc/a.rs#L10\""),
            ("![x](a.png?raw=true)", "src=\"/team/demo/-/raw/main/doc/a.png\""),
            ("[x](https://example.org/)", "href=\"https://example.org/\""),
            ("[x](//example.org/)", "href=\"//example.org/\""),
            ("<mailto:a@b.c>", "href=\"mailto:a@b.c\""),
        ];
        for (text, expected) in cases {
            let html = html(text);
            assert!(html.contains(expected), "{text}: {html}");
        }
    }

    #[test]
    fn headings_continue_those_of_the_page() {
        let levels = |text: &str, level| {
            let html = render(text, &origin(), level).expect("the text is short");
            let digits = html.match_indices("<h").filter_map(|(at, _)| html[at + 2..].chars().next());
            digits.filter(char::is_ascii_digit).collect::<String>()
        };
        let cases = [
            ("# a\n## b\n### c\n# d", 3, "3453"),
            ("### a\n##### b\n# c\n#### d", 2, "2323"),
            ("<h1 align=center>a</h1>\n\n## b", 3, "34"),
            ("# a\n## b\n### c\n#### d\n##### e", 3, "34566"),
        ];
        for (text, level, expected) in cases {
            assert_eq!(levels(text, level), expected, "{text}");
        }
    }

    #[test]
    fn images_from_elsewhere_are_their_words() {
        assert_eq!(
            html("![a <b> c](https://x/y.png)"),
            "<p><span class=\"image-elsewhere\">a &lt;b&gt; c</span></p>\n"
        );
    }

    #[test]
    fn the_extensions_of_github_work() {
        let text = "|a|\n|-|\n|1|\n\n- [x] done\n\n~~gone~~ https://example.org/ note[^1]\n\n[^1]: words\n\n> [!NOTE]\n> well\n\n```rust\nfn\n```";
        let html = html(text);
        for expected in [
            "<th>a</th>",
            "<input checked=\"\" ",
            "<del>gone</del>",
            "href=\"https://example.org/\"",
            "id=\"user-content-fn-1\"",
            "href=\"#user-content-fn-1\"",
            "class=\"markdown-alert markdown-alert-note\"",
            "<span class=\"hl-keyword\">fn</span>",
        ] {
            assert!(html.contains(expected), "{expected}: {html}");
        }
    }

    #[test]
    fn past_a_limit_nothing_is_rendered() {
        assert!(render(&"a".repeat(MARKDOWN_BYTES_MAX), &origin(), 2).is_some());
        assert!(render(&"a".repeat(MARKDOWN_BYTES_MAX + 1), &origin(), 2).is_none());
        assert!(render(&"<div>".repeat(MARKDOWN_DEPTH_MAX), &origin(), 2).is_some());
        assert!(render(&"<div>".repeat(MARKDOWN_DEPTH_MAX + 1), &origin(), 2).is_none());
        assert!(render(&">".repeat(MARKDOWN_DEPTH_MAX + 1), &origin(), 2).is_none());
        // Each `&` becomes five bytes, and `<p>`, `</p>` and a line end come along.
        let ampersands = (MARKDOWN_TEXT_COST_MAX as f64 / 5.0).sqrt() as usize;
        assert!(render(&"&".repeat(ampersands - 10), &origin(), 2).is_some());
        assert!(render(&"&".repeat(ampersands + 10), &origin(), 2).is_none());
    }

    #[test]
    fn hostile_texts_end_soon() {
        let texts = [
            "<b></x>",
            "<b><div></b>",
            "[",
            "![[](",
            "*a **b ",
            "`",
            "<a href=",
            "|a",
            "> - ",
            "<h1",
            "\\",
            "[^1]",
            "</b>",
            "&",
            "_a*",
        ];
        for text in texts {
            let begun = std::time::Instant::now();
            let _ = render(&text.repeat(MARKDOWN_BYTES_MAX / text.len()), &origin(), 2);
            assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{text}: {:?}", begun.elapsed());
        }
    }
}
