//! The values of one interface as those of another: the store's rules as the policy's.

use crate::opening::REPOSITORIES_DIR;
use lithe_forge::push_policy::{Permission, Pusher, RefKind, RefRule, Rules, Signing, Who};
use lithe_forge::{push_rules, types};
use std::path::Path;

pub fn pusher(pusher: push_rules::Pusher) -> Pusher {
    Pusher {
        name: pusher.name,
        full_name: pusher.full_name,
        addresses: pusher.addresses,
        permission: match pusher.permission {
            types::Permission::Admin => Permission::Admin,
            _ => Permission::Write,
        },
    }
}

pub fn rules(rules: push_rules::Rules) -> Rules {
    let checks = rules.checks;
    Rules {
        place: rules.place,
        refs: rules.refs.into_iter().map(ref_rule).collect(),
        file_bytes_max: checks.file_bytes_max,
        pack_bytes_max: checks.pack_bytes_max,
        repository_bytes_max: checks.repository_bytes_max,
        refs_max: checks.refs_max,
        forbidden_paths: checks.forbidden_paths,
        message_required: checks.message_required,
        message_forbidden: checks.message_forbidden,
        known_authors: checks.known_authors,
    }
}

fn ref_rule(rule: push_rules::RefRule) -> RefRule {
    RefRule {
        kind: match rule.kind {
            push_rules::RefKind::Branches => RefKind::Branches,
            push_rules::RefKind::Tags => RefKind::Tags,
        },
        pattern: rule.pattern,
        create: who(rule.create),
        advance: who(rule.advance),
        force: who(rule.force),
        delete: who(rule.delete),
        users: rule.users,
        signing: match rule.signing {
            push_rules::Signing::Nothing => Signing::Nothing,
            push_rules::Signing::Signed => Signing::Signed,
            push_rules::Signing::Verified => Signing::Verified,
        },
    }
}

fn who(who: push_rules::Who) -> Who {
    match who {
        push_rules::Who::Nobody => Who::Nobody,
        push_rules::Who::Administrators => Who::Administrators,
        push_rules::Who::Named => Who::Named,
        push_rules::Who::Writers => Who::Writers,
    }
}

/// A directory as the policy finds it, which has the same mount.
pub fn below_mount(directory: &Path) -> String {
    let below = directory.strip_prefix(REPOSITORIES_DIR).unwrap_or(directory);
    below.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_mean_the_same_to_the_policy() {
        let levels = [
            (push_rules::Who::Nobody, Who::Nobody),
            (push_rules::Who::Administrators, Who::Administrators),
            (push_rules::Who::Named, Who::Named),
            (push_rules::Who::Writers, Who::Writers),
        ];
        for (given, expected) in levels {
            let kinds = [
                (push_rules::RefKind::Branches, RefKind::Branches),
                (push_rules::RefKind::Tags, RefKind::Tags),
            ];
            for (kind, expected_kind) in kinds {
                let rule = push_rules::RefRule {
                    kind,
                    pattern: "p".into(),
                    create: given,
                    advance: push_rules::Who::Writers,
                    force: given,
                    delete: push_rules::Who::Nobody,
                    users: vec!["u".into()],
                    signing: push_rules::Signing::Verified,
                };
                let rule = ref_rule(rule);
                assert_eq!((rule.kind, rule.create, rule.force), (expected_kind, expected, expected));
                assert_eq!((rule.advance, rule.delete), (Who::Writers, Who::Nobody));
                assert!(rule.signing == Signing::Verified && rule.pattern == "p" && rule.users == ["u"]);
            }
        }
    }

    #[test]
    fn directories_are_those_below_the_mount() {
        assert_eq!(below_mount(Path::new("/repos/team/demo.git/objects/x")), "team/demo.git/objects/x");
    }
}
