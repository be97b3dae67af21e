//! Lists of documents: ascending numbers, each as what it is more than the one before, in as few bytes as
//! that takes (LEB128).

use super::Error;

/// Appends a number: seven bits to a byte, the lowest first; the highest bit says that more follow.
pub fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number off the front.
pub fn take(bytes: &mut &[u8]) -> Result<u32, Error> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Error::Damaged("a list"))?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).map_err(|_| Error::Damaged("a list"));
        }
    }
    Err(Error::Damaged("a list"))
}

/// Takes the next document off the front of a list; `last` is the one before.
fn next(list: &mut &[u8], last: Option<u32>) -> Result<u32, Error> {
    let gap = take(list)?;
    match last {
        None => Ok(gap),
        Some(last) => {
            last.checked_add(gap).and_then(|sum| sum.checked_add(1)).ok_or(Error::Damaged("a list"))
        }
    }
}

/// Appends a document to a list that ends with `last`.
pub fn append(list: &mut Vec<u8>, last: Option<u32>, document: u32) {
    push(list, last.map_or(document, |last| document - last - 1));
}

/// All documents of a list.
pub fn decode(mut list: &[u8]) -> Result<Vec<u32>, Error> {
    let mut documents = Vec::with_capacity(list.len());
    let mut last = None;
    while !list.is_empty() {
        let document = next(&mut list, last)?;
        documents.push(document);
        last = Some(document);
    }
    Ok(documents)
}

/// Those of ascending documents that are in a list.
pub fn intersect(documents: &[u32], mut list: &[u8]) -> Result<Vec<u32>, Error> {
    let mut common = Vec::new();
    let mut wanted = documents.iter().copied().peekable();
    let mut last = None;
    while !list.is_empty() {
        let document = next(&mut list, last)?;
        last = Some(document);
        while wanted.next_if(|wanted| *wanted < document).is_some() {}
        match wanted.peek() {
            None => break,
            Some(wanted) if *wanted == document => common.push(document),
            Some(_) => {}
        }
    }
    Ok(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(documents: &[u32]) -> Vec<u8> {
        let mut list = Vec::new();
        let mut last = None;
        for document in documents {
            append(&mut list, last, *document);
            last = Some(*document);
        }
        list
    }

    #[test]
    fn lists_are_read_as_they_were_written() {
        for documents in
            [&[][..], &[0], &[0, 1, 2], &[127, 128, 300, 20_000, u32::MAX - 1, u32::MAX], &[u32::MAX]]
        {
            assert_eq!(decode(&list(documents)).expect("it is whole"), documents);
        }
        assert_eq!(list(&[5, 6, 7, 8]).len(), 4);
    }

    #[test]
    fn damaged_lists_are_refused() {
        for damaged in
            [&[0x80][..], &[0xff; 5], &[0xff, 0xff, 0xff, 0xff, 0x7f], &[0xff, 0xff, 0xff, 0xff, 0x0f, 0]]
        {
            assert!(decode(damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn what_is_common_is_kept() {
        let common = |a: &[u32], b: &[u32]| intersect(a, &list(b)).expect("it is whole");
        assert_eq!(common(&[1, 3, 5, 9], &[2, 3, 4, 9, 10]), [3, 9]);
        assert_eq!(common(&[], &[1]), [0; 0]);
        assert_eq!(common(&[7], &[]), [0; 0]);
    }
}
