//! Ids of headings and other places that links within a text lead to.

use std::collections::{HashMap, HashSet};

/// The ids of a text.
#[derive(Debug, Default)]
pub struct Ids {
    taken: HashSet<String>,
    /// How often one was wanted.
    wanted: HashMap<String, usize>,
}

impl Ids {
    /// That id, or if there is none that other one, made one that nothing else has.
    pub fn unique(&mut self, id: String, otherwise: &str) -> String {
        let id = if id.is_empty() { otherwise.to_owned() } else { id };
        let wanted = self.wanted.entry(id.clone()).or_default();
        let mut chosen = id.clone();
        while self.taken.contains(&chosen) {
            *wanted += 1;
            chosen = format!("{id}-{wanted}");
        }
        self.taken.insert(chosen.clone());
        chosen
    }
}

/// A name as an id as docutils makes it: in lower case, a hyphen for all that is no letter.
pub fn hyphenated(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for character in name.chars() {
        match character.is_alphanumeric() {
            true => id.extend(character.to_lowercase()),
            false if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            false => {}
        }
    }
    id.truncate(id.trim_end_matches('-').len());
    id
}

/// A name as an id as GitHub makes it: in lower case, a hyphen for each space, other signs left out.
pub fn slug(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let mut ids = Ids::default();
        let names = ["A b", "a  B!", "a-b-1", "?", "a b", "Ä"];
        let found = names.map(|name| ids.unique(hyphenated(name), "section"));
        assert_eq!(found, ["a-b", "a-b-1", "a-b-1-1", "section", "a-b-2", "ä"]);
        assert_eq!(["A b", "C-c / it's _x_", "Ä"].map(slug), ["a-b", "c-c--its-_x_", "ä"]);
    }
}
