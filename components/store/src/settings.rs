//! The site's settings.

use crate::bindings::exports::lithe::forge::settings::{Overview, Site};
use crate::failure::invalid;
use crate::identity;
use crate::journal;
use crate::limits::TITLE_BYTES_MAX;
use crate::store::{Call, Store, check_text};
use crate::types::Error;
use rusqlite::{Connection, named_params};

const DAYS_MAX: u32 = 3_650;

/// The present settings.
pub fn site(connection: &Connection) -> Result<Site, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT title, registration, anonymous_access, public_by_default, top_level_creation, deletion_grace_days, session_days
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
        })
    })?)
}

impl Store {
    pub fn settings(&mut self, call: &Call) -> Result<Overview, Error> {
        self.transact(call.now, |connection, memory| {
            let viewer = identity::resolve(connection, memory, call)?.viewer;
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
                         session_days = :session_days",
                )?
                .execute(named_params! {
                    ":title": new.title,
                    ":registration": new.registration,
                    ":anonymous_access": new.anonymous_access,
                    ":public_by_default": new.public_by_default,
                    ":top_level_creation": new.top_level_creation,
                    ":deletion_grace_days": new.deletion_grace_days,
                    ":session_days": new.session_days,
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
    Ok(())
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
    ];
    let changed = lines.iter().filter(|(_, old, new)| old != new);
    changed.map(|(name, old, new)| format!("{name}: {old} → {new}")).collect::<Vec<_>>().join("; ")
}
