//! What messages call issues, and where issues are: the links of repositories, groups and the whole site.

use crate::access;
use crate::bindings::exports::lithe::forge::issue_links::PlaceLinks;
use crate::failure::invalid;
use crate::identity;
use crate::journal;
use crate::places::{Place, PlaceRow, RepositoryRow};
use crate::store::{Call, Store};
use crate::types::{Error, IssueLink, Permission};
use lithe_rules::limits::{ISSUE_LINKS_IN_FORCE_MAX, ISSUE_LINKS_MAX};
use rusqlite::{Connection, Row, named_params};

/// The path that stands for the whole site.
const SITE: &str = "";

impl Store {
    pub fn issue_links(&mut self, call: &Call, path: &str) -> Result<Vec<PlaceLinks>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let of_site = PlaceLinks { place: SITE.to_owned(), links: read_site(connection)? };
            if path == SITE {
                principal.require_site_admin()?;
                return Ok(vec![of_site]);
            }
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            let own = read(connection, PlaceRow::of(&found.place))?;
            let mut places = vec![PlaceLinks { place: found.place.path().to_owned(), links: own }];
            for (row, place) in groups_around(connection, &found.place)? {
                let links = read(connection, row)?;
                if !links.is_empty() {
                    places.push(PlaceLinks { place, links });
                }
            }
            if !of_site.links.is_empty() {
                places.push(of_site);
            }
            Ok(places)
        })
    }

    pub fn set_issue_links(&mut self, call: &Call, path: &str, links: &[IssueLink]) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let place = if path == SITE {
                principal.require_site_admin()?;
                check(links)?;
                write_site(connection, links)?;
                SITE.to_owned()
            } else {
                let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
                check(links)?;
                write(connection, PlaceRow::of(&found.place), links)?;
                found.place.path().to_owned()
            };
            let words: Vec<String> =
                links.iter().map(|link| format!("{} {}", link.pattern, link.address)).collect();
            let details = if words.is_empty() { "nothing".to_owned() } else { words.join("; ") };
            journal::enter(connection, &principal, call, "issue-links.set", &place, &details)
        })
    }
}

