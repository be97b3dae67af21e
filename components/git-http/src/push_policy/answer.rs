//! What the policy answers. It may be anybody's component: nothing of it is believed but words.

use crate::limits::{POLICY_LINE_BYTES_MAX, POLICY_LINES_MAX};
use crate::receive_pack::Judgement;
use lithe_forge::push_policy::{Update, Verdict};
use std::collections::HashMap;

/// What is said where the policy refuses and does not say why.
const NO_REASON: &str = "refused by the push policy";

/// Why a push is refused on which the policy said nothing but `words`.
pub fn no_verdict(words: String) -> String {
    match reason(&words) {
        NO_REASON => "the push policy gave no verdict".to_owned(),
        words => format!("the push policy gave no verdict: {words}"),
    }
}

/// What follows from a verdict. Fails, with words for the pusher, if it makes no sense.
pub fn judgement(verdict: Verdict, updates: &[Update]) -> Result<Judgement, String> {
    let places: HashMap<&str, usize> =
        updates.iter().enumerate().map(|(place, update)| (update.name.as_str(), place)).collect();
    let mut refused = Vec::new();
    for one in &verdict.refused_refs {
        let Some(place) = places.get(one.name.as_str()) else {
            let name = cut(&one.name);
            return Err(format!("the push policy makes no sense: it refuses `{name}`, which is not pushed"));
        };
        refused.push((*place, reason(&one.reason).to_owned()));
    }
    let lines = verdict.messages.iter().flat_map(|message| message.lines());
    Ok(Judgement {
        refusal: verdict.refusal.as_deref().map(|words| reason(words).to_owned()),
        refused,
        messages: lines.take(POLICY_LINES_MAX).map(|line| cut(line).to_owned()).collect(),
    })
}

/// The first line of what was said, as far as it goes into one.
fn reason(words: &str) -> &str {
    let line = words.trim().lines().next().unwrap_or_default();
    if line.is_empty() { NO_REASON } else { cut(line) }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(POLICY_LINE_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_forge::push_policy::{Change, RefusedRef};

    fn updates() -> Vec<Update> {
        let update = |name: &str| Update { name: name.into(), old: None, new: None, change: Change::Delete };
        vec![update("refs/heads/a"), update("refs/heads/b")]
    }

    fn refused(name: &str, reason: &str) -> RefusedRef {
        RefusedRef { name: name.into(), reason: reason.into() }
    }

    #[test]
    fn a_verdict_refuses_refs_or_everything() {
        let verdict = Verdict { refusal: None, refused_refs: Vec::new(), messages: Vec::new() };
        assert_eq!(judgement(verdict.clone(), &updates()), Ok(Judgement::default()));
        let some = Verdict {
            refused_refs: vec![refused("refs/heads/b", "no\nway"), refused("refs/heads/a", " ")],
            messages: vec!["one\ntwo".into(), String::new(), "three".into()],
            ..verdict.clone()
        };
        let expected = Judgement {
            refusal: None,
            refused: vec![(1, "no".into()), (0, NO_REASON.into())],
            messages: vec!["one".into(), "two".into(), "three".into()],
        };
        assert_eq!(judgement(some, &updates()), Ok(expected));
        let all = Verdict { refusal: Some(String::new()), ..verdict };
        assert_eq!(judgement(all, &updates()), Ok(Judgement::refusal(NO_REASON)));
    }

    #[test]
    fn nonsense_refuses_the_push() {
        let verdict =
            Verdict { refusal: None, refused_refs: vec![refused("refs/heads/c", "no")], messages: vec![] };
        let words = judgement(verdict, &updates()).expect_err("there is no such ref");
        assert_eq!(words, "the push policy makes no sense: it refuses `refs/heads/c`, which is not pushed");
    }

    #[test]
    fn words_have_limits() {
        let long = "é".repeat(POLICY_LINE_BYTES_MAX);
        let verdict = Verdict {
            refusal: Some(long.clone()),
            refused_refs: vec![refused("refs/heads/a", &long)],
            messages: vec![long.clone(); POLICY_LINES_MAX + 1],
        };
        let judgement = judgement(verdict, &updates()).expect("sense");
        assert_eq!(judgement.refusal.map(|words| words.len()), Some(POLICY_LINE_BYTES_MAX));
        assert_eq!(judgement.refused[0].1.len(), POLICY_LINE_BYTES_MAX);
        assert_eq!(judgement.messages.len(), POLICY_LINES_MAX);
        assert_eq!(no_verdict(String::new()), "the push policy gave no verdict");
        assert_eq!(no_verdict("trap\n".into()), "the push policy gave no verdict: trap");
    }
}
