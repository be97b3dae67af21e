//! Whether there is a signature at all. What can be told without a key is that one is there, in armor,
//! and of a form that OpenPGP, SSH or X.509 (RFC 5652) have.

use crate::armor;
use crate::signed::{signature_start, take_headers};

/// Whether a commit carries a well-formed signature.
pub fn is_commit_signed(commit: &[u8]) -> bool {
    take_headers(commit).1.iter().any(|header| is_well_formed(&header.text))
}

/// Whether an annotated tag ends with a well-formed signature.
pub fn is_tag_signed(tag: &[u8]) -> bool {
    signature_start(tag).is_some_and(|start| is_well_formed(&tag[start..]))
}

/// No signature of any kind is shorter, in bytes.
const BYTES_MIN: usize = 32;

fn is_well_formed(text: &[u8]) -> bool {
    let Some(armored) = std::str::from_utf8(text).ok().and_then(armor::open) else { return false };
    let bytes = &armored.bytes[..];
    let is_form = match armored.label {
        "PGP SIGNATURE" | "PGP MESSAGE" => is_openpgp(bytes),
        "SSH SIGNATURE" => bytes.starts_with(b"SSHSIG\0\0\0\x01"),
        // A sequence, in DER.
        "SIGNED MESSAGE" | "PKCS7" | "CMS" => bytes.first() == Some(&0x30),
        _ => false,
    };
    is_form && bytes.len() > BYTES_MIN
}

/// Whether the first packet is a signature, or could hold one (RFC 9580, 4.2).
fn is_openpgp(bytes: &[u8]) -> bool {
    const SIGNATURE: u8 = 2;
    const ONE_PASS: u8 = 4;
    const COMPRESSED: u8 = 8;
    let Some(&first) = bytes.first().filter(|first| **first & 0x80 != 0) else { return false };
    let kind = if first & 0x40 != 0 { first & 0x3f } else { first >> 2 & 0xf };
    matches!(kind, SIGNATURE | ONE_PASS | COMPRESSED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::armor::armor;

    fn commit(signature: &str) -> Vec<u8> {
        let signature = signature.replace('\n', "\n ");
        format!("tree 1\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\ngpgsig {signature}\n\nMessage\n")
            .into_bytes()
    }

    #[test]
    fn signatures_are_told_from_what_is_none() {
        let openpgp = [&[0x89_u8, 2][..], &[7; 60]].concat();
        let openpgp_new = [&[0xc2_u8, 60][..], &[7; 60]].concat();
        let ssh = [&b"SSHSIG\0\0\0\x01"[..], &[7; 60]].concat();
        let x509 = [&[0x30_u8, 0x80][..], &[7; 60]].concat();
        let cases = [
            (armor("PGP SIGNATURE", "\n", &openpgp), true),
            (armor("PGP SIGNATURE", "Version: 1\n\n", &openpgp_new), true),
            (armor("SSH SIGNATURE", "", &ssh), true),
            (armor("SIGNED MESSAGE", "", &x509), true),
            (armor("PGP SIGNATURE", "\n", &openpgp[..BYTES_MIN]), false),
            (armor("PGP SIGNATURE", "\n", &openpgp[..=BYTES_MIN]), true),
            (armor("PGP SIGNATURE", "\n", &ssh), false),
            (armor("PGP SIGNATURE", "\n", &[&[0x99_u8, 2][..], &[7; 60]].concat()), false),
            (armor("SSH SIGNATURE", "", &openpgp), false),
            (armor("SIGNED MESSAGE", "", &ssh), false),
            (armor("PGP PUBLIC KEY BLOCK", "\n", &openpgp), false),
            ("signed, honestly".into(), false),
            (String::new(), false),
        ];
        for (signature, expected) in cases {
            assert_eq!(is_commit_signed(&commit(&signature)), expected, "{signature}");
            let tag =
                format!("object 1\ntype commit\ntag v1\ntagger A <a> 1 +0000\n\nMessage\n{signature}\n");
            assert_eq!(is_tag_signed(tag.as_bytes()), expected, "{signature}");
        }
    }

    #[test]
    fn a_signature_in_the_message_of_a_commit_is_none() {
        let ssh = armor("SSH SIGNATURE", "", &[&b"SSHSIG\0\0\0\x01"[..], &[7; 60]].concat());
        let text = format!("tree 1\n\ngpgsig {}\n", ssh.replace('\n', "\n "));
        assert!(!is_commit_signed(text.as_bytes()));
        assert!(!is_commit_signed(b""));
        assert!(!is_tag_signed(b""));
    }
}
