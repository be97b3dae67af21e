//! The order of version names.

use crate::repository::Repository;
use bstr::BStr;
use lithe_git::refs::Ref;
use std::cmp::Ordering;

const REFS_TAGS: &str = "refs/tags/";

/// All tags: first those that are a version and nothing else, then those that name a part of the repository too, each by
/// their names; of one name, the highest versions first.
pub fn tags_latest_first<'a>(repository: Repository<'a>) -> Vec<&'a Ref> {
    let tags = repository.refs.with_prefix(BStr::new(REFS_TAGS));
    let sort = || {
        let mut order: Vec<usize> = (0..tags.len()).collect();
        let name = |index: usize| &tags[index].name[REFS_TAGS.len()..];
        order.sort_by(|a, b| {
            let (a, b) = (name(*a), name(*b));
            is_version(b).cmp(&is_version(a)).then_with(|| compare(b, a))
        });
        order
    };
    let tag = |index: &usize| &tags[*index];
    match repository.objects.memory() {
        Some(memory) => memory.tags(sort).iter().map(tag).collect(),
        None => sort().iter().map(tag).collect(),
    }
}

/// Whether a name is that of a version, `v1.2` or `1.2`.
fn is_version(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"v").unwrap_or(name);
    name.first().is_some_and(u8::is_ascii_digit)
}

/// Compares names with the numbers in them as numbers, `v1.9` before `v1.10`, and with what comes before a version before
/// it: `v1.10-rc1` before `v1.10`.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let order = is_early(rest_b).cmp(&is_early(rest_a));
        if order.is_ne() {
            return order;
        }
        let (Some(first_a), Some(first_b)) = (rest_a.first(), rest_b.first()) else { break };
        let order = if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, number_b) = (take_number(&mut rest_a), take_number(&mut rest_b));
            number_a.len().cmp(&number_b.len()).then(number_a.cmp(number_b))
        } else {
            (rest_a, rest_b) = (&rest_a[1..], &rest_b[1..]);
            first_a.cmp(first_b)
        };
        if order.is_ne() {
            return order;
        }
    }
    rest_a.len().cmp(&rest_b.len()).then(a.cmp(b))
}

/// Whether what stands behind a version says that it came before that, as `-rc1` does.
fn is_early(rest: &[u8]) -> bool {
    let rest = match rest {
        [b'-' | b'.' | b'_', rest @ ..] => rest,
        rest => rest,
    };
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    ["alpha", "beta", "dev", "pre", "rc"]
        .iter()
        .any(|word| rest[..letters].eq_ignore_ascii_case(word.as_bytes()))
}

/// Takes the digits from the beginning; returns them without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_in_the_order_of_versions() {
        let sorted = [
            "a",
            "v0.9",
            "v1.2",
            "v1.02",
            "v1.10",
            "v1.10-rc1",
            "v1.10.1",
            "v2",
            "v18446744073709551616",
            "v1.10-1",
            "v2RC2",
        ];
        // Equal numbers are told apart by their digits, so that the order is total.
        assert_eq!(compare(b"v1.02", b"v1.2"), Ordering::Less);
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        let expected = [
            "a",
            "v0.9",
            "v1.02",
            "v1.2",
            "v1.10-rc1",
            "v1.10",
            "v1.10-1",
            "v1.10.1",
            "v2RC2",
            "v2",
            "v18446744073709551616",
        ];
        assert_eq!(names, expected);
        assert!(
            is_version(b"1.2") && is_version(b"v2") && !is_version(b"ignore-0.4") && !is_version(b"version")
        );
    }
}
