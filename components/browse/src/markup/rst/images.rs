//! Images.

use super::tree::Image;
use super::write::Writer;
use crate::markup::escaped;

impl Writer<'_> {
    pub(super) fn image(&self, image: &Image) -> String {
        let mut html =
            format!("<img src=\"{}\" alt=\"{}\"", escaped(&image.address), escaped(&image.alternative));
        for (name, value) in [("width", pixels(&image.width, true)), ("height", pixels(&image.height, false))]
        {
            if let Some(value) = value {
                html.push_str(&format!(" {name}=\"{value}\""));
            }
        }
        if matches!(image.align.as_str(), "left" | "right") {
            html.push_str(&format!(" align=\"{}\"", image.align));
        }
        html.push('>');
        if image.target.is_empty() {
            return html;
        }
        let name = image.target.strip_suffix('_').map(|name| name.trim_matches('`'));
        let address = name.and_then(|name| self.names.address(name)).unwrap_or_else(|| image.target.clone());
        format!("<a href=\"{}\">{html}</a>", escaped(&address))
    }
}

/// A length in pixels, or of all the width there is.
fn pixels(length: &str, may_be_part: bool) -> Option<String> {
    let digits = length.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(length.len());
    let number: f64 = length[..digits].parse().ok()?;
    let of_unit = match length[digits..].trim() {
        "" | "px" => 1.0,
        "%" if may_be_part => return Some(format!("{}%", number.min(100.0))),
        "em" => 16.0,
        "ex" => 8.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "pt" => 1.33,
        "pc" => 16.0,
        _ => return None,
    };
    let pixels = (number * of_unit).round();
    (1.0..=10_000.0).contains(&pixels).then(|| pixels.to_string())
}
