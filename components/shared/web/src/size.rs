//! Sizes as people enter them.

/// A number of bytes as [`parse`] reads it again: `10 MiB`, `1500`.
pub fn exact(count: u64) -> String {
    let unit = UNITS.iter().rev().find(|(_, unit)| count > 0 && count.is_multiple_of(*unit));
    unit.map_or_else(|| count.to_string(), |(name, unit)| format!("{} {name}", count / unit))
}

/// Reads a number of bytes, with a binary unit or without: `10 MiB`, `1.5G`, `1500`. None: it is
/// none, or larger than any.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, name) = (&text[..end], text[end..].trim().to_ascii_lowercase());
    let is_name = |full: &str| {
        let full = full.to_ascii_lowercase();
        name == full || name == full[..1] || name == full.replace('i', "")
    };
    let unit = match name.as_str() {
        "" | "b" | "byte" | "bytes" => 1,
        _ => UNITS.iter().find(|(full, _)| is_name(full))?.1,
    };
    if !number.contains('.') {
        return number.parse::<u64>().ok()?.checked_mul(unit);
    }
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    (bytes < u64::MAX as f64 && unit > 1).then_some(bytes as u64)
}

const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (count, text) in
            [(0, "0"), (1500, "1500"), (1 << 10, "1 KiB"), (10 << 20, "10 MiB"), (3 << 40, "3 TiB")]
        {
            assert_eq!((exact(count).as_str(), parse(text)), (text, Some(count)));
        }
        let cases = [
            ("10MiB", Some(10 << 20)),
            ("10 mb", Some(10 << 20)),
            ("10m", Some(10 << 20)),
            (" 1.5 GiB ", Some(3 << 29)),
            ("7 bytes", Some(7)),
            ("1.5", None),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1 x", None),
            ("1 MiBx", None),
            ("99999999999 TiB", None),
            ("1.2.3 GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
