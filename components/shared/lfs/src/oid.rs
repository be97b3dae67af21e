//! The names of objects.

use std::fmt;

/// How an object is named: by the SHA-256 of its bytes, in 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Oid(String);

impl Oid {
    /// Parses a name in its only form, which is safe as the name of a file.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// The name that a digest gives.
    pub fn of_digest(digest: &[u8]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_form() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(Oid::parse(&good).expect("a name").as_str(), good);
        let upper = good.to_uppercase();
        let dotted = format!("../{}", &good[3..]);
        for bad in [
            "",
            &good[1..],
            &format!("{good}0"),
            &upper,
            &dotted,
            &good.replace('0', "g"),
            &good.replace("01", "é"),
        ] {
            assert_eq!(Oid::parse(bad), None, "{bad}");
        }
    }
}
