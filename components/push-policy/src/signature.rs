//! Signatures of commits and tags (gitformat-signature(5)).
//!
//! Accounts have no keys yet, so that nobody can say whose a signature is. What can be told without
//! a key is that there is one: in the armor of OpenPGP (RFC 9580, 6.2), SSH (OpenSSH's
//! PROTOCOL.sshsig) or X.509 (RFC 5652 in the armor of RFC 7468), and of that form inside.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The headers in which a commit carries signatures.
const HEADERS: [&[u8]; 2] = [b"gpgsig ", b"gpgsig-sha256 "];

/// Whether a commit carries a well-formed signature.
pub fn is_commit_signed(commit: &[u8]) -> bool {
    let mut lines = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let Some(first) = HEADERS.iter().find_map(|header| line.strip_prefix(*header)) else { continue };
        let mut text = first.to_vec();
        while let Some(line) = lines.next_if(|line| line.starts_with(b" ")) {
            text.push(b'\n');
            text.extend_from_slice(&line[1..]);
        }
        if is_well_formed(&text) {
            return true;
        }
    }
    false
}

/// Whether an annotated tag ends with a well-formed signature.
pub fn is_tag_signed(tag: &[u8]) -> bool {
    let Some(begin) = tag
        .windows(11)
        .enumerate()
        .rev()
        .find(|(at, window)| *window == b"-----BEGIN " && (*at == 0 || tag[at - 1] == b'\n'))
    else {
        return false;
    };
    is_well_formed(&tag[begin.0..])
}

/// Whether a text is one signature in armor.
fn is_well_formed(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text = text.trim_end();
    let label = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
    let Some((label, rest)) = label.and_then(|(label, rest)| Some((label, rest.strip_prefix('\n')?))) else {
        return false;
    };
    let Some(body) = rest.strip_suffix(&format!("-----END {label}-----")) else { return false };
    let is_form: fn(&[u8]) -> bool = match label {
        "PGP SIGNATURE" | "PGP MESSAGE" => is_openpgp,
        "SSH SIGNATURE" => |bytes| bytes.starts_with(b"SSHSIG\0\0\0\x01"),
        // A sequence, in DER.
        "SIGNED MESSAGE" | "PKCS7" | "CMS" => |bytes| bytes.first() == Some(&0x30),
        _ => return false,
    };
    decode(body, label.starts_with("PGP")).is_some_and(|bytes| bytes.len() > MIN_BYTES && is_form(&bytes))
}

/// No signature of any kind is shorter.
const MIN_BYTES: usize = 32;

/// The bytes in armor; OpenPGP has headers before and a checksum after them.
fn decode(body: &str, is_openpgp: bool) -> Option<Vec<u8>> {
    let body = match is_openpgp {
        false => body,
        true => match body.split_once("\n\n") {
            Some((_, body)) => body,
            None => body.strip_prefix('\n')?,
        },
    };
    let is_checksum = |line: &&str| is_openpgp && line.starts_with('=');
    let text: String = body.lines().take_while(|line| !is_checksum(line)).map(str::trim).collect();
    BASE64.decode(text).ok()
}

/// Whether the first packet is a signature, or could hold one (RFC 9580, 4.2).
fn is_openpgp(bytes: &[u8]) -> bool {
    const SIGNATURE: u8 = 2;
    const COMPRESSED: u8 = 8;
    const ONE_PASS: u8 = 4;
    let Some(&first) = bytes.first().filter(|first| **first & 0x80 != 0) else { return false };
    let kind = if first & 0x40 != 0 { first & 0x3f } else { first >> 2 & 0xf };
    matches!(kind, SIGNATURE | COMPRESSED | ONE_PASS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armor(label: &str, between: &str, bytes: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{between}{}\n-----END {label}-----", BASE64.encode(bytes))
    }

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
            (armor("PGP SIGNATURE", "Version: 1\nComment: x\n\n", &openpgp_new), true),
            (armor("SSH SIGNATURE", "", &ssh), true),
            (armor("SIGNED MESSAGE", "", &x509), true),
            (armor("PGP SIGNATURE", "\n", &openpgp).replace("\n-----END", "\n=abcd\n-----END"), true),
            (armor("PGP SIGNATURE", "\n", &openpgp[..MIN_BYTES]), false),
            (armor("PGP SIGNATURE", "\n", &openpgp[..=MIN_BYTES]), true),
            (armor("PGP SIGNATURE", "\n", &ssh), false),
            (armor("PGP SIGNATURE", "\n", &[&[0x99_u8, 2][..], &[7; 60]].concat()), false),
            (armor("SSH SIGNATURE", "", &openpgp), false),
            (armor("SIGNED MESSAGE", "", &ssh), false),
            (armor("PGP PUBLIC KEY BLOCK", "\n", &openpgp), false),
            (armor("PGP SIGNATURE", "\n", &openpgp).replace("END PGP", "END SSH"), false),
            (armor("SSH SIGNATURE", "?", &ssh), false),
            ("-----BEGIN SSH SIGNATURE-----".into(), false),
            ("-----BEGIN ".into(), false),
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
