//! What somebody may do at a place, and the function that decides it.

use std::fmt;

/// What somebody may do with a repository or group, in ascending order; each includes those
/// before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// It does not exist for them.
    None,
    /// See it: pages, clone, fetch.
    Read,
    /// Change its contents: push. On a group: create repositories in it.
    Write,
    /// Change its settings and permissions, and delete it.
    Admin,
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        })
    }
}

/// Who asks, in relation to the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody who has signed in.
    Anonymous,
    /// A user.
    User,
    /// The user who owns the place, or a group that it stands in.
    Owner,
    /// A site administrator.
    Admin,
}

/// All that [`decide`] needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub actor: Actor,
    /// Whether the place is hidden from everybody without a grant of their own.
    pub is_private: bool,
    /// Whether the site lets the anonymous user read what is granted to everyone.
    pub anonymous_access: bool,
    /// The most that is granted to everyone, at the place or a group that it stands in.
    pub everyone: Permission,
    /// The most that is granted to the user or to a user group of theirs, at the place or a group
    /// that it stands in.
    pub explicit: Permission,
    /// The most that the credentials allow.
    pub ceiling: Permission,
}

/// Decides what the claimant may do. The only rule of access there is.
pub fn decide(claim: &Claim) -> Permission {
    let everyone = if claim.is_private { Permission::None } else { claim.everyone };
    let granted = match claim.actor {
        Actor::Admin | Actor::Owner => Permission::Admin,
        Actor::User => everyone.max(claim.explicit),
        Actor::Anonymous if claim.anonymous_access => everyone.min(Permission::Read),
        Actor::Anonymous => Permission::None,
    };
    granted.min(claim.ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const ACTORS: [Actor; 4] = [Actor::Anonymous, Actor::User, Actor::Owner, Actor::Admin];
    const PERMISSIONS: [Permission; 4] =
        [Permission::None, Permission::Read, Permission::Write, Permission::Admin];

    /// Every claim there can be, one line a row: what the row says about actor and place, then the
    /// decision for each explicit grant and ceiling.
    fn table() -> String {
        let mut text = String::from(
            "# Columns: the explicit grant, and below it the ceiling. Made by LITHE_UPDATE_GOLDEN=1 cargo test.\n",
        );
        let columns: Vec<_> =
            PERMISSIONS.iter().flat_map(|e| PERMISSIONS.iter().map(move |c| (*e, *c))).collect();
        let heads = |text: &mut String, head: &str, cells: &mut dyn Iterator<Item = Permission>| {
            let cells: String = cells.map(|cell| format!(" {:<5}", cell.to_string())).collect();
            writeln!(text, "{head:<44}|{}", cells.trim_end()).expect("writing to a string works");
        };
        heads(&mut text, "explicit", &mut columns.iter().map(|(explicit, _)| *explicit));
        heads(&mut text, "ceiling", &mut columns.iter().map(|(_, ceiling)| *ceiling));
        for actor in ACTORS {
            for is_private in [false, true] {
                for anonymous_access in [true, false] {
                    for everyone in PERMISSIONS {
                        let head = format!(
                            "{:<9} {:<7} anonymous={:<3} everyone={:<5}",
                            format!("{actor:?}").to_lowercase(),
                            if is_private { "private" } else { "public" },
                            if anonymous_access { "on" } else { "off" },
                            everyone.to_string(),
                        );
                        let decision = |(explicit, ceiling): &(Permission, Permission)| {
                            decide(&Claim {
                                actor,
                                is_private,
                                anonymous_access,
                                everyone,
                                explicit: *explicit,
                                ceiling: *ceiling,
                            })
                        };
                        heads(&mut text, &head, &mut columns.iter().map(decision));
                    }
                }
            }
        }
        text
    }

    #[test]
    fn every_claim_is_decided_as_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/permission.table");
        let actual = table();
        if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &actual).expect("the table can be written");
        }
        let expected = std::fs::read_to_string(path).expect("the table can be read");
        assert_eq!(actual, expected);
    }

    #[test]
    fn permissions_ascend() {
        assert!(PERMISSIONS.is_sorted());
    }
}
