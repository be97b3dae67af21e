//! Sizes in words.

/// A number of bytes with three significant digits and a binary unit (IEC 80000-13).
pub fn bytes(count: u64) -> String {
    const NAMES: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        let unit = if count == 1 { "byte" } else { "bytes" };
        return format!("{count} {unit}");
    }
    let mut size = count as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024 is the next unit's 1.
    while size >= 1023.5 && unit + 1 < NAMES.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = if size < 9.995 {
        2
    } else if size < 99.95 {
        1
    } else {
        0
    };
    format!("{size:.digits$} {}", NAMES[unit])
}

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

/// A number and its noun: `1 commit`, `1,204 commits`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A number with its thousands set apart: `1,204`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            (1536, "1.50 KiB"),
            (10 * 1024, "10.0 KiB"),
            (100 * 1024, "100 KiB"),
            (1024 * 1024 - 1, "1.00 MiB"),
            (1 << 30, "1.00 GiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (count, expected) in cases {
            assert_eq!(bytes(count), expected);
        }
    }

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

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(counted(1, "commit", "commits"), "1 commit");
        assert_eq!(counted(0, "commit", "commits"), "0 commits");
        assert_eq!(counted(1_234_567, "commit", "commits"), "1,234,567 commits");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
    }
}
