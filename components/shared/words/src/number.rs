//! Numbers and sizes, as a language writes them.

use crate::{Language, tn};
use std::fmt::{self, Write};

impl Language {
    /// What stands between thousands.
    fn group_separator(self) -> char {
        match self {
            Self::English | Self::Pseudo => ',',
            Self::German => '.',
        }
    }

    /// What stands before a fraction.
    fn decimal_separator(self) -> char {
        match self {
            Self::English | Self::Pseudo => '.',
            Self::German => ',',
        }
    }
}

/// Writes a number with its thousands set apart: `1,204`.
pub(crate) fn write_grouped(to: &mut dyn Write, number: u64, language: Language) -> fmt::Result {
    let digits = number.to_string();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            to.write_char(language.group_separator())?;
        }
        to.write_char(digit)?;
    }
    Ok(())
}

/// Writes a number of bytes with three significant digits and a binary unit (IEC 80000-13).
pub(crate) fn write_size(to: &mut dyn Write, bytes: u64, language: Language) -> fmt::Result {
    const NAMES: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return tn("{n} byte", "{n} bytes", bytes).write(to, language);
    }
    let mut size = bytes as f64 / 1024.0;
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
    let number =
        format!("{size:.digits$}").replace('.', language.decimal_separator().encode_utf8(&mut [0; 4]));
    write!(to, "{number} {}", NAMES[unit])
}

/// Writes a part of a whole as a percentage with one digit after the point, rounded. Only nothing is 0 %, and only
/// the whole 100 %.
pub(crate) fn write_share(to: &mut dyn Write, (part, whole): (u64, u64), language: Language) -> fmt::Result {
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole.max(1)));
    let rounded = (part * 1_000 + whole / 2) / whole;
    let (sign, thousandths) = match rounded {
        0 if part > 0 => ("< ", 1),
        1_000 if part < whole => ("> ", 999),
        _ => ("", rounded),
    };
    write!(to, "{sign}{}{}{} %", thousandths / 10, language.decimal_separator(), thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn sizes_are_readable() {
        let cases = [
            (0, "0 bytes", "0 Bytes"),
            (1, "1 byte", "1 Byte"),
            (1023, "1,023 bytes", "1.023 Bytes"),
            (1024, "1.00 KiB", "1,00 KiB"),
            (1536, "1.50 KiB", "1,50 KiB"),
            (10 * 1024, "10.0 KiB", "10,0 KiB"),
            (100 * 1024, "100 KiB", "100 KiB"),
            (1024 * 1024 - 1, "1.00 MiB", "1,00 MiB"),
            (1 << 30, "1.00 GiB", "1,00 GiB"),
            (u64::MAX, "16.0 EiB", "16,0 EiB"),
        ];
        for (bytes, english, german) in cases {
            let size = Text::size(bytes);
            assert_eq!(
                (size.to_string().as_str(), size.in_language(Language::German).as_str()),
                (english, german)
            );
        }
    }

    #[test]
    fn parts_are_percentages() {
        let cases = [
            (1, 8, "12.5 %", "12,5 %"),
            (2, 3, "66.7 %", "66,7 %"),
            (0, 3, "0.0 %", "0,0 %"),
            (0, 0, "0.0 %", "0,0 %"),
            (1, 10_000, "< 0.1 %", "< 0,1 %"),
            (9_999, 10_000, "> 99.9 %", "> 99,9 %"),
            (u64::MAX, u64::MAX, "100.0 %", "100,0 %"),
        ];
        for (part, whole, english, german) in cases {
            let share = Text::share(part, whole);
            assert_eq!(
                (share.to_string().as_str(), &*share.in_language(Language::German)),
                (english, german)
            );
        }
    }

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0_u64, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1.000"),
            (1_234_567, "1,234,567", "1.234.567"),
        ];
        for (number, english, german) in cases {
            let number = Text::number(number);
            assert_eq!(
                (number.to_string().as_str(), number.in_language(Language::German).as_str()),
                (english, german)
            );
        }
    }
}
