//! Which of the objects found a partial clone leaves out (git-rev-list, `--filter`).

use gix_object::Kind;

/// How many filters may be combined.
pub const FILTERS_COMBINED_MAX: usize = 16;

/// What is left out. Objects that are asked for by their own id, and what tags asked for stand for,
/// are always sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Blobs of this many bytes and more are left out.
    pub blob_limit: Option<u64>,
    /// Trees and blobs at this depth and deeper are left out; a root tree is at depth 0, and so are the
    /// entries of a tree that is asked for by its own id. Of several depths the least counts.
    pub tree_depth: Option<u64>,
    /// Only objects of this kind are kept.
    pub kind: Option<Kind>,
    /// Nothing is kept: kinds that exclude each other were combined.
    pub is_contradiction: bool,
}

/// Why a filter is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("invalid filter-spec '{0}'")]
    Invalid(String),
    #[error("filter '{0}' not supported")]
    Unsupported(String),
    #[error("more than {FILTERS_COMBINED_MAX} filters are combined")]
    TooMany,
}

impl Filter {
    /// Reads a filter specification.
    pub fn parse(spec: &str) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        let Some(parts) = spec.strip_prefix("combine:") else {
            filter.add(spec)?;
            return Ok(filter);
        };
        if parts.split('+').count() > FILTERS_COMBINED_MAX {
            return Err(FilterError::TooMany);
        }
        for part in parts.split('+') {
            let part = percent_decode(part).ok_or_else(|| FilterError::Invalid(spec.into()))?;
            if part.starts_with("combine:") {
                return Err(FilterError::Unsupported("combine within combine".into()));
            }
            filter.add(&part)?;
        }
        Ok(filter)
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing is left out but all blobs, at most.
    pub fn is_of_whole_commits(&self) -> bool {
        self.is_empty() || *self == Self { blob_limit: Some(0), ..Self::default() }
    }

    /// Whether objects of a kind can be kept at all.
    pub fn keeps_kind(&self, kind: Kind) -> bool {
        !self.is_contradiction && self.kind.is_none_or(|only| only == kind)
    }

    /// Whether objects at a depth below the root tree are kept.
    pub fn keeps_depth(&self, depth: u64) -> bool {
        self.tree_depth.is_none_or(|limit| depth < limit)
    }

    fn add(&mut self, spec: &str) -> Result<(), FilterError> {
        let invalid = || FilterError::Invalid(spec.into());
        if spec == "blob:none" {
            self.blob_limit = Some(0);
        } else if let Some(limit) = spec.strip_prefix("blob:limit=") {
            let limit = parse_size(limit).ok_or_else(invalid)?;
            self.blob_limit = Some(self.blob_limit.map_or(limit, |other| other.min(limit)));
        } else if let Some(depth) = spec.strip_prefix("tree:") {
            let depth = depth.parse().map_err(|_| invalid())?;
            self.tree_depth = Some(self.tree_depth.map_or(depth, |other| other.min(depth)));
        } else if let Some(kind) = spec.strip_prefix("object:type=") {
            let kind = Kind::from_bytes(kind.as_bytes()).map_err(|_| invalid())?;
            self.is_contradiction |= self.kind.is_some_and(|other| other != kind);
            self.kind = Some(kind);
        } else if spec.starts_with("sparse:") {
            return Err(FilterError::Unsupported("sparse".into()));
        } else {
            return Err(invalid());
        }
        Ok(())
    }
}

/// Reads a number of bytes with Git's suffixes.
fn parse_size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_understood_or_refused() {
        let none = Filter::default();
        let blobs = |limit| Filter { blob_limit: Some(limit), ..none.clone() };
        let trees = |depth| Filter { tree_depth: Some(depth), ..none.clone() };
        let kind = |kind| Filter { kind: Some(kind), ..none.clone() };
        let invalid = |spec: &str| Err(FilterError::Invalid(spec.into()));
        let cases = [
            ("blob:none", Ok(blobs(0))),
            ("blob:limit=10", Ok(blobs(10))),
            ("blob:limit=2k", Ok(blobs(2048))),
            ("blob:limit=99999999999g", invalid("blob:limit=99999999999g")),
            ("blob:limit=", invalid("blob:limit=")),
            ("tree:3", Ok(trees(3))),
            ("tree:x", invalid("tree:x")),
            ("object:type=tag", Ok(kind(Kind::Tag))),
            ("object:type=none", invalid("object:type=none")),
            (
                "combine:blob:none+tree%3A2",
                Ok(Filter { blob_limit: Some(0), tree_depth: Some(2), ..none.clone() }),
            ),
            ("combine:blob:limit=7+blob:limit=5", Ok(blobs(5))),
            ("combine:combine:blob:none", Err(FilterError::Unsupported("combine within combine".into()))),
            ("sparse:oid=HEAD:x", Err(FilterError::Unsupported("sparse".into()))),
            ("", invalid("")),
        ];
        for (spec, expected) in cases {
            assert_eq!(Filter::parse(spec), expected, "{spec}");
        }
    }

    #[test]
    fn the_number_of_combined_filters_is_limited() {
        let combined = |count| format!("combine:{}", vec!["blob:none"; count].join("+"));
        assert!(Filter::parse(&combined(FILTERS_COMBINED_MAX)).is_ok());
        assert_eq!(Filter::parse(&combined(FILTERS_COMBINED_MAX + 1)), Err(FilterError::TooMany));
    }
}
