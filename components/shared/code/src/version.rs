//! The order of version names.

use crate::repository::Repository;
use bstr::BStr;
use lithe_git::refs::Ref;
use std::cmp::Ordering;

/// All tags, those of the highest versions first.
pub fn tags_latest_first<'a>(repository: Repository<'a>) -> Vec<&'a Ref> {
    let tags = repository.refs.with_prefix(BStr::new("refs/tags/"));
    let sort = || {
        let mut order: Vec<usize> = (0..tags.len()).collect();
        order.sort_by(|a, b| compare(&tags[*b].name, &tags[*a].name));
        order
    };
    let tag = |index: &usize| &tags[*index];
    match repository.objects.memory() {
        Some(memory) => memory.tags(sort).iter().map(tag).collect(),
        None => sort().iter().map(tag).collect(),
    }
}

/// Compares names with the numbers in them as numbers: `v1.9` before `v1.10`.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while let (Some(first_a), Some(first_b)) = (rest_a.first(), rest_b.first()) {
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
        let sorted =
            ["a", "v0.9", "v1.2", "v1.02", "v1.10", "v1.10-rc1", "v1.10.1", "v2", "v18446744073709551616"];
        // Equal numbers are told apart by their digits, so that the order is total.
        assert_eq!(compare(b"v1.02", b"v1.2"), Ordering::Less);
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        let expected =
            ["a", "v0.9", "v1.02", "v1.2", "v1.10", "v1.10-rc1", "v1.10.1", "v2", "v18446744073709551616"];
        assert_eq!(names, expected);
    }
}
