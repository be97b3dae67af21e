//! OpenPGP signatures and keys of version 4 (RFC 9580, which covers what RFC 4880 had), as far as it
//! takes to say whose a signature over data is. Which key counts when is decided here.

use crate::algorithms::{Curve, Hash, Material, Numbers, padded};
use crate::key::hex;
use crate::packets::{self, Tag};
use crate::wire::Reader;

/// What a key says about a signature that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Good,
    /// It is not of this payload, or was not made by the key, or the key may not sign.
    Bad,
    /// The key had expired when it signed, or the signature has expired since.
    Expired,
    /// The key was revoked before it signed, or since, for a reason for which nothing that it signed
    /// can be believed.
    Revoked,
    /// It was made in a way that is not safe, or not known here.
    Unsupported,
}

/// The types of signatures (RFC 9580, 5.2.1).
mod kind {
    pub const BINARY: u8 = 0x00;
    pub const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;
    pub const SUBKEY_BINDING: u8 = 0x18;
    pub const PRIMARY_KEY_BINDING: u8 = 0x19;
    pub const DIRECT_KEY: u8 = 0x1f;
    pub const KEY_REVOCATION: u8 = 0x20;
    pub const SUBKEY_REVOCATION: u8 = 0x28;
    pub const CERTIFICATION_REVOCATION: u8 = 0x30;
}

/// The flag of a key that may sign data.
const MAY_SIGN: u8 = 2;

/// A signature packet.
#[derive(Debug, Default, Clone)]
pub struct Signature {
    kind: u8,
    algorithm: u8,
    /// None: one that is not safe any more, or not known.
    hash: Option<Hash>,
    /// What is signed of the packet itself.
    hashed: Vec<u8>,
    /// What the algorithm made, not read yet.
    numbers: Vec<u8>,
    /// When it was made, in seconds since 1970; and for how many it holds from then on, for ever if none.
    created: Option<u32>,
    lifetime: Option<u32>,
    /// For how many seconds the key holds, from when it was made.
    key_lifetime: Option<u32>,
    /// What the key may do.
    flags: Option<u8>,
    /// Why the key is revoked.
    reason: Option<u8>,
    /// The fingerprints and key ids of who says to have made it.
    signers: Vec<String>,
    /// The signature of a subkey over its primary key.
    embedded: Option<Vec<u8>>,
    /// Whether it demands something to be understood that is not.
    is_strange: bool,
}

