//! Armor: bytes as lines of base64 between `-----BEGIN` and `-----END`, as SSH has it (RFC 7468), and
//! OpenPGP with headers before and a checksum after (RFC 9580, 6.2).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with or without its padding.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What was in armor.
#[derive(Debug, PartialEq, Eq)]
pub struct Armored<'a> {
    /// `SSH SIGNATURE`, `PGP PUBLIC KEY BLOCK`, ….
    pub label: &'a str,
    pub bytes: Vec<u8>,
}

/// Takes the armor off a text that is nothing besides; none if it is not that.
pub fn open(text: &str) -> Option<Armored<'_>> {
    let mut lines = text.trim().lines().map(str::trim_end);
    let label = lines.next()?.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    let is_openpgp = label.starts_with("PGP ");
    let mut lines = lines.rev();
    if lines.next()?.strip_prefix("-----END ")?.strip_suffix("-----")? != label {
        return None;
    }
    let mut lines = lines.rev();
    if lines.clone().any(|line| line.starts_with("-----")) {
        return None;
    }
    if is_openpgp {
        // Headers, and the empty line that ends them.
        lines.by_ref().find(|line| line.is_empty())?;
    }
    let body: String = lines.take_while(|line| !(is_openpgp && line.starts_with('='))).collect();
    Some(Armored { label, bytes: BASE64.decode(body).ok()? })
}

#[cfg(test)]
pub fn armor(label: &str, between: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{between}{}\n-----END {label}-----", BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armor_comes_off() {
        let bytes = [7; 60];
        let cases = [
            (armor("SSH SIGNATURE", "", &bytes), true),
            (armor("SSH SIGNATURE", "", &bytes).replace('\n', "\r\n"), true),
            (format!("\n{}\n\n", armor("SSH SIGNATURE", "", &bytes)), true),
            (armor("PGP SIGNATURE", "\n", &bytes), true),
            (armor("PGP SIGNATURE", "Version: 1\nComment: x\n\n", &bytes), true),
            (armor("PGP SIGNATURE", "\n", &bytes).replace("\n-----END", "\n=abcd\n-----END"), true),
            (armor("PGP SIGNATURE", "", &bytes), false),
            (format!("{0}\n{0}", armor("PGP SIGNATURE", "\n", &bytes)), false),
            (armor("SSH SIGNATURE", "?", &bytes), false),
            (armor("SSH SIGNATURE", "", &bytes).replace("END SSH", "END PGP"), false),
            (format!("x{}", armor("SSH SIGNATURE", "", &bytes)), false),
            (format!("{}x", armor("SSH SIGNATURE", "", &bytes)), false),
            ("-----BEGIN SSH SIGNATURE-----".into(), false),
            ("-----BEGIN ".into(), false),
            (String::new(), false),
        ];
        for (text, is_armor) in cases {
            let opened = open(&text).map(|armored| armored.bytes);
            assert_eq!(opened, is_armor.then(|| bytes.to_vec()), "{text}");
        }
    }
}
