//! The site's settings.

use crate::bindings::exports::lithe::forge::settings::{Overview, Site};
use crate::failure::invalid;
use crate::identity;
use crate::journal;
use crate::limits::TITLE_BYTES_MAX;
use crate::quotas::check_mib;
use crate::store::{Call, Store, check_text};
use crate::types::Error;
use rusqlite::{Connection, named_params};

const DAYS_MAX: u32 = 3_650;

/// The present settings.
pub fn site(connection: &Connection) -> Result<Site, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT title, registration, anonymous_access, public_by_default, top_level_creation, deletion_grace_days, session_days,
                lfs_object_mib_max, lfs_repository_mib_max
         FROM settings WHERE id = 1",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(Site {
            title: row.get(0)?,
            registration: row.get(1)?,
            anonymous_access: row.get(2)?,
            public_by_default: row.get(3)?,
            top_level_creation: row.get(4)?,
            deletion_grace_days: row.get(5)?,
            session_days: row.get(6)?,
            lfs_object_mib_max: row.get(7)?,
            lfs_repository_mib_max: row.get(8)?,
        })
    })?)
}

impl Store {
    pub fn settings(&mut self, call: &Call) -> Result<Overview, Error> {
        self.transact(call.now, |connection, memory| {
            let viewer = identity::recognise(connection, memory, call)?.viewer;
            Ok(Overview { viewer, site: site(connection)? })
        })
    }

    pub fn update_settings(&mut self, call: &Call, new: &Site) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            principal.require_site_admin()?;
            check(new)?;
            let old = site(connection)?;
            connection
                .prepare_cached(
                    "UPDATE settings SET title = :title, registration = :registration,
                         anonymous_access = :anonymous_access, public_by_default = :public_by_default,
                         top_level_creation = :top_level_creation, deletion_grace_days = :deletion_grace_days,
                         session_days = :session_days, lfs_object_mib_max = :lfs_object_mib_max,
                         lfs_repository_mib_max = :lfs_repository_mib_max",
                )?
                .execute(named_params! {
                    ":title": new.title,
                    ":registration": new.registration,
                    ":anonymous_access": new.anonymous_access,
                    ":public_by_default": new.public_by_default,
                    ":top_level_creation": new.top_level_creation,
                    ":deletion_grace_days": new.deletion_grace_days,
                    ":session_days": new.session_days,
                    ":lfs_object_mib_max": new.lfs_object_mib_max,
                    ":lfs_repository_mib_max": new.lfs_repository_mib_max,
                })?;
            journal::enter(connection, &principal, call, "settings.update", "site", &difference(&old, new))
        })
    }
}

fn check(site: &Site) -> Result<(), Error> {
    check_text("title", &site.title, TITLE_BYTES_MAX)?;
    if site.title.trim().is_empty() {
        return Err(invalid("title", "the site needs a title"));
    }
    if site.deletion_grace_days > DAYS_MAX {
        return Err(invalid("deletion-grace-days", format!("0 to {DAYS_MAX} days")));
    }
    if !(1..=DAYS_MAX).contains(&site.session_days) {
        return Err(invalid("session-days", format!("1 to {DAYS_MAX} days")));
    }
    check_mib("lfs-object-mib-max", site.lfs_object_mib_max)?;
    check_mib("lfs-repository-mib-max", site.lfs_repository_mib_max)
}

/// What changed, in words.
fn difference(old: &Site, new: &Site) -> String {
    let on = |value: bool| if value { "on" } else { "off" }.to_owned();
    let lines = [
        ("title", old.title.clone(), new.title.clone()),
        ("registration", on(old.registration), on(new.registration)),
        ("anonymous access", on(old.anonymous_access), on(new.anonymous_access)),
        ("public by default", on(old.public_by_default), on(new.public_by_default)),
        ("top-level creation", on(old.top_level_creation), on(new.top_level_creation)),
        ("deletion grace days", old.deletion_grace_days.to_string(), new.deletion_grace_days.to_string()),
        ("session days", old.session_days.to_string(), new.session_days.to_string()),
        (
            "largest file in Git LFS, MiB",
            old.lfs_object_mib_max.to_string(),
            new.lfs_object_mib_max.to_string(),
        ),
        (
            "Git LFS files of a repository, MiB",
            old.lfs_repository_mib_max.to_string(),
            new.lfs_repository_mib_max.to_string(),
        ),
    ];
    let changed = lines.iter().filter(|(_, old, new)| old != new);
    changed.map(|(name, old, new)| format!("{name}: {old} → {new}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, outcome};
    use crate::types::Permission;

    #[test]
    fn settings_begin_with_their_defaults() {
        let mut forge = Forge::new();
        let anyone = forge.anonymous();
        let overview = forge.store.settings(&anyone).expect("settings");
        let expected = Site {
            title: "Lithe".into(),
            registration: false,
            anonymous_access: true,
            public_by_default: true,
            top_level_creation: false,
            deletion_grace_days: 30,
            session_days: 30,
            lfs_object_mib_max: 4_096,
            lfs_repository_mib_max: 32_768,
        };
        assert_eq!((overview.site, overview.viewer.user), (expected, None));
    }

    #[test]
    fn only_site_administrators_change_them() {
        let mut forge = Forge::new();
        let anyone = forge.anonymous();
        let mut site = forge.store.settings(&anyone).expect("settings").site;
        site.title = "Forge".into();
        let calls =
            [anyone, forge.session("anna"), forge.token("root", Permission::Write), forge.session("root")];
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.update_settings(call, &site)));
        assert_eq!(outcomes, ["unauthenticated", "forbidden", "forbidden", "ok"]);
        assert_eq!(forge.store.settings(&calls[0]).expect("settings").site, site);
        let details: String = forge.value("SELECT details FROM journal WHERE action = 'settings.update'");
        assert_eq!(details, "title: Lithe → Forge");
    }

    #[test]
    fn values_have_limits() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let good = forge.store.settings(&root).expect("settings").site;
        let cases = [
            (Site { title: "a".repeat(100), ..good.clone() }, "ok"),
            (Site { title: "a".repeat(101), ..good.clone() }, "invalid title"),
            (Site { title: " ".into(), ..good.clone() }, "invalid title"),
            (Site { deletion_grace_days: 0, ..good.clone() }, "ok"),
            (Site { deletion_grace_days: 3_650, ..good.clone() }, "ok"),
            (Site { deletion_grace_days: 3_651, ..good.clone() }, "invalid deletion-grace-days"),
            (Site { session_days: 0, ..good.clone() }, "invalid session-days"),
            (Site { session_days: 1, ..good.clone() }, "ok"),
            (Site { session_days: 3_651, ..good.clone() }, "invalid session-days"),
            (Site { lfs_object_mib_max: 0, ..good.clone() }, "invalid lfs-object-mib-max"),
            (Site { lfs_object_mib_max: 16_777_216, ..good.clone() }, "ok"),
            (Site { lfs_object_mib_max: 16_777_217, ..good.clone() }, "invalid lfs-object-mib-max"),
            (Site { lfs_repository_mib_max: 0, ..good.clone() }, "invalid lfs-repository-mib-max"),
        ];
        for (site, expected) in cases {
            assert_eq!(outcome(forge.store.update_settings(&root, &site)), expected, "{site:?}");
        }
    }
}
