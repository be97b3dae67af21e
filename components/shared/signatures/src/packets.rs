//! The keys in an OpenPGP key, as far as their names go (RFC 9580, 4.2 and 5.5): fingerprints and key
//! ids. Nothing of it is verified here; what is not a key is passed over.

use crate::algorithms::check_rsa_bits;
use crate::key::KeyError;
use crate::limits::SUBKEYS_MAX;
use crate::wire::Reader;
use sha1::Sha1;
use sha2::Digest as _;

/// A primary key or subkey that could sign.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyPacket {
    /// `Ed25519`, `RSA 3072`, ….
    pub algorithm: String,
    pub fingerprint: Vec<u8>,
    /// 8 bytes of the fingerprint.
    pub key_id: Vec<u8>,
}

/// The keys that could sign, the primary key first whether or not it could.
pub fn keys(bytes: &[u8]) -> Result<Vec<KeyPacket>, KeyError> {
    let mut reader = Reader(bytes);
    let mut keys = Vec::new();
    while !reader.is_at_end() {
        let (tag, body) = packet(&mut reader).ok_or(KeyError::Malformed)?;
        match (tag, keys.is_empty()) {
            (Tag::SECRET_KEY | Tag::SECRET_SUBKEY, _) => return Err(KeyError::Private),
            (Tag::PUBLIC_KEY, true) => keys.push(key(body)?),
            (Tag::PUBLIC_KEY, false) => return Err(KeyError::Several),
            (_, true) => return Err(KeyError::Malformed),
            (Tag::PUBLIC_SUBKEY, false) => match key(body) {
                Ok(key) => keys.push(key),
                // It is for something else, or nothing that it signs will be accepted.
                Err(KeyError::Unsupported(_) | KeyError::Weak | KeyError::Long) => {}
                Err(error) => return Err(error),
            },
            _ => {}
        }
        if keys.len() > 1 + SUBKEYS_MAX {
            return Err(KeyError::ManySubkeys);
        }
    }
    if keys.is_empty() { Err(KeyError::Malformed) } else { Ok(keys) }
}

/// The kinds of packets that matter here.
pub struct Tag;

impl Tag {
    pub const SIGNATURE: u8 = 2;
    pub const SECRET_KEY: u8 = 5;
    pub const PUBLIC_KEY: u8 = 6;
    pub const SECRET_SUBKEY: u8 = 7;
    pub const USER_ID: u8 = 13;
    pub const PUBLIC_SUBKEY: u8 = 14;
    pub const USER_ATTRIBUTE: u8 = 17;
}

/// Takes a packet: its kind and its body. None if it is cut, or of unknown length.
pub fn packet<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let first = reader.u8().filter(|first| first & 0x80 != 0)?;
    let (tag, len) = if first & 0x40 != 0 {
        let len = match reader.u8()? {
            len @ 0..192 => u32::from(len),
            len @ 192..224 => (u32::from(len) - 192) * 256 + u32::from(reader.u8()?) + 192,
            255 => reader.u32()?,
            _ => return None,
        };
        (first & 0x3f, len)
    } else {
        let len = match first & 3 {
            0 => u32::from(reader.u8()?),
            1 => u32::from(reader.u16()?),
            2 => reader.u32()?,
            _ => return None,
        };
        (first >> 2 & 0xf, len)
    };
    Some((tag, reader.take(usize::try_from(len).ok()?)?))
}

/// The fingerprint of the key in a packet's body, and its key id; none if it is of another version
/// than 4 (RFC 9580, 5.5.4.2).
pub fn name(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let len = u16::try_from(body.len()).ok().filter(|_| body.first() == Some(&4))?;
    let digest = Sha1::new().chain_update([0x99]).chain_update(len.to_be_bytes());
    let fingerprint = digest.chain_update(body).finalize().to_vec();
    let key_id = fingerprint[12..].to_vec();
    Some((fingerprint, key_id))
}

fn key(body: &[u8]) -> Result<KeyPacket, KeyError> {
    let mut reader = Reader(body);
    let head = (reader.u8(), reader.u32(), reader.u8());
    let (Some(version), Some(_created), Some(algorithm)) = head else { return Err(KeyError::Malformed) };
    if version != 4 {
        return Err(KeyError::Unsupported(format!("an OpenPGP key of version {version}")));
    }
    let (fingerprint, key_id) = name(body).ok_or(KeyError::Malformed)?;
    Ok(KeyPacket { algorithm: algorithm_words(algorithm, &mut reader)?, fingerprint, key_id })
}