impl Signature {
    /// Reads what was in armor: one signature over data; none if it is malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (tag, body) = packets::packet(&mut reader)?;
        let signature = Self::of_packet(body).filter(|_| tag == Tag::SIGNATURE && reader.is_at_end())?;
        signature.created?;
        Some(signature)
    }

    /// Reads the body of a packet; none if it is malformed, or of another version.
    fn of_packet(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let (version, kind, algorithm, hash) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        if version != 4 {
            return None;
        }
        let hash = match hash {
            8 => Some(Hash::Sha256),
            9 => Some(Hash::Sha384),
            10 => Some(Hash::Sha512),
            _ => None,
        };
        let mut signature = Self { kind, algorithm, hash, ..Self::default() };
        let hashed_len = usize::from(reader.u16()?);
        signature.subpackets(reader.take(hashed_len)?, true)?;
        signature.hashed = body[..6 + hashed_len].to_vec();
        let unhashed_len = usize::from(reader.u16()?);
        signature.subpackets(reader.take(unhashed_len)?, false)?;
        // The digest's first two bytes are for a quick look.
        reader.take(2)?;
        signature.numbers = reader.0.to_vec();
        Some(signature)
    }

    /// Reads subpackets (RFC 9580, 5.2.3.7). Of what is not signed only names count, and what is
    /// signed by itself.
    fn subpackets(&mut self, bytes: &[u8], is_hashed: bool) -> Option<()> {
        let mut reader = Reader(bytes);
        while !reader.is_at_end() {
            let len = match reader.u8()? {
                len @ 0..192 => u32::from(len),
                len @ 192..255 => (u32::from(len) - 192) * 256 + u32::from(reader.u8()?) + 192,
                255 => reader.u32()?,
            };
            let mut data = Reader(reader.take(usize::try_from(len).ok()?)?);
            let kind = data.u8()?;
            match (kind & 0x7f, is_hashed) {
                (2, true) => self.created = Some(data.u32()?),
                (3, true) => self.lifetime = Some(data.u32()?).filter(|seconds| *seconds > 0),
                (9, true) => self.key_lifetime = Some(data.u32()?).filter(|seconds| *seconds > 0),
                (16, _) => self.signers.push(hex(data.0)),
                (27, true) => self.flags = Some(data.u8().unwrap_or(0)),
                (29, true) => self.reason = Some(data.u8()?),
                (32, _) => self.embedded = Some(data.0.to_vec()),
                (33, _) => {
                    let _version = data.u8()?;
                    self.signers.push(hex(data.0));
                }
                // What is said about preferences, trust, the user and where to find the key.
                (4..=7 | 10..=12 | 21..=26 | 28 | 30 | 31 | 34 | 35 | 39, _) => {}
                _ => self.is_strange |= is_hashed && kind & 0x80 != 0,
            }
        }
        Some(())
    }

    pub fn signers(&self) -> Vec<String> {
        self.signers.clone()
    }

    /// Whether a key made it of all parts, one after the other.
    fn is_by(&self, key: &Key, parts: &[&[u8]]) -> bool {
        let (Some(hash), Some(material)) = (self.hash, &key.material) else { return false };
        let len = u32::try_from(self.hashed.len()).expect("it has at most 65,541 bytes").to_be_bytes();
        let trailer = [&self.hashed[..], &[4, 0xff], &len].concat();
        let digest = hash.digest(&[parts, &[&trailer[..]]].concat());
        self.read_numbers().is_some_and(|numbers| material.has_made(&numbers, hash, &digest))
    }

    fn read_numbers(&self) -> Option<Numbers> {
        let mut reader = Reader(&self.numbers);
        match self.algorithm {
            1 | 3 => Some(Numbers::Rsa(mpi(&mut reader)?.to_vec())),
            19 => Some(Numbers::Ecdsa(mpi(&mut reader)?.to_vec(), mpi(&mut reader)?.to_vec())),
            22 => {
                let halves: [[u8; 32]; 2] = [padded(mpi(&mut reader)?)?, padded(mpi(&mut reader)?)?];
                Some(Numbers::Ed25519(halves.concat().try_into().expect("twice 32 bytes")))
            }
            27 => Some(Numbers::Ed25519(reader.0.try_into().ok()?)),
            _ => None,
        }
    }

    fn is_by_any_means(&self) -> bool {
        self.hash.is_some() && !self.is_strange && self.kind == kind::BINARY && self.read_numbers().is_some()
    }

    fn has_expired(&self, now: i64) -> bool {
        let (created, lifetime) = (self.created.unwrap_or(0), self.lifetime);
        lifetime.is_some_and(|lifetime| i64::from(created) + i64::from(lifetime) <= now)
    }
}

/// A number: its length in bits, and its bytes (RFC 9580, 3.2).
fn mpi<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let bits = usize::from(reader.u16()?);
    reader.take(bits.div_ceil(8))
}

/// A primary key or a subkey.
struct Key {
    /// What is signed where the key is: a head, and the packet's body.
    signed: Vec<u8>,
    created: u32,
    names: [String; 2],
    /// None: nothing can be verified by it.
    material: Option<Material>,
}

impl Key {
    fn of_packet(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        reader.u8().filter(|version| *version == 4)?;
        let created = reader.u32()?;
        let algorithm = reader.u8()?;
        let len = u16::try_from(body.len()).ok()?;
        let packet = packets::name(body)?;
        Some(Self {
            signed: [&[0x99][..], &len.to_be_bytes(), body].concat(),
            created,
            names: [hex(&packet.0), hex(&packet.1)],
            material: material(algorithm, &mut reader),
        })
    }

    fn is_named_by(&self, signature: &Signature) -> bool {
        self.names.iter().any(|name| signature.signers.contains(name))
    }
}

