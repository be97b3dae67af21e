//! `/<path>/-/settings/issues`: what messages in a repository, or in those in a group, call issues, and
//! where those are.

use crate::AdminVisit;
use crate::place_settings::{group_frame, path_of, settings_href};
use askama::Template;
use lithe_forge::access::Place;
use lithe_forge::issue_links::{self, PlaceLinks};
use lithe_forge::types::{Error, IssueLink, Permission};
use lithe_web::address::encode_path;
use lithe_web::{Answer, Fields, Frame, Problem, RepositoryHead, Tab, Text, answer, filters, t};

/// How many links the form has room for: as many as the store takes.
const ROWS_MAX: usize = 10;

/// The page `/<path>/-/settings/issues` of a repository.
#[derive(Template)]
#[template(path = "repository_issues.html")]
struct RepositoryIssuesPage {
    frame: Frame,
    head: RepositoryHead,
    current: &'static str,
    settings_href: String,
    view: IssueLinksView,
}

/// The same page of a group.
#[derive(Template)]
#[template(path = "group_issues.html")]
struct GroupIssuesPage {
    frame: Frame,
    current: &'static str,
    settings_href: String,
    name: String,
    href: String,
    view: IssueLinksView,
}

/// The place's own links, as they are filled in, and those of the groups around it.
struct IssueLinksView {
    problem: Problem,
    rows: Vec<Row>,
    inherited: Vec<Inherited>,
}

/// A row of the form; without a pattern and an address, there is room for another link.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    number: usize,
    pattern: String,
    address: String,
}

/// A link of a group around the place.
struct Inherited {
    path: String,
    href: String,
    pattern: String,
    address: String,
}

pub fn answer(visit: AdminVisit, place: Place) -> Answer {
    let path = path_of(&place).to_owned();
    let problem = match visit.form.map(|form| set(&visit, &path, form)) {
        None => Problem::none(),
        Some(Ok(())) => return answer::see_other(&format!("{}?done=saved", settings_href(&path, "issues"))),
        Some(Err(error)) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return visit.failed(&error),
        },
    };
    let listed = visit.requester().call(|credentials, client| issue_links::list(credentials, client, &path));
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return visit.failed(&error),
    };
    let is_saved = visit.visit.query.get("done") == "saved";
    let notice = is_saved.then(|| t("The links are saved."));
    let frame = Frame { notice, ..visit.frame };
    let language = frame.language;
    let view = view(problem.clone(), listed, visit.form);
    match place {
        Place::Repository(repository) => problem.answer(
            language,
            &RepositoryIssuesPage {
                frame: frame.titled(Text::joined(" · ", [t("Issues"), Text::verbatim(path.clone())])),
                head: RepositoryHead::new(&repository, Permission::Admin, Some(Tab::Settings), ""),
                current: "issues",
                settings_href: settings_href(&path, ""),
                view,
            },
        ),
        Place::Group(_) => problem.answer(
            language,
            &GroupIssuesPage {
                frame: group_frame(frame, &path, t("Issues")),
                current: "issues",
                settings_href: settings_href(&path, ""),
                name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                href: format!("/{}", encode_path(&path)),
                view,
            },
        ),
    }
}

fn set(visit: &AdminVisit, path: &str, form: &Fields) -> Result<(), Error> {
    let links = links(form);
    visit.requester().call(|credentials, client| issue_links::set(credentials, client, path, &links))
}

/// The links that a form has; rows that are empty have none.
fn links(form: &Fields) -> Vec<IssueLink> {
    let typed = |name: &str, number: usize| form.trimmed(&format!("{name}-{number}")).to_owned();
    let links = (1..=ROWS_MAX)
        .map(|number| IssueLink { pattern: typed("pattern", number), address: typed("address", number) });
    links.filter(|link| !(link.pattern.is_empty() && link.address.is_empty())).collect()
}

fn view(problem: Problem, mut listed: Vec<PlaceLinks>, form: Option<&Fields>) -> IssueLinksView {
    let own = if listed.is_empty() { Vec::new() } else { listed.remove(0).links };
    let mut shown = form.map_or(own, links);
    // Room for two more.
    let room = IssueLink { pattern: String::new(), address: String::new() };
    shown.extend([room.clone(), room]);
    shown.truncate(ROWS_MAX);
    let rows = shown.into_iter().enumerate();
    let inherited = listed.into_iter().flat_map(|PlaceLinks { place, links }| {
        links.into_iter().map(move |IssueLink { pattern, address }| Inherited {
            href: settings_href(&place, "issues"),
            path: place.clone(),
            pattern,
            address,
        })
    });
    IssueLinksView {
        problem,
        rows: rows
            .map(|(index, IssueLink { pattern, address })| Row { number: index + 1, pattern, address })
            .collect(),
        inherited: inherited.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    fn link(pattern: &str, address: &str) -> IssueLink {
        IssueLink { pattern: pattern.to_owned(), address: address.to_owned() }
    }

    fn fields(form: &str) -> Fields {
        Fields::parse(form.as_bytes()).expect("a form")
    }

    #[test]
    fn rows_that_are_emptied_are_gone() {
        let form = "pattern-1=%23(%5Cd%2B)&address-1=+/n/{id}+&pattern-2=&address-2=&pattern-3=x&address-3=&\
            pattern-10=y&address-10=/y&pattern-11=z&address-11=/z";
        let expected = [link(r"#(\d+)", "/n/{id}"), link("x", ""), link("y", "/y")];
        assert_eq!(links(&fields(form)), expected);
        assert_eq!(links(&fields("")), []);
    }

    #[test]
    fn there_is_room_for_more_links_up_to_the_limit() {
        let rows = |count: usize| {
            let own = PlaceLinks { place: "a".into(), links: vec![link("x", "/{id}"); count] };
            view(Problem::none(), vec![own], None).rows.len()
        };
        assert_eq!([rows(0), rows(1), rows(8), rows(9), rows(10)], [2, 3, 10, 10, 10]);
    }

    #[test]
    fn a_form_that_failed_keeps_what_was_typed() {
        let form = fields("pattern-1=(&address-1=/<x>");
        let problem = Problem::with_field("links", t("no"));
        let own = PlaceLinks { place: "a".into(), links: vec![link("x", "/{id}")] };
        let shown = view(problem, vec![own], Some(&form));
        assert_eq!(shown.rows[0], Row { number: 1, pattern: "(".into(), address: "/<x>".into() });
    }

    #[test]
    fn the_page() {
        let own = PlaceLinks {
            place: "team/tools".into(),
            links: vec![link(r"#(?<id>\d+)<", "https://t.example/{repo}?a&{id}")],
        };
        let around = PlaceLinks { place: "team".into(), links: vec![link("[A-Z]+-[0-9]+", "/t/{id}")] };
        let page = GroupIssuesPage {
            frame: Frame::bare("/team/tools/-/settings/issues", Language::English).titled(t("Issues")),
            current: "issues",
            settings_href: settings_href("team/tools", ""),
            name: "tools".into(),
            href: "/team/tools".into(),
            view: view(Problem::none(), vec![own, around], None),
        };
        crate::place_settings::golden("group_issues", &page.render().expect("a page"));
    }
}