/// What an algorithm is called (RFC 9580, 9.1), if it signs.
fn algorithm_words(algorithm: u8, material: &mut Reader) -> Result<String, KeyError> {
    let words = match algorithm {
        1 | 3 => {
            let bits = usize::from(material.u16().ok_or(KeyError::Malformed)?);
            check_rsa_bits(bits)?;
            return Ok(format!("RSA {bits}"));
        }
        19 => "ECDSA",
        22 => "EdDSA",
        27 => "Ed25519",
        17 => return Err(KeyError::Unsupported("DSA".into())),
        _ => return Err(KeyError::Unsupported("a key that does not sign".into())),
    };
    Ok(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of the new format with a body shorter than 192 bytes.
    fn made(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[0xc0 | tag, u8::try_from(body.len()).expect("it is short")][..], body].concat()
    }

    fn body(version: u8, algorithm: u8, material: &[u8]) -> Vec<u8> {
        [&[version, 0, 0, 0, 1, algorithm][..], material].concat()
    }

    fn outcome(packets: &[Vec<u8>]) -> Result<usize, KeyError> {
        keys(&packets.concat()).map(|keys| keys.len())
    }

    #[test]
    fn keys_that_sign_are_found_among_the_packets() {
        let ed25519 = body(4, 22, &[7; 40]);
        let (user_id, encrypting) = (made(13, b"A <a@b>"), made(14, &body(4, 18, &[7; 40])));
        let primary = made(6, &ed25519);
        let weak = body(4, 1, &[0x07, 0xff, 1]);
        let strong = body(4, 1, &[0x08, 0x00, 1]);
        let cases = [
            (vec![primary.clone()], Ok(1)),
            (vec![primary.clone(), user_id.clone(), encrypting.clone()], Ok(1)),
            (vec![primary.clone(), user_id.clone(), made(14, &ed25519), encrypting], Ok(2)),
            (vec![made(6, &strong)], Ok(1)),
            (
                vec![made(6, &body(6, 27, &[7; 40]))],
                Err(KeyError::Unsupported("an OpenPGP key of version 6".into())),
            ),
            (vec![made(6, &weak)], Err(KeyError::Weak)),
            (vec![primary.clone(), made(14, &weak)], Ok(1)),
            (vec![primary.clone(), primary.clone()], Err(KeyError::Several)),
            (vec![primary.clone(), made(7, &ed25519)], Err(KeyError::Private)),
            (vec![made(5, &ed25519)], Err(KeyError::Private)),
            (vec![user_id, primary.clone()], Err(KeyError::Malformed)),
            (vec![primary[..20].to_vec()], Err(KeyError::Malformed)),
            (vec![], Err(KeyError::Malformed)),
            (vec![made(6, &body(4, 17, &[7; 40]))], Err(KeyError::Unsupported("DSA".into()))),
        ];
        for (packets, expected) in cases {
            assert_eq!(outcome(&packets), expected, "{packets:?}");
        }
        for (subkeys, expected) in
            [(SUBKEYS_MAX, Ok(SUBKEYS_MAX + 1)), (SUBKEYS_MAX + 1, Err(KeyError::ManySubkeys))]
        {
            let subkeys = vec![made(14, &ed25519); subkeys];
            assert_eq!(outcome(&[vec![primary.clone()], subkeys].concat()), expected);
        }
    }

    #[test]
    fn lengths_are_read_in_every_form() {
        let body = body(4, 22, &[7; 194]);
        let new = [&[0xc6, 192, 8][..], &body].concat();
        let long = [&[0xc6, 255, 0, 0, 0, 200][..], &body].concat();
        let old = [&[0x98, 200][..], &body].concat();
        let old_long = [&[0x99, 0, 200][..], &body].concat();
        let expected = keys(&new).expect("a key");
        for bytes in [long, old, old_long] {
            assert_eq!(keys(&bytes).as_ref(), Ok(&expected), "{bytes:?}");
        }
        for bytes in [[&[0xc6, 224][..], &body].concat(), [&[0x9b][..], &body].concat(), body] {
            assert_eq!(keys(&bytes), Err(KeyError::Malformed));
        }
    }
}