/// The numbers of a key (RFC 9580, 5.5.5).
fn material(algorithm: u8, reader: &mut Reader) -> Option<Material> {
    const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
    const P521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];
    const ED25519: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1];
    /// What a point of Ed25519 begins with where its curve is named (RFC 9580, 5.5.5.5).
    const NATIVE: u8 = 0x40;
    match algorithm {
        1 | 3 => Material::rsa(mpi(reader)?, mpi(reader)?),
        19 | 22 => {
            let len = reader.u8()?;
            let name = reader.take(len.into())?;
            let point = mpi(reader)?;
            match (algorithm, name) {
                (19, P256) => Material::ecdsa(Curve::P256, point),
                (19, P384) => Material::ecdsa(Curve::P384, point),
                (19, P521) => Material::ecdsa(Curve::P521, point),
                (22, ED25519) => Material::ed25519(point.strip_prefix(&[NATIVE])?),
                _ => None,
            }
        }
        27 => Material::ed25519(reader.0),
        _ => None,
    }
}

/// A key with its subkeys, and what it says about itself.
pub struct Certificate {
    primary: Key,
    /// Signatures over the primary key by itself, made and not taken back.
    own: Vec<Signature>,
    revocations: Vec<Signature>,
    subkeys: Vec<Subkey>,
}

struct Subkey {
    key: Key,
    bindings: Vec<Signature>,
    revocations: Vec<Signature>,
}

impl Certificate {
    /// Reads a key, and of the signatures in it those that it made itself; none if it is malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (tag, body) = packets::packet(&mut reader)?;
        let primary = Key::of_packet(body).filter(|_| tag == Tag::PUBLIC_KEY)?;
        let mut certificate = Self { primary, own: vec![], revocations: vec![], subkeys: vec![] };
        // What the signatures that follow are about.
        let mut user: Option<User> = None;
        let mut is_about_user = false;
        while !reader.is_at_end() {
            let (tag, body) = packets::packet(&mut reader)?;
            match tag {
                Tag::SIGNATURE => match (Signature::of_packet(body), &mut user) {
                    (Some(signature), Some(user)) if is_about_user => {
                        certificate.certification(signature, user)
                    }
                    // What is said about a picture.
                    (_, None) if is_about_user => {}
                    (Some(signature), _) => certificate.about_key(signature),
                    (None, _) => {}
                },
                Tag::USER_ID | Tag::USER_ATTRIBUTE => {
                    certificate.own.extend(user.take().into_iter().flat_map(User::own));
                    user = (tag == Tag::USER_ID).then(|| User::new(body));
                    is_about_user = true;
                }
                Tag::PUBLIC_SUBKEY => {
                    is_about_user = false;
                    // One of another version is passed over with what follows.
                    let key = Key::of_packet(body)?;
                    certificate.subkeys.push(Subkey { key, bindings: vec![], revocations: vec![] });
                }
                _ => {}
            }
        }
        certificate.own.extend(user.into_iter().flat_map(User::own));
        Some(certificate)
    }

    /// Takes in a signature after the primary key or a subkey.
    fn about_key(&mut self, signature: Signature) {
        let primary = &self.primary;
        match (self.subkeys.last_mut(), signature.kind) {
            (None, kind::DIRECT_KEY) if signature.is_by(primary, &[&primary.signed]) => {
                self.own.push(signature)
            }
            (None, kind::KEY_REVOCATION) if signature.is_by(primary, &[&primary.signed]) => {
                self.revocations.push(signature);
            }
            (Some(subkey), kind::SUBKEY_BINDING | kind::SUBKEY_REVOCATION)
                if signature.is_by(primary, &[&primary.signed, &subkey.key.signed]) =>
            {
                match signature.kind {
                    kind::SUBKEY_BINDING => subkey.bindings.push(signature),
                    _ => subkey.revocations.push(signature),
                }
            }
            _ => {}
        }
    }

    /// Takes in a signature after a user's name.
    fn certification(&self, signature: Signature, user: &mut User) {
        let is_one = kind::CERTIFICATIONS.contains(&signature.kind)
            || signature.kind == kind::CERTIFICATION_REVOCATION;
        let is_own = signature.signers.is_empty() || self.primary.is_named_by(&signature);
        if is_one && is_own && signature.is_by(&self.primary, &[&self.primary.signed, &user.signed]) {
            match signature.kind {
                kind::CERTIFICATION_REVOCATION => user.is_revoked = true,
                _ => user.certifications.push(signature),
            }
        }
    }

    /// Judges a signature that names this key or a subkey of it. Both count as they were when it was
    /// made; `now` is the present, in seconds since 1970.
    pub fn judge(&self, signature: &Signature, payload: &[u8], now: i64) -> Outcome {
        if !signature.is_by_any_means() {
            return Outcome::Unsupported;
        }
        let at = signature.created.unwrap_or(0);
        let subkey = self.subkeys.iter().find(|subkey| subkey.key.is_named_by(signature));
        let (key, standing) = match subkey {
            Some(subkey) => (&subkey.key, self.standing(at).and_then(|_| self.subkey_standing(subkey, at))),
            None => (&self.primary, self.standing(at)),
        };
        if !signature.is_by(key, &[payload]) {
            return Outcome::Bad;
        }
        match standing {
            Err(outcome) => outcome,
            Ok(Standing { may_sign: false }) => Outcome::Bad,
            Ok(_) if signature.has_expired(now) => Outcome::Expired,
            Ok(_) => Outcome::Good,
        }
    }

    /// What the primary key was at a time; fails with why nothing that it signed then counts.
    fn standing(&self, at: u32) -> Result<Standing, Outcome> {
        check_revocations(&self.revocations, at)?;
        // As GnuPG does: the last word counts, even if it was said after the signature was made.
        let own = self.own.iter().max_by_key(|own| own.created).ok_or(Outcome::Unsupported)?;
        check_lifetime(own, &self.primary, at)?;
        Ok(Standing::of(own))
    }

    /// The same of a subkey.
    fn subkey_standing(&self, subkey: &Subkey, at: u32) -> Result<Standing, Outcome> {
        check_revocations(&subkey.revocations, at)?;
        let binding = subkey.bindings.iter().max_by_key(|binding| binding.created).ok_or(Outcome::Bad)?;
        check_lifetime(binding, &subkey.key, at)?;
        // The subkey has to say as well that it belongs to the primary key, or anybody could claim it.
        let back = binding.embedded.as_deref().and_then(Signature::of_packet);
        let is_claimed_back = back.is_some_and(|back| {
            back.kind == kind::PRIMARY_KEY_BINDING
                && back.is_by(&subkey.key, &[&self.primary.signed, &subkey.key.signed])
        });
        Ok(Standing { may_sign: is_claimed_back && Standing::of(binding).may_sign })
    }
}

