//! The translations, as tables that the build script makes.

use crate::Language;

/// An English text, and its translation in each plural form; in the only one where it counts nothing.
pub type Entry = (&'static str, &'static [&'static str]);

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The translations of a text, if there are any.
pub fn find(language: Language, english: &str) -> Option<&'static [&'static str]> {
    let table = match language {
        Language::English | Language::Pseudo => return None,
        Language::German => GERMAN,
    };
    let index = table.binary_search_by_key(&english, |(key, _)| key).ok()?;
    Some(table[index].1)
}

/// The translation of what came as a text with its placeholders filled, if there is one.
pub fn find_filled(language: Language, english: &str) -> Option<String> {
    let table = match language {
        Language::English | Language::Pseudo => return None,
        Language::German => GERMAN_FOREIGN,
    };
    table.iter().find_map(|(pattern, forms)| {
        let values = values(pattern, english)?;
        let mut text = (*forms.first()?).to_owned();
        for (name, value) in values {
            text = text.replacen(&format!("{{{name}}}"), value, 1);
        }
        Some(text)
    })
}

/// What stands in a text in the place of a pattern's placeholders; none if it is not of the pattern.
fn values<'a>(pattern: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (before, mut pattern) = pattern.split_once('{').unwrap_or((pattern, ""));
    let mut rest = text.strip_prefix(before)?;
    let mut values = Vec::new();
    while let Some((name, after)) = pattern.split_once('}') {
        let (literal, next) = after.split_once('{').unwrap_or((after, ""));
        let end = if next.is_empty() { rest.strip_suffix(literal)?.len() } else { rest.find(literal)? };
        values.push((name, &rest[..end]));
        rest = &rest[end + literal.len()..];
        pattern = next;
    }
    rest.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(GERMAN.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn what_came_filled_is_found_by_what_it_looks_like() {
        let cases = [
            ("Taken.", "Taken.", Some(vec![])),
            ("Taken.", "Taken", None),
            ("The name {name} is taken.", "The name a is b is taken.", Some(vec![("name", "a is b")])),
            ("{a} to {b} days.", "1 to 30 days.", Some(vec![("a", "1"), ("b", "30")])),
            ("{a} to {b} days.", "1 to 30 MiB.", None),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(values(pattern, text), expected, "{pattern} {text}");
        }
        let german = |text| find_filled(Language::German, text);
        assert_eq!(german("The name bob is taken.").as_deref(), Some("Der Name bob ist vergeben."));
        assert_eq!(german("The name of the rose."), None);
    }
}
