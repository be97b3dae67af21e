//! `/<path>/-/settings/issues` and `/-/admin/issues`: what messages in a repository, in those in a group, or in all of
//! the site, call issues, and where those are.

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

/// The page `/-/admin/issues`.
#[derive(Template)]
#[template(path = "site_issues.html")]
struct SiteIssuesPage {
    frame: Frame,
    current: &'static str,
    view: IssueLinksView,
}

/// The path that stands for the whole site.
const SITE: &str = "";

/// The place's own links, as they are filled in, and those of the groups around it.
struct IssueLinksView {
    /// Whose the own ones are.
    own_title: Text,
    /// Where the form leads.
    action: String,
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

/// A link of a group around the place, or of the site.
struct Inherited {
    path: Text,
    /// None: it is not the viewer's to change.
    href: Option<String>,
    pattern: String,
    address: String,
}

/// The links of the whole site.
pub fn of_site(visit: AdminVisit) -> Answer {
    let (problem, view) = match changed(&visit, SITE, t("Links of the whole site"), "/-/admin/issues") {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let frame = noticed(visit).titled(t("Issues"));
    problem.answer(frame.language, &SiteIssuesPage { frame, current: "issues", view })
}

/// The links of a repository or group.
pub fn answer(visit: AdminVisit, place: Place) -> Answer {
    let path = path_of(&place).to_owned();
    let own_title = match &place {
        Place::Repository(_) => t("Links of this repository"),
        Place::Group(_) => t("Links of this group"),
    };
    let (problem, view) = match changed(&visit, &path, own_title, &settings_href(&path, "issues")) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let frame = noticed(visit);
    let language = frame.language;
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

/// The frame of the page, which says that what was sent is saved where it was.
fn noticed(visit: AdminVisit) -> Frame {
    let is_saved = visit.visit.query.get("done") == "saved";
    Frame { notice: is_saved.then(|| t("The links are saved.")), ..visit.frame }
}

/// Sets the links that a form has, and shows those that there are. Fails with the answer where there is nothing to show.
fn changed(
    visit: &AdminVisit,
    path: &str,
    own_title: Text,
    action: &str,
) -> Result<(Problem, IssueLinksView), Answer> {
    let problem = match visit.form.map(|form| set(visit, path, form)) {
        None => Problem::none(),
        Some(Ok(())) => return Err(answer::see_other(&format!("{action}?done=saved"))),
        Some(Err(error)) => Problem::of_store(&error).ok_or_else(|| visit.failed(&error))?,
    };
    let listed = visit
        .requester()
        .call(|credentials, client| issue_links::list(credentials, client, path))
        .map_err(|error| visit.failed(&error))?;
    let view = IssueLinksView {
        own_title,
        action: action.to_owned(),
        problem: problem.clone(),
        ..view(listed, visit.form, visit.overview.viewer.user.as_ref().is_some_and(|user| user.is_admin))
    };
    Ok((problem, view))
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

/// The links of a place, the first of those listed, and of what is around it.
fn view(mut listed: Vec<PlaceLinks>, form: Option<&Fields>, is_site_admin: bool) -> IssueLinksView {
    let own = if listed.is_empty() { Vec::new() } else { listed.remove(0).links };
    let mut shown = form.map_or(own, links);
    // Room for two more.
    let room = IssueLink { pattern: String::new(), address: String::new() };
    shown.extend([room.clone(), room]);
    shown.truncate(ROWS_MAX);
    let rows = shown.into_iter().enumerate();
    let inherited = listed.into_iter().flat_map(|PlaceLinks { place, links }| {
        links.into_iter().map(move |IssueLink { pattern, address }| Inherited {
            href: match place.as_str() {
                SITE => is_site_admin.then(|| "/-/admin/issues".to_owned()),
                path => Some(settings_href(path, "issues")),
            },
            path: match place.as_str() {
                SITE => t("The whole site"),
                path => Text::verbatim(path.to_owned()),
            },
            pattern,
            address,
        })
    });
    IssueLinksView {
        own_title: Text::EMPTY,
        action: String::new(),
        problem: Problem::none(),
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
            view(vec![own], None, false).rows.len()
        };
        assert_eq!([rows(0), rows(1), rows(8), rows(9), rows(10)], [2, 3, 10, 10, 10]);
    }

    #[test]
    fn a_form_that_failed_keeps_what_was_typed() {
        let form = fields("pattern-1=(&address-1=/<x>");
        let own = PlaceLinks { place: "a".into(), links: vec![link("x", "/{id}")] };
        let shown = view(vec![own], Some(&form), false);
        assert_eq!(shown.rows[0], Row { number: 1, pattern: "(".into(), address: "/<x>".into() });
    }

    #[test]
    fn the_page() {
        let own = PlaceLinks {
            place: "team/tools".into(),
            links: vec![link(r"#(?<id>\d+)<", "https://t.example/{repo}?a&{id}")],
        };
        let around = PlaceLinks { place: "team".into(), links: vec![link("[A-Z]+-[0-9]+", "/t/{id}")] };
        let site =
            PlaceLinks { place: SITE.into(), links: vec![link("bug [0-9]+", "https://b.example/{id}")] };
        let page = GroupIssuesPage {
            frame: Frame::bare("/team/tools/-/settings/issues", Language::English).titled(t("Issues")),
            current: "issues",
            settings_href: settings_href("team/tools", ""),
            name: "tools".into(),
            href: "/team/tools".into(),
            view: IssueLinksView {
                own_title: t("Links of this group"),
                action: settings_href("team/tools", "issues"),
                ..view(vec![own, around, site.clone()], None, false)
            },
        };
        crate::place_settings::golden("group_issues", &page.render().expect("a page"));
        // Only a site administrator is led to the links of the site.
        let hrefs = |is_admin| {
            let view = view(vec![site.clone(), site.clone()], None, is_admin);
            view.inherited.into_iter().map(|link| link.href).collect::<Vec<_>>()
        };
        assert_eq!((hrefs(false), hrefs(true)), (vec![None], vec![Some("/-/admin/issues".to_owned())]));
    }
}
