//! Where links lead (orgmode.org/guide/Hyperlinks.html).

use super::document::Document;
use crate::markup::ids::slug;
use crate::markup::{escaped, link};

/// What images end with.
const IMAGES: [&str; 8] = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".bmp"];

/// A text without marks and links.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[") {
        plain.push_str(before);
        let Some((inner, behind)) = after.split_once("]]") else {
            rest = after;
            continue;
        };
        plain.push_str(inner.split_once("][").map_or(inner, |(_, label)| label));
        rest = behind;
    }
    plain.push_str(rest);
    plain.replace(['*', '=', '~'], "")
}

/// The path of an image that a link shows.
fn image_path(target: &str) -> Option<&str> {
    let path = target.strip_prefix("file:").unwrap_or(target);
    let lower = path.to_ascii_lowercase();
    IMAGES.iter().any(|ending| lower.ends_with(ending)).then_some(path)
}

fn image(path: &str) -> String {
    format!("<img src=\"{0}\" alt=\"{0}\">", escaped(path))
}

/// A link as it is typed between brackets: where it leads, and its label if it has one, in HTML.
pub fn written(document: &Document, target: &str, label: Option<(&str, String)>) -> String {
    let address = address(document, target);
    match (label, address) {
        // An image leads where the link does.
        (Some((typed, _)), Some(address)) if image_path(typed).is_some() => {
            let path = image_path(typed).unwrap_or_default();
            format!("<a href=\"{}\">{}</a>", escaped(&address), image(path))
        }
        (Some((_, label)), Some(address)) => format!("<a href=\"{}\">{label}</a>", escaped(&address)),
        (Some((_, label)), None) => label,
        (None, Some(address)) if is_file(&address) && image_path(target).is_some() => image(&address),
        (None, Some(address)) => {
            let shown = target.strip_prefix("file:").unwrap_or(target).trim_start_matches('*');
            link(&address, shown)
        }
        (None, None) => format!("<em>{}</em>", escaped(target.trim_start_matches('*'))),
    }
}

/// Whether an address is one of a file of the repository.
fn is_file(address: &str) -> bool {
    !address.starts_with('#') && !address.contains("//")
}

/// The address that a link means; none if it leads nowhere.
fn address(document: &Document, target: &str) -> Option<String> {
    if let Some(id) = document.place(target) {
        return Some(format!("#{id}"));
    }
    // What made the list of headings may name them as their ids are.
    if target.starts_with('#') {
        return Some(target.to_owned());
    }
    if let Some(path) = target.strip_prefix("file:") {
        return Some(path_of(path));
    }
    if let Some((short, tag)) = target.split_once(':') {
        // A link is to lead where it says.
        let is_address = matches!(short, "http" | "https" | "mailto" | "ftp" | "file");
        if let Some(long) = document.abbreviations.get(short).filter(|_| !is_address) {
            return Some(if long.contains("%s") {
                long.replacen("%s", tag, 1)
            } else {
                format!("{long}{tag}")
            });
        }
        // Those of programs lead nowhere here.
        let is_elsewhere =
            matches!(short, "id" | "elisp" | "shell" | "help" | "info" | "news" | "bbdb" | "coderef");
        return (!is_elsewhere && !short.contains(char::is_whitespace)).then(|| target.to_owned());
    }
    let is_path = target.contains('/') || target.contains('.');
    let is_search = target.starts_with(['*', '(']);
    (is_path && !is_search).then(|| path_of(target))
}

/// The path of a file, and of what is to be looked for in it a heading.
fn path_of(path: &str) -> String {
    match path.split_once("::") {
        Some((path, part)) if part.starts_with('#') => format!("{path}{part}"),
        Some((path, part)) if part.starts_with('*') => format!("{path}#{}", slug(part)),
        Some((path, _)) => path.to_owned(),
        None => path.to_owned(),
    }
}
