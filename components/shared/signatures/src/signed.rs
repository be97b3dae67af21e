//! A commit or annotated tag taken apart: what is signed, and the signature (gitformat-signature(5)).

use gix_hash::Kind;

/// A commit or tag that carries a signature, of whatever form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What the signature is over: the object without its signatures.
    pub payload: Vec<u8>,
    /// The signature, in armor if it is one.
    pub signature: Vec<u8>,
    /// The address of the committer or tagger; empty if the object has none.
    pub address: String,
}

/// What the headers with signatures begin with: `gpgsig` and `gpgsig-sha256`.
const HEADERS: &[u8] = b"gpgsig";

/// What the header with the signature over a commit of the format is called: over a commit as it is
/// in the other format there may be one too.
fn header_name(format: Kind) -> &'static [u8] {
    match format {
        Kind::Sha1 => b"gpgsig",
        _ => b"gpgsig-sha256",
    }
}

impl Signed {
    /// Takes a commit of a repository of the format apart; none if it carries no signature.
    pub fn of_commit(commit: &[u8], format: Kind) -> Option<Self> {
        let (payload, headers) = take_headers(commit);
        let name = header_name(format);
        let mut texts = headers.into_iter().filter(|header| header.name == name).map(|header| header.text);
        let signature = texts.next()?;
        // Of two nobody could say which one counts: as one they are malformed.
        let signature = texts.fold(signature, |all, text| [all, text].concat());
        Some(Self { address: address(&payload, b"committer "), payload, signature })
    }

    /// Takes a tag apart; none if no signature follows its message.
    pub fn of_tag(tag: &[u8]) -> Option<Self> {
        let (unsigned, signature) = tag.split_at(signature_start(tag)?);
        let (payload, _) = take_headers(unsigned);
        Some(Self { address: address(&payload, b"tagger "), payload, signature: signature.to_vec() })
    }
}

/// The signature in a header.
pub(crate) struct Header<'a> {
    name: &'a [u8],
    pub text: Vec<u8>,
}

/// An object without its headers that hold signatures, and these.
pub(crate) fn take_headers(object: &[u8]) -> (Vec<u8>, Vec<Header<'_>>) {
    let mut payload = Vec::with_capacity(object.len());
    let mut headers: Vec<Header> = Vec::new();
    let mut rest = object;
    let mut is_within = false;
    while let Some(line) = next_line(&mut rest) {
        if line == b"\n" {
            payload.extend_from_slice(line);
            payload.extend_from_slice(rest);
            break;
        }
        match (line.strip_prefix(b" "), headers.last_mut()) {
            (Some(more), Some(header)) if is_within => header.text.extend_from_slice(more),
            _ if line.starts_with(HEADERS) => {
                let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
                let text = line.get(end + 1..).unwrap_or_default().to_vec();
                headers.push(Header { name: &line[..end], text });
                is_within = true;
            }
            _ => {
                payload.extend_from_slice(line);
                is_within = false;
            }
        }
    }
    (payload, headers)
}

/// Where the signature after a tag's message begins: the last line that could begin one.
pub(crate) fn signature_start(tag: &[u8]) -> Option<usize> {
    const BEGINNINGS: [&[u8]; 4] = [
        b"-----BEGIN PGP SIGNATURE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"-----BEGIN SSH SIGNATURE-----",
        b"-----BEGIN SIGNED MESSAGE-----",
    ];
    let mut start = None;
    let mut rest = tag;
    while !rest.is_empty() {
        if BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning)) {
            start = Some(tag.len() - rest.len());
        }
        next_line(&mut rest);
    }
    start
}

/// Takes the first line, with its end.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
    let (line, left) = rest.split_at(end);
    *rest = left;
    Some(line)
}

/// The address in the header whose line begins with `name`.
fn address(payload: &[u8], name: &[u8]) -> String {
    let mut headers = payload.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let Some(person) = headers.find_map(|line| line.strip_prefix(name)) else { return String::new() };
    let mut parts = person.splitn(2, |byte| *byte == b'<').skip(1);
    let address = parts.next().and_then(|rest| rest.split(|byte| *byte == b'>').next());
    String::from_utf8_lossy(address.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "tree 1\nauthor A <a@example.org> 1 +0000\ncommitter C <c@example.org> 1 +0000\n";

    #[test]
    fn a_commit_is_signed_without_its_signatures() {
        let commit = format!(
            "{HEAD}gpgsig one\n \n two\ngpgsig-sha256 other\n  indented\nencoding x\n\nMessage\ngpgsig none\n"
        );
        let payload = format!("{HEAD}encoding x\n\nMessage\ngpgsig none\n").into_bytes();
        for (format, signature) in [(Kind::Sha1, "one\n\ntwo\n"), (Kind::Sha256, "other\n indented\n")] {
            let expected = Signed {
                payload: payload.clone(),
                signature: signature.into(),
                address: "c@example.org".into(),
            };
            assert_eq!(Signed::of_commit(commit.as_bytes(), format), Some(expected));
        }
    }

    #[test]
    fn a_tag_ends_with_its_signature() {
        let head = "object 1\ntype commit\ntag v1\ntagger T <t@example.org> 1 +0000\n";
        let one = "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n";
        let tag = format!("{head}gpgsig-sha256 y\n z\n\nMessage\n{one}Again\n{one}");
        let expected = Signed {
            payload: format!("{head}\nMessage\n{one}Again\n").into_bytes(),
            signature: one.into(),
            address: "t@example.org".into(),
        };
        assert_eq!(Signed::of_tag(tag.as_bytes()), Some(expected));
    }

    #[test]
    fn what_carries_no_signature_is_none() {
        let of_commit = |text: &str| Signed::of_commit(text.as_bytes(), Kind::Sha1);
        assert_eq!(of_commit(&format!("{HEAD}\ngpgsig x\n")), None);
        assert_eq!(of_commit(&format!("{HEAD}gpgsig-sha256 x\n\nMessage\n")), None);
        assert_eq!(of_commit(""), None);
        assert_eq!(Signed::of_tag(b"object 1\n\nMessage -----BEGIN SSH SIGNATURE-----\n"), None);
        assert_eq!(Signed::of_tag(b""), None);
    }

    #[test]
    fn addresses_are_those_of_whoever_made_the_object() {
        for (person, expected) in [
            ("C <c@example.org> 1 +0000", "c@example.org"),
            ("<> 1 +0000", ""),
            ("C 1 +0000", ""),
            ("C <c", "c"),
            ("C <c> <d> 1 +0000", "c"),
        ] {
            let commit = format!("tree 1\ncommitter {person}\ngpgsig x\n\nMessage\n");
            let signed = Signed::of_commit(commit.as_bytes(), Kind::Sha1).expect("it is signed");
            assert_eq!(signed.address, expected);
        }
    }
}