/// A user's name, and what the key says of it.
struct User {
    signed: Vec<u8>,
    certifications: Vec<Signature>,
    is_revoked: bool,
}

impl User {
    fn new(name: &[u8]) -> Self {
        let len = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
        Self { signed: [&[0xb4][..], &len, name].concat(), certifications: vec![], is_revoked: false }
    }

    /// What counts of it.
    fn own(self) -> Vec<Signature> {
        if self.is_revoked { Vec::new() } else { self.certifications }
    }
}

/// What a key may do.
struct Standing {
    may_sign: bool,
}

impl Standing {
    /// What a key's signature over itself says. Keys from before there were flags may do everything.
    fn of(own: &Signature) -> Self {
        Self { may_sign: own.flags.is_none_or(|flags| flags & MAY_SIGN != 0) }
    }
}

fn check_revocations(revocations: &[Signature], at: u32) -> Result<(), Outcome> {
    /// The key is superseded, or not used any more (RFC 9580, 5.2.3.31).
    const SOFT: [u8; 2] = [1, 3];
    for revocation in revocations {
        let is_soft = revocation.reason.is_some_and(|reason| SOFT.contains(&reason));
        // Else somebody else may have the key, and can date what they sign as they like.
        if !is_soft || revocation.created.is_none_or(|created| created <= at) {
            return Err(Outcome::Revoked);
        }
    }
    Ok(())
}

fn check_lifetime(own: &Signature, key: &Key, at: u32) -> Result<(), Outcome> {
    if at < key.created {
        return Err(Outcome::Bad);
    }
    match own.key_lifetime {
        Some(lifetime) if u64::from(key.created) + u64::from(lifetime) <= u64::from(at) => {
            Err(Outcome::Expired)
        }
        _ => Ok(()),
    }
}
