//! Characters by their names (orgmode.org/manual/Special-Symbols.html).

/// The character of that name.
pub fn entity(name: &str) -> Option<&'static str> {
    let found = ENTITIES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    Some(ENTITIES[found].1)
}

/// Names and characters, in the order of the names.
#[rustfmt::skip]
const ENTITIES: [(&str, &str); 322] = [
    ("AA", "Å"), ("AElig", "Æ"), ("Aacute", "Á"), ("Acirc", "Â"), ("Agrave", "À"), ("Alpha", "Α"),
    ("Aring", "Å"), ("Atilde", "Ã"), ("Auml", "Ä"), ("Beta", "Β"), ("Ccedil", "Ç"), ("Chi", "Χ"),
    ("Dagger", "‡"), ("Delta", "Δ"), ("Downarrow", "⇓"), ("ETH", "Ð"), ("EUR", "€"), ("Eacute", "É"),
    ("Ecirc", "Ê"), ("Egrave", "È"), ("Epsilon", "Ε"), ("Eta", "Η"), ("Euml", "Ë"), ("Gamma", "Γ"),
    ("Iacute", "Í"), ("Icirc", "Î"), ("Igrave", "Ì"), ("Iota", "Ι"), ("Iuml", "Ï"), ("Kappa", "Κ"),
    ("Lambda", "Λ"), ("Leftarrow", "⇐"), ("Leftrightarrow", "⇔"), ("Mu", "Μ"), ("Ntilde", "Ñ"), ("Nu",
    "Ν"), ("OElig", "Œ"), ("Oacute", "Ó"), ("Ocirc", "Ô"), ("Ograve", "Ò"), ("Omega", "Ω"), ("Omicron",
    "Ο"), ("Oslash", "Ø"), ("Otilde", "Õ"), ("Ouml", "Ö"), ("Phi", "Φ"), ("Pi", "Π"), ("Prime", "″"),
    ("Psi", "Ψ"), ("Rho", "Ρ"), ("Rightarrow", "⇒"), ("S", "§"), ("Scaron", "Š"), ("Sigma", "Σ"),
    ("THORN", "Þ"), ("Tau", "Τ"), ("Theta", "Θ"), ("USD", "$"), ("Uacute", "Ú"), ("Ucirc", "Û"),
    ("Ugrave", "Ù"), ("Uparrow", "⇑"), ("Upsilon", "Υ"), ("Uuml", "Ü"), ("Xi", "Ξ"), ("Yacute", "Ý"),
    ("Yuml", "Ÿ"), ("Zeta", "Ζ"), ("aacute", "á"), ("acirc", "â"), ("acute", "´"), ("aelig", "æ"),
    ("agrave", "à"), ("alefsym", "ℵ"), ("aleph", "ℵ"), ("alpha", "α"), ("amp", "&"), ("ang", "∠"),
    ("angle", "∠"), ("approx", "≈"), ("aring", "å"), ("asciicirc", "^"), ("ast", "∗"), ("asymp", "≈"),
    ("atilde", "ã"), ("auml", "ä"), ("bdquo", "„"), ("because", "∵"), ("beta", "β"), ("blacksmile",
    "☻"), ("brvbar", "¦"), ("bull", "•"), ("bullet", "•"), ("cap", "∩"), ("ccedil", "ç"), ("cdot", "⋅"),
    ("cdots", "⋯"), ("cedil", "¸"), ("cent", "¢"), ("check", "✓"), ("checkmark", "✓"), ("chi", "χ"),
    ("circ", "ˆ"), ("clubs", "♣"), ("colon", ":"), ("cong", "≅"), ("copy", "©"), ("crarr", "↵"), ("cup",
    "∪"), ("curren", "¤"), ("dArr", "⇓"), ("dag", "†"), ("dagger", "†"), ("darr", "↓"), ("ddag", "‡"),
    ("deg", "°"), ("delta", "δ"), ("diams", "♦"), ("div", "÷"), ("dollar", "$"), ("dots", "…"),
    ("downarrow", "↓"), ("eacute", "é"), ("ecirc", "ê"), ("egrave", "è"), ("ell", "ℓ"), ("empty", "∅"),
    ("emptyset", "∅"), ("emsp", "\u{2003}"), ("ensp", "\u{2002}"), ("epsilon", "ε"), ("equal", "="),
    ("equiv", "≡"), ("eta", "η"), ("eth", "ð"), ("euml", "ë"), ("euro", "€"), ("exist", "∃"), ("exists",
    "∃"), ("fnof", "ƒ"), ("forall", "∀"), ("frac12", "½"), ("frac14", "¼"), ("frac34", "¾"), ("frasl",
    "⁄"), ("frown", "⌢"), ("gamma", "γ"), ("ge", "≥"), ("geq", "≥"), ("gets", "←"), ("gt", ">"),
    ("hArr", "⇔"), ("harr", "↔"), ("hearts", "♥"), ("hellip", "…"), ("iacute", "í"), ("icirc", "î"),
    ("iexcl", "¡"), ("igrave", "ì"), ("image", "ℑ"), ("imath", "ı"), ("in", "∈"), ("infin", "∞"),
    ("infty", "∞"), ("int", "∫"), ("iota", "ι"), ("iquest", "¿"), ("isin", "∈"), ("iuml", "ï"),
    ("jmath", "ȷ"), ("kappa", "κ"), ("lArr", "⇐"), ("lambda", "λ"), ("land", "∧"), ("lang", "⟨"),
    ("laquo", "«"), ("larr", "←"), ("lceil", "⌈"), ("ldquo", "“"), ("le", "≤"), ("leftarrow", "←"),
    ("leftrightarrow", "↔"), ("leq", "≤"), ("lfloor", "⌊"), ("lor", "∨"), ("lowast", "∗"), ("loz", "◊"),
    ("lrm", "‎"), ("lsaquo", "‹"), ("lsquo", "‘"), ("lt", "<"), ("macr", "¯"), ("mdash", "—"), ("micro",
    "µ"), ("middot", "·"), ("minus", "−"), ("mu", "μ"), ("nabla", "∇"), ("nbsp", "\u{a0}"), ("ndash",
    "–"), ("ne", "≠"), ("neg", "¬"), ("neq", "≠"), ("nexists", "∄"), ("ni", "∋"), ("not", "¬"),
    ("notin", "∉"), ("nsub", "⊄"), ("nsup", "⊅"), ("ntilde", "ñ"), ("nu", "ν"), ("oacute", "ó"),
    ("ocirc", "ô"), ("odot", "⊙"), ("oelig", "œ"), ("ograve", "ò"), ("oline", "‾"), ("omega", "ω"),
    ("omicron", "ο"), ("oplus", "⊕"), ("ordf", "ª"), ("ordm", "º"), ("oslash", "ø"), ("otilde", "õ"),
    ("otimes", "⊗"), ("ouml", "ö"), ("para", "¶"), ("partial", "∂"), ("permil", "‰"), ("perp", "⊥"),
    ("phi", "φ"), ("pi", "π"), ("piv", "ϖ"), ("plus", "+"), ("plusmn", "±"), ("pm", "±"), ("pound",
    "£"), ("prime", "′"), ("prod", "∏"), ("prop", "∝"), ("propto", "∝"), ("psi", "ψ"), ("quot", "\""),
    ("rArr", "⇒"), ("radic", "√"), ("rang", "⟩"), ("raquo", "»"), ("rarr", "→"), ("rceil", "⌉"),
    ("rdquo", "”"), ("real", "ℜ"), ("reg", "®"), ("rfloor", "⌋"), ("rho", "ρ"), ("rightarrow", "→"),
    ("rlm", "‏"), ("rsaquo", "›"), ("rsquo", "’"), ("sad", "☹"), ("sbquo", "‚"), ("scaron", "š"),
    ("sdot", "⋅"), ("sect", "§"), ("shy", "\u{ad}"), ("sigma", "σ"), ("sigmaf", "ς"), ("sim", "∼"),
    ("simeq", "≅"), ("slash", "/"), ("smile", "⌣"), ("smiley", "☺"), ("spades", "♠"), ("star", "⋆"),
    ("sub", "⊂"), ("sube", "⊆"), ("subset", "⊂"), ("sum", "∑"), ("sup", "⊃"), ("sup1", "¹"), ("sup2",
    "²"), ("sup3", "³"), ("supe", "⊇"), ("supset", "⊃"), ("szlig", "ß"), ("tau", "τ"), ("therefore",
    "∴"), ("theta", "θ"), ("thetasym", "ϑ"), ("thinsp", "\u{2009}"), ("thorn", "þ"), ("tilde", "~"),
    ("times", "×"), ("to", "→"), ("trade", "™"), ("uArr", "⇑"), ("uacute", "ú"), ("uarr", "↑"),
    ("ucirc", "û"), ("ugrave", "ù"), ("uml", "¨"), ("under", "_"), ("uparrow", "↑"), ("upsih", "ϒ"),
    ("upsilon", "υ"), ("uuml", "ü"), ("varepsilon", "ε"), ("varphi", "φ"), ("varpi", "ϖ"), ("varsigma",
    "ς"), ("vartheta", "ϑ"), ("vbar", "|"), ("vee", "∨"), ("vert", "|"), ("wedge", "∧"), ("weierp",
    "℘"), ("xi", "ξ"), ("yacute", "ý"), ("yen", "¥"), ("yuml", "ÿ"), ("zeta", "ζ"), ("zwj", "‍"),
    ("zwnj", "‌"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(ENTITIES.is_sorted_by(|one, other| one.0 < other.0));
        assert_eq!(
            ["rarr", "nbsp", "Ouml", "nothing"].map(entity),
            [Some("→"), Some("\u{a0}"), Some("Ö"), None]
        );
    }
}
