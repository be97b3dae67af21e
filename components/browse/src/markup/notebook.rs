//! Jupyter notebooks (nbformat 4) as a static page: the cells, and of their outputs the texts and the
//! images of formats that cannot hold a script. What is HTML, a widget or a drawing of theirs is left out.

use super::{code_block, shown};
use crate::limits::{
    HIGHLIGHT_BYTES_MAX, NOTEBOOK_CELLS_MAX, NOTEBOOK_IMAGE_BYTES_MAX, NOTEBOOK_OUTPUT_BYTES_MAX,
};
use crate::markdown::{self, Origin};
use lithe_web::t;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<Cell>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    language_info: Language,
}

#[derive(Deserialize, Default)]
struct Language {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default)]
    source: Text,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    text: Text,
    #[serde(default)]
    traceback: Text,
    #[serde(default)]
    data: BTreeMap<String, serde_json::Value>,
}

/// A text, in one piece or in lines.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Lines(Vec<String>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Whole(String::new())
    }
}

impl Text {
    fn joined(&self, separator: &str) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Lines(lines) => lines.join(separator),
        }
    }
}

/// Renders a notebook; none if it is none of this version.
pub fn html(text: &str, origin: &Origin, heading_level: u8, said_in: lithe_web::Language) -> Option<String> {
    let notebook: Notebook = serde_json::from_str(text).ok()?;
    if notebook.cells.is_empty() {
        return None;
    }
    let language = match notebook.metadata.language_info.name.as_str() {
        "" => "python",
        name => name,
    };
    let mut html = String::new();
    // What highlighting all cells may take is what it may take for one file.
    let mut room = HIGHLIGHT_BYTES_MAX;
    for cell in notebook.cells.iter().take(NOTEBOOK_CELLS_MAX) {
        let source = cell.source.joined("");
        match cell.cell_type.as_str() {
            "markdown" => html.push_str(
                &markdown::render(&source, origin, heading_level).unwrap_or_else(|| plain(&source)),
            ),
            "code" => {
                html.push_str("<div class=\"notebook-code\">");
                let language = if source.len() <= room { language } else { "" };
                room = room.saturating_sub(source.len());
                html.push_str(&code_block(language, &source).replacen("<pre>", "<pre tabindex=\"0\">", 1));
                cell.outputs.iter().for_each(|output| push_output(&mut html, output));
                html.push_str("</div>\n");
            }
            _ => html.push_str(&plain(&source)),
        }
    }
    if notebook.cells.len() > NOTEBOOK_CELLS_MAX {
        let cut = t("Only the first {count} cells are shown.").with("count", NOTEBOOK_CELLS_MAX);
        html.push_str(&format!("<p>{}</p>", cut.in_language(said_in)));
    }
    Some(html)
}

fn plain(text: &str) -> String {
    format!("<pre tabindex=\"0\">{}</pre>\n", shown(text))
}

fn push_output(html: &mut String, output: &Output) {
    let images = ["image/png", "image/jpeg", "image/gif"];
    let image = images.iter().find_map(|kind| Some((kind, image(output.data.get(*kind)?)?)));
    if let Some((kind, data)) = image {
        html.push_str(&format!("<p><img alt=\"Output\" src=\"data:{kind};base64,{data}\"></p>\n"));
        return;
    }
    let of_data = output.data.get("text/plain").and_then(|text| Text::deserialize(text).ok());
    let text =
        [output.text.joined(""), output.traceback.joined("\n"), of_data.unwrap_or_default().joined("")]
            .concat();
    let text = without_escapes(&text);
    let cut = text.floor_char_boundary(NOTEBOOK_OUTPUT_BYTES_MAX);
    if !text.is_empty() {
        let more = if cut < text.len() { "\n…" } else { "" };
        html.push_str(&format!(
            "<pre class=\"notebook-output\" tabindex=\"0\">{}{more}</pre>\n",
            shown(&text[..cut])
        ));
    }
}

impl Default for Output {
    fn default() -> Self {
        Self { text: Text::default(), traceback: Text::default(), data: BTreeMap::new() }
    }
}

/// The data of an image, if it is nothing but Base64 and not too large.
fn image(data: &serde_json::Value) -> Option<String> {
    let text = Text::deserialize(data).ok()?;
    let data: String = text.joined("").split_ascii_whitespace().collect();
    let is_base64 =
        data.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    (is_base64 && !data.is_empty() && data.len() <= NOTEBOOK_IMAGE_BYTES_MAX).then_some(data)
}

/// A text without the sequences that colour a terminal (ECMA-48, "CSI").
fn without_escapes(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| ('@'..='~').contains(&c));
        plain.push_str(end.map_or("", |end| &piece[end + 1..]));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_code::links::Links;

    fn rendered(notebook: &serde_json::Value) -> Option<String> {
        let origin = Origin { links: Links::new("d"), revision: "main".into(), file: "n.ipynb".into() };
        html(&notebook.to_string(), &origin, 2, lithe_web::Language::English)
    }

    #[test]
    fn cells_and_outputs_are_shown() {
        let html = rendered(&serde_json::json!({ "nbformat": 4, "cells": [
            { "cell_type": "markdown", "source": ["# Title\n", "![i](plot.png)"] },
            { "cell_type": "code", "source": "def f(): pass", "outputs": [
                { "output_type": "stream", "text": ["one\n", "two"] },
                { "output_type": "execute_result", "data": { "text/plain": ["<3>"] } },
                { "output_type": "display_data", "data": { "image/png": "iVBORw0KGgo=\n", "text/plain": "gone" } },
                { "output_type": "error", "traceback": ["\u{1b}[0;31mBad\u{1b}[0m", "end"] },
            ] },
        ]}))
        .expect("a notebook");
        for part in [
            "<h2",
            "src=\"/d/-/raw/main/plot.png\"",
            "hl-keyword",
            "one\ntwo",
            "&lt;3&gt;",
            "src=\"data:image/png;base64,iVBORw0KGgo=\"",
            "Bad\nend",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("gone"), "{html}");
    }

    #[test]
    fn what_is_no_notebook_is_not_rendered() {
        for text in ["", "{}", "[1]", "{\"cells\": 3}", "{\"cells\": []}", &"[".repeat(100_000)] {
            let origin = Origin { links: Links::new("d"), revision: "main".into(), file: "n.ipynb".into() };
            assert_eq!(
                html(text, &origin, 2, lithe_web::Language::English),
                None,
                "{:?}",
                &text[..text.len().min(20)]
            );
        }
    }

    #[test]
    fn notebooks_have_limits() {
        let cell = serde_json::json!({ "cell_type": "raw", "source": "x" });
        let of = |count: usize| {
            rendered(&serde_json::json!({ "cells": vec![cell.clone(); count] })).expect("a notebook")
        };
        assert!(!of(NOTEBOOK_CELLS_MAX).contains("Only the first"));
        assert!(of(NOTEBOOK_CELLS_MAX + 1).contains("Only the first"));
        let image = |bytes: usize| super::image(&serde_json::json!("A".repeat(bytes)));
        assert!(image(NOTEBOOK_IMAGE_BYTES_MAX).is_some() && image(NOTEBOOK_IMAGE_BYTES_MAX + 1).is_none());
    }
}
