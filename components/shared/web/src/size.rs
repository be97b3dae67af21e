//! Sizes in words.

/// A number of bytes with three significant digits and a binary unit (IEC 80000-13).
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        let unit = if count == 1 { "byte" } else { "bytes" };
        return format!("{count} {unit}");
    }
    let mut size = count as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024 is the next unit's 1.
    while size >= 1023.5 && unit + 1 < UNITS.len() {
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
    format!("{size:.digits$} {}", UNITS[unit])
}

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
    fn numbers_are_grouped() {
        assert_eq!(counted(1, "commit", "commits"), "1 commit");
        assert_eq!(counted(0, "commit", "commits"), "0 commits");
        assert_eq!(counted(1_234_567, "commit", "commits"), "1,234,567 commits");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
    }
}