/// The links by which issues are found in a repository.
pub fn in_force(connection: &Connection, repository: &RepositoryRow) -> Result<Vec<IssueLink>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT pattern, address
         FROM (SELECT id, pattern, address, 0 AS is_inherited, 0 AS depth
               FROM issue_links WHERE repository_id = :repository
               UNION ALL
               SELECT issue_links.id, pattern, address, 1, length(groups.path)
               FROM group_ancestors
                   CROSS JOIN issue_links ON issue_links.group_id = group_ancestors.ancestor_id
                   CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
               WHERE group_ancestors.group_id = :group
               UNION ALL
               SELECT id, pattern, address, 2, 0 FROM site_issue_links)
         ORDER BY is_inherited, depth DESC, id LIMIT :max",
    )?;
    let rows = statement.query_map(
        named_params! {
            ":repository": repository.id,
            ":group": repository.group_id,
            ":max": i64::try_from(ISSUE_LINKS_IN_FORCE_MAX).expect("a small number"),
        },
        link,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn link(row: &Row) -> rusqlite::Result<IssueLink> {
    Ok(IssueLink { pattern: row.get(0)?, address: row.get(1)? })
}

/// The groups that a place is in, the innermost first.
fn groups_around(connection: &Connection, place: &Place) -> Result<Vec<(PlaceRow, String)>, Error> {
    let (group, own) = match place {
        Place::Repository(row) => (row.group_id, None),
        Place::Group(row) => (Some(row.id), Some(row.id)),
    };
    let mut statement = connection.prepare_cached(
        "SELECT groups.id, groups.path
         FROM group_ancestors CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
         WHERE group_ancestors.group_id = ?1 AND groups.id IS NOT ?2 ORDER BY length(groups.path) DESC",
    )?;
    let rows = statement.query_map([group, own], |row| {
        Ok((PlaceRow { repository_id: None, group_id: Some(row.get(0)?) }, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn check(links: &[IssueLink]) -> Result<(), Error> {
    if links.len() > ISSUE_LINKS_MAX {
        return Err(invalid("links", format!("there are at most {ISSUE_LINKS_MAX}")));
    }
    for link in links {
        lithe_rules::IssueLink::parse(&link.pattern, &link.address)
            .map_err(|error| invalid("links", format!("`{}`: {error}", link.pattern.escape_debug())))?;
    }
    Ok(())
}

fn read(connection: &Connection, place: PlaceRow) -> Result<Vec<IssueLink>, Error> {
    let mut statement = connection.prepare_cached(match place.repository_id {
        Some(_) => "SELECT pattern, address FROM issue_links WHERE repository_id = ?1 ORDER BY id",
        None => "SELECT pattern, address FROM issue_links WHERE group_id = ?1 ORDER BY id",
    })?;
    let rows = statement.query_map([place.id()], link)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_site(connection: &Connection) -> Result<Vec<IssueLink>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT pattern, address FROM site_issue_links ORDER BY id")?;
    let rows = statement.query_map([], link)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn write_site(connection: &Connection, links: &[IssueLink]) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM site_issue_links")?.execute([])?;
    let mut insert =
        connection.prepare_cached("INSERT INTO site_issue_links (pattern, address) VALUES (?1, ?2)")?;
    for link in links {
        insert.execute((&link.pattern, &link.address))?;
    }
    Ok(())
}

fn write(connection: &Connection, place: PlaceRow, links: &[IssueLink]) -> Result<(), Error> {
    let sql = match place.repository_id {
        Some(_) => "DELETE FROM issue_links WHERE repository_id = ?1",
        None => "DELETE FROM issue_links WHERE group_id = ?1",
    };
    connection.prepare_cached(sql)?.execute([place.id()])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO issue_links (repository_id, group_id, pattern, address) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for link in links {
        insert.execute((place.repository_id, place.group_id, &link.pattern, &link.address))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, outcome, user};

    fn links(patterns: &[&str]) -> Vec<IssueLink> {
        let link = |pattern: &&str| IssueLink {
            pattern: (*pattern).to_owned(),
            address: "https://t.example/{id}".to_owned(),
        };
        patterns.iter().map(link).collect()
    }

    /// The patterns by which issues are found at a path.
    fn in_force(forge: &mut Forge, call: &Call, path: &str) -> Vec<String> {
        let opened = forge.store.open_place(call, path).expect("it may be read");
        opened.issue_links.into_iter().map(|link| link.pattern).collect()
    }

    #[test]
    fn the_links_of_a_repository_come_before_those_of_the_groups_around_it() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "a/b/demo", false).id;
        forge.repository(&root, "other", false);
        let set = |forge: &mut Forge, path: &str, patterns: &[&str]| {
            forge.store.set_issue_links(&root, path, &links(patterns)).expect("links");
        };
        set(&mut forge, "a", &["a1", "a0"]);
        set(&mut forge, "a/b", &["b"]);
        set(&mut forge, "a/b/demo", &["d2", "d1"]);
        for path in ["a/b/demo".to_owned(), format!("_{id}")] {
            assert_eq!(in_force(&mut forge, &root, &path), ["d2", "d1", "b", "a1", "a0"], "{path}");
        }
        assert_eq!(in_force(&mut forge, &root, "other"), [""; 0]);
        assert_eq!(in_force(&mut forge, &root, "a"), [""; 0], "a group has no messages");
        let listed = |forge: &mut Forge, path: &str| -> Vec<(String, usize)> {
            let listed = forge.store.issue_links(&root, path).expect("links");
            listed.into_iter().map(|place| (place.place, place.links.len())).collect()
        };
        let expected = [("a/b/demo", 2), ("a/b", 1), ("a", 2)].map(|(path, count)| (path.to_owned(), count));
        assert_eq!(listed(&mut forge, "a/b/demo"), expected);
        assert_eq!(listed(&mut forge, "a/b"), expected[1..]);
        set(&mut forge, "a/b", &[]);
        assert_eq!(listed(&mut forge, "a/b/demo"), [expected[0].clone(), expected[2].clone()]);
        assert_eq!(listed(&mut forge, "other"), [("other".to_owned(), 0)]);
        let entered: String =
            forge.value("SELECT group_concat(details, '|') FROM journal WHERE action = 'issue-links.set'");
        assert!(entered.starts_with("a1 https://t.example/{id}; a0 https://t.example/{id}|"), "{entered}");
        assert!(entered.ends_with("|nothing"), "{entered}");
    }

    #[test]
    fn the_links_of_the_site_come_last() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "a/demo", false);
        forge.repository(&root, "other", false);
        let set = |forge: &mut Forge, path: &str, patterns: &[&str]| {
            forge.store.set_issue_links(&root, path, &links(patterns)).expect("links");
        };
        set(&mut forge, "", &["s2", "s1"]);
        assert_eq!(in_force(&mut forge, &root, "other"), ["s2", "s1"]);
        set(&mut forge, "a", &["a"]);
        set(&mut forge, "a/demo", &["d"]);
        assert_eq!(in_force(&mut forge, &root, "a/demo"), ["d", "a", "s2", "s1"]);
        let listed = |forge: &mut Forge, path: &str| -> Vec<(String, usize)> {
            let listed = forge.store.issue_links(&root, path).expect("links");
            listed.into_iter().map(|place| (place.place, place.links.len())).collect()
        };
        let expected = [("a/demo", 1), ("a", 1), ("", 2)].map(|(path, count)| (path.to_owned(), count));
        assert_eq!(listed(&mut forge, "a/demo"), expected);
        assert_eq!(listed(&mut forge, ""), expected[2..]);
        // They are no more than others, and the first to be left out.
        set(&mut forge, "a", &["b"; ISSUE_LINKS_MAX]);
        set(&mut forge, "a/demo", &["c"; ISSUE_LINKS_MAX]);
        assert_eq!(in_force(&mut forge, &root, "a/demo").len(), ISSUE_LINKS_IN_FORCE_MAX);
        let many = links(&["a"; ISSUE_LINKS_MAX + 1]);
        assert_eq!(outcome(forge.store.set_issue_links(&root, "", &many)), "invalid links");
        // Whoever administers a repository sees them, and only a site administrator sets them.
        forge.grant("other", user("bert"), Permission::Admin);
        let bert = forge.session("bert");
        let listed = forge.store.issue_links(&bert, "other").expect("links");
        assert_eq!(listed.last().map(|place| place.links.len()), Some(2));
        let calls = [forge.anonymous(), bert, forge.token("root", Permission::Write), forge.session("root")];
        let expected = ["unauthenticated", "forbidden", "forbidden", "ok"];
        assert_eq!(calls.each_ref().map(|call| outcome(forge.store.issue_links(call, ""))), expected);
        assert_eq!(
            calls.each_ref().map(|call| outcome(forge.store.set_issue_links(call, "", &[]))),
            expected
        );
        assert_eq!(in_force(&mut forge, &root, "other"), [""; 0]);
    }

    #[test]
    fn only_who_may_administer_a_place_sets_its_links() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.grant("demo", user("bert"), Permission::Admin);
        let calls = [
            forge.anonymous(),
            forge.session("cara"),
            forge.session("anna"),
            forge.token("bert", Permission::Write),
            forge.session("bert"),
        ];
        let expected = ["unauthenticated", "forbidden", "forbidden", "forbidden", "ok"];
        let set =
            calls.each_ref().map(|call| outcome(forge.store.set_issue_links(call, "demo", &links(&["x"]))));
        assert_eq!(set, expected);
        let listed = calls.each_ref().map(|call| outcome(forge.store.issue_links(call, "demo")));
        assert_eq!(listed, expected);
        // Whoever may read has the links, as messages show them.
        assert_eq!(in_force(&mut forge, &calls[0], "demo"), ["x"]);
        assert_eq!(outcome(forge.store.set_issue_links(&root, "nothing", &[])), "not-found");
    }

    #[test]
    fn links_that_cannot_be_used_and_too_many_are_refused() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "a/demo", false);
        let link = |pattern: &str, address: &str| {
            vec![IssueLink { pattern: pattern.to_owned(), address: address.to_owned() }]
        };
        let cases = [
            (link(r"#(\d+)", "/{id}"), "ok"),
            (link("(", "/{id}"), "invalid links"),
            (link("", "/{id}"), "invalid links"),
            (link("a*", "/{id}"), "invalid links"),
            (link("a", "javascript:{id}"), "invalid links"),
            (link("a", "/{x}"), "invalid links"),
            (links(&["a"; ISSUE_LINKS_MAX]), "ok"),
            (links(&["a"; ISSUE_LINKS_MAX + 1]), "invalid links"),
        ];
        for (links, expected) in cases {
            let set = forge.store.set_issue_links(&root, "a/demo", &links);
            assert_eq!(outcome(set), expected, "{links:?}");
        }
        forge.store.set_issue_links(&root, "a", &links(&["b"; ISSUE_LINKS_MAX])).expect("links");
        assert_eq!(in_force(&mut forge, &root, "a/demo").len(), ISSUE_LINKS_IN_FORCE_MAX);
        forge.repository(&root, "a/c/demo", false);
        for path in ["a/c", "a/c/demo"] {
            forge.store.set_issue_links(&root, path, &links(&["c"; ISSUE_LINKS_MAX])).expect("links");
        }
        assert_eq!(
            in_force(&mut forge, &root, "a/c/demo"),
            ["c"; ISSUE_LINKS_IN_FORCE_MAX],
            "the outermost go"
        );
    }

    #[test]
    fn links_go_with_their_place() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "a/demo", false).id;
        for path in ["a", "a/demo"] {
            forge.store.set_issue_links(&root, path, &links(&["x"])).expect("links");
        }
        forge.store.delete_repository(&root, "a/demo").expect("deleted");
        forge.store.purge(&root, id).expect("purged");
        forge.store.delete_group(&root, "a").expect("deleted");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM issue_links"), 0);
    }
}
