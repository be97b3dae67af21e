//! Who may change which branches and tags, and how.

use crate::bindings::exports::lithe::policy::push_policy::{
    Change, Permission, Push, Pusher, RefKind, RefRule, Rules, Verdict, Who,
};
use crate::limits::USERS_NAMED_MAX;
use crate::{Error, refuse};
use lithe_rules::RefPattern;

/// Refuses the refs that the pusher may not change in this way.
pub fn check(push: &Push, rules: &[Rules], verdict: &mut Verdict) -> Result<(), Error> {
    for (place, rule) in all(rules) {
        let pattern = pattern(place, rule)?;
        for update in &push.updates {
            let is_meant = short_name(rule.kind, &update.name).is_some_and(|name| pattern.matches(name));
            if is_meant && !is_among(&push.pusher, who(rule, update.change), rule) {
                refuse(verdict, &update.name, reason(place, rule, update.change));
            }
        }
    }
    Ok(())
}

/// Every rule about refs, with its place.
pub fn all(rules: &[Rules]) -> impl Iterator<Item = (&str, &RefRule)> {
    rules.iter().flat_map(|rules| rules.refs.iter().map(|rule| (rules.place.as_str(), rule)))
}

pub fn pattern(place: &str, rule: &RefRule) -> Result<RefPattern, Error> {
    RefPattern::parse(&rule.pattern).map_err(|error| Error::Pattern {
        place: place.to_owned(),
        pattern: rule.pattern.clone(),
        error,
    })
}

/// The name of a branch or tag; none if the ref is none.
pub fn short_name(kind: RefKind, name: &str) -> Option<&str> {
    name.strip_prefix(match kind {
        RefKind::Branches => "refs/heads/",
        RefKind::Tags => "refs/tags/",
    })
}

fn who(rule: &RefRule, change: Change) -> Who {
    match change {
        Change::Create => rule.create,
        Change::Advance => rule.advance,
        Change::Force => rule.force,
        Change::Delete => rule.delete,
    }
}

fn is_among(pusher: &Pusher, who: Who, rule: &RefRule) -> bool {
    let is_administrator = pusher.permission == Permission::Admin;
    match who {
        Who::Nobody => false,
        Who::Administrators => is_administrator,
        Who::Named => is_administrator || rule.users.contains(&pusher.name),
        Who::Writers => true,
    }
}

fn reason(place: &str, rule: &RefRule, change: Change) -> String {
    let act = match (change, rule.kind) {
        (Change::Create, _) => "create it",
        (Change::Advance, _) => "push to it",
        (Change::Force, RefKind::Branches) => "force it",
        (Change::Force, RefKind::Tags) => "move it",
        (Change::Delete, _) => "delete it",
    };
    let who = match who(rule, change) {
        Who::Nobody => "nobody may".to_owned(),
        Who::Administrators => "only administrators may".to_owned(),
        Who::Named if rule.users.is_empty() => "only administrators may".to_owned(),
        Who::Named if rule.users.len() > USERS_NAMED_MAX => {
            format!("only {} users and administrators may", rule.users.len())
        }
        Who::Named => format!("only {} and administrators may", rule.users.join(", ")),
        Who::Writers => "writers may".to_owned(),
    };
    format!("protected by {place}: {who} {act}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{push, ref_rule, rules, update};

    fn reasons(push: &Push, rules: &[Rules]) -> Vec<String> {
        let mut verdict = Verdict { refusal: None, refused_refs: Vec::new(), messages: Vec::new() };
        check(push, rules, &mut verdict).expect("the patterns are sound");
        verdict
            .refused_refs
            .into_iter()
            .map(|refused| format!("{}: {}", refused.name, refused.reason))
            .collect()
    }

    #[test]
    fn each_way_of_changing_a_ref_is_for_some() {
        use Change::{Advance, Create, Delete, Force};
        let rule = RefRule {
            create: Who::Writers,
            advance: Who::Named,
            force: Who::Administrators,
            delete: Who::Nobody,
            users: vec!["anna".into()],
            ..ref_rule("main")
        };
        let cases = [
            ("bert", Permission::Write, Create, ""),
            ("bert", Permission::Write, Advance, "only anna and administrators may push to it"),
            ("bert", Permission::Write, Force, "only administrators may force it"),
            ("bert", Permission::Write, Delete, "nobody may delete it"),
            ("anna", Permission::Write, Advance, ""),
            ("anna", Permission::Write, Force, "only administrators may force it"),
            ("root", Permission::Admin, Advance, ""),
            ("root", Permission::Admin, Force, ""),
            ("root", Permission::Admin, Delete, "nobody may delete it"),
        ];
        for (name, permission, change, expected) in cases {
            let mut push = push(vec![update("refs/heads/main", change)]);
            push.pusher = Pusher { name: name.into(), permission, ..push.pusher };
            let expected = match expected {
                "" => vec![],
                expected => vec![format!("refs/heads/main: protected by team: {expected}")],
            };
            assert_eq!(reasons(&push, &[rules("team", vec![rule.clone()])]), expected, "{name} {change:?}");
        }
    }

    #[test]
    fn a_rule_is_about_the_refs_of_its_kind_and_pattern() {
        let tags = RefRule { kind: RefKind::Tags, ..ref_rule("v*") };
        let refs = [rules("team", vec![ref_rule("release/*"), tags])];
        let names = [
            "refs/heads/release/1",
            "refs/heads/v1",
            "refs/tags/v1",
            "refs/tags/release/1",
            "refs/notes/v1",
            "refs/heads/main",
        ];
        let push = push(names.map(|name| update(name, Change::Force)).to_vec());
        let expected = [
            "refs/heads/release/1: protected by team: nobody may force it",
            "refs/tags/v1: protected by team: nobody may move it",
        ];
        assert_eq!(reasons(&push, &refs), expected);
    }

    #[test]
    fn what_one_place_forbids_no_other_allows() {
        let allowing = RefRule { force: Who::Writers, ..ref_rule("main") };
        let push = push(vec![update("refs/heads/main", Change::Force)]);
        let own = rules("team/demo", vec![allowing.clone()]);
        let groups = rules("team", vec![ref_rule("*")]);
        assert_eq!(reasons(&push, &[own.clone()]), [""; 0]);
        let refused = ["refs/heads/main: protected by team: nobody may force it"];
        assert_eq!(reasons(&push, &[own.clone(), groups.clone()]), refused);
        assert_eq!(reasons(&push, &[rules("team", vec![allowing, ref_rule("m*")])]), refused);
    }

    #[test]
    fn many_users_are_counted() {
        let rule = |count: usize| RefRule {
            force: Who::Named,
            users: (0..count).map(|number| format!("u{number}")).collect(),
            ..ref_rule("main")
        };
        let push = push(vec![update("refs/heads/main", Change::Force)]);
        let reason = |count| reasons(&push, &[rules("team", vec![rule(count)])]).remove(0);
        assert!(reason(USERS_NAMED_MAX).contains("only u0, u1, u2, u3, u4 and administrators may force it"));
        assert!(reason(USERS_NAMED_MAX + 1).contains("only 6 users and administrators may force it"));
        assert!(reason(0).contains("only administrators may force it"));
    }
}
