//! Replies as text for people.

use lithe_operator::{Check, Maintenance, Reply, Repository, Token, User};

/// Between two columns.
const GAP: &str = "  ";

/// What a reply says.
pub fn text(reply: &Reply) -> String {
    match reply {
        Reply::Done { message } | Reply::Refused { message } => format!("{message}\n"),
        Reply::Secret { message, secret } => format!("{message}\n{secret}\n"),
        Reply::Users { users } => table("There are no users.", users, user),
        Reply::Repositories { repositories } => table("There are no repositories.", repositories, repository),
        Reply::Tokens { tokens } => table("There are no access tokens.", tokens, token),
        Reply::Checks { checks } => self::checks(checks),
        Reply::Maintained { runs } => self::runs(runs),
    }
}

fn user(user: &User) -> Vec<String> {
    let role = match (user.is_active, user.is_admin) {
        (false, _) => "disabled",
        (true, true) => "administrator",
        (true, false) => "user",
    };
    vec![user.name.clone(), role.to_owned(), user.email.clone(), user.full_name.clone()]
}

fn repository(repository: &Repository) -> Vec<String> {
    let state = match (repository.is_deleted, repository.is_private) {
        (true, _) => "deleted",
        (false, true) => "private",
        (false, false) => "public",
    };
    let owner = repository.owner.clone().unwrap_or_default();
    let id = repository.id.to_string();
    vec![id, repository.path.clone(), state.to_owned(), owner, repository.description.clone()]
}

fn token(token: &Token) -> Vec<String> {
    let day = |time: Option<i64>, none: &str| time.map_or_else(|| none.to_owned(), date);
    vec![
        token.id.to_string(),
        if token.write { "write" } else { "read" }.to_owned(),
        format!("expires {}", day(token.expires, "never")),
        format!("last used {}", day(token.last_used, "never")),
        token.description.clone(),
    ]
}

fn checks(checks: &[Check]) -> String {
    if checks.is_empty() {
        return "There are no repositories.\n".to_owned();
    }
    let one = |check: &Check| {
        let Check { path, objects, packs, bytes, large_files, large_file_bytes, problems, health } = check;
        let verdict = if problems.is_empty() { "sound" } else { "DAMAGED" };
        let large = match large_files {
            0 => String::new(),
            count => format!("; {count} large files, {large_file_bytes} bytes"),
        };
        let mut text =
            format!("{path}: {verdict} ({objects} objects, {packs} packs, {bytes} bytes{large})\n");
        if let Some(health) = health {
            let due = if health.is_maintenance_due { "; maintenance is due" } else { "" };
            text += &format!(
                "  {} loose objects, {} refs, bitmaps of {} commits, a commit-graph of {}; a clone sends about {} bytes{due}\n",
                health.loose_objects, health.refs, health.bitmaps, health.graph_commits, health.clone_bytes
            );
        }
        text.extend(problems.iter().map(|problem| format!("  {problem}\n")));
        text
    };
    checks.iter().map(one).collect()
}

fn runs(runs: &[Maintenance]) -> String {
    if runs.is_empty() {
        return "No repository needs maintenance.\n".to_owned();
    }
    let one = |run: &Maintenance| match &run.error {
        Some(error) => format!("{}: FAILED: {error}\n", run.path),
        None if run.changes.is_empty() => format!("{}: nothing to be done\n", run.path),
        None => format!("{}: {}\n", run.path, run.changes.join(", ")),
    };
    runs.iter().map(one).collect()
}

/// Rows with aligned columns, or a sentence if there are none.
fn table<T>(none: &str, items: &[T], row: impl Fn(&T) -> Vec<String>) -> String {
    if items.is_empty() {
        return format!("{none}\n");
    }
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join(GAP);
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// The day of a time in seconds since 1970, in UTC.
///
/// After Howard Hinnant's description of the proleptic Gregorian calendar, with years that begin in
/// March and eras of 400 years.
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let users = [("bob", true, false), ("æsa-the-second", true, true), ("eve", false, false)];
        let users = users.map(|(name, is_active, is_admin)| User {
            id: 1,
            name: name.into(),
            full_name: String::new(),
            email: "x@y".into(),
            is_admin,
            is_active,
        });
        let expected = "bob             user           x@y\n\
                        æsa-the-second  administrator  x@y\n\
                        eve             disabled       x@y\n";
        assert_eq!(text(&Reply::Users { users: users.into() }), expected);
        assert_eq!(text(&Reply::Users { users: Vec::new() }), "There are no users.\n");
    }

    #[test]
    fn problems_are_listed_below_their_repository() {
        let check = |path: &str, problems: &[&str]| Check {
            path: path.into(),
            objects: 3,
            packs: 1,
            bytes: 512,
            large_files: u64::from(path == "b") * 2,
            large_file_bytes: 7,
            problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
            health: None,
        };
        let checks = vec![check("a", &[]), check("b", &["object 12 is missing"])];
        assert_eq!(
            text(&Reply::Checks { checks }),
            "a: sound (3 objects, 1 packs, 512 bytes)\n\
             b: DAMAGED (3 objects, 1 packs, 512 bytes; 2 large files, 7 bytes)\n  object 12 is missing\n"
        );
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (4_107_542_400, "2100-03-01"),
            (-1, "1969-12-31"),
        ];
        for (seconds, day) in cases {
            assert_eq!(date(seconds), day);
        }
    }
}
