//! Two revisions compared, `/-/compare/<from>...<to>`: the commits that one has and the other lacks, and
//! what they changed. The second may be another repository's, `<from>...<group>/<repository>:<to>`.

use crate::diff::View;
use crate::diff::patch::Budget;
use crate::diff::view::{self, Point};
use crate::patches::{self, Form};
use crate::place::{CommitLine, Failure, Place};
use crate::related::Related;
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::links::Links;
use lithe_code::repository::{Commit, Error, Repository};
use lithe_code::revision::{self, Revision};
use lithe_code::text;
use lithe_git::format::ObjectFormat;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;

/// How many branches and tags are offered to choose from.
const CHOICES_MAX: usize = 200;

/// Two revisions that are compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Pair {
    pub from: Revision,
    pub to: Revision,
    /// Whether it is about what was done since the two parted, `...`, and not about all that differs, `..`.
    pub is_since_parting: bool,
    /// The path of the repository that the second is of; none: of the same.
    pub head_path: Option<String>,
}

/// Takes the path of another repository out of `<from>...<path>:<to>`; none: there is none. No name of a ref
/// has a colon (git-check-ref-format(1)).
pub fn other_repository(rest: &BStr) -> Option<(&str, BString)> {
    let (before, to) = rest.split_once_str(":")?;
    let dots = if before.contains_str("...") { "..." } else { ".." };
    let (from, path) = before.split_once_str(dots)?;
    let path = path.to_str().ok().filter(|path| !path.is_empty())?;
    Some((path, [from, dots.as_bytes(), to].concat().into()))
}

impl Pair {
    /// Reads `<from>...<to>` or `<from>..<to>`; an empty name stands for the landing branch. None: there
    /// are no such revisions. No name of a ref has two dots in a row (git-check-ref-format(1)).
    pub fn resolve(repository: Repository<'_>, rest: &BStr) -> Result<Option<Self>, Error> {
        Self::resolve_across(repository, (repository, None), rest)
    }

    /// As [`Self::resolve`], where the second is to be found in another repository, at a path.
    pub fn resolve_across(
        base: Repository<'_>,
        (head, head_path): (Repository<'_>, Option<&str>),
        rest: &BStr,
    ) -> Result<Option<Self>, Error> {
        let (dots, is_since_parting) = if rest.contains_str("...") { ("...", true) } else { ("..", false) };
        let Some((from, to)) = rest.split_once_str(dots) else { return Ok(None) };
        if base.objects.format() != head.objects.format() {
            return Ok(None);
        }
        let find = |repository, name: &[u8]| {
            let resolved = revision::resolve(repository, name.as_bstr())?;
            Ok(resolved.filter(|resolved| resolved.path.is_empty()).map(|resolved| resolved.revision))
        };
        Ok(match (find(base, from)?, find(head, to)?) {
            (Some(from), Some(to)) => {
                Some(Self { from, to, is_since_parting, head_path: head_path.map(str::to_owned) })
            }
            _ => None,
        })
    }

    /// The second, as addresses and people call it.
    fn to_name(&self) -> BString {
        within(self.head_path.as_deref(), self.to.name.as_bstr())
    }

    /// What stands between the names.
    pub fn dots(&self) -> &'static str {
        if self.is_since_parting { "..." } else { ".." }
    }
}

/// A revision of another repository, as addresses call it.
fn within(path: Option<&str>, name: &BStr) -> BString {
    match path {
        Some(path) => [path.as_bytes(), b":", name].concat().into(),
        None => name.into(),
    }
}

/// The page of a comparison.
#[derive(Template, Serialize)]
#[template(path = "compare.html")]
#[serde(tag = "page", rename = "compare", rename_all = "kebab-case")]
pub struct ComparePage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    action: String,
    from: String,
    to: String,
    is_since_parting: bool,
    /// The branches and tags to choose from.
    names: Vec<String>,
    /// Why what was chosen cannot be compared.
    problem: Option<Text>,
    result: Option<Comparison>,
}

/// What was found out.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Comparison {
    swap_href: String,
    href: String,
    /// `3 commits ahead, 1 commit behind`.
    words: Text,
    commits: Vec<CommitLine>,
    /// How many commits are not listed.
    left_out: Option<Text>,
    /// The history of the second.
    head_commits_href: String,
    notice: Option<Text>,
    #[serde(rename = "changes-html")]
    changes: String,
}

/// The page where two revisions are chosen.
pub fn choice(place: &Place<'_>, repository: Repository<'_>) -> Result<ComparePage, Failure> {
    let landing = revision::landing_branch(repository)?;
    let name = landing.map(|revision| text::visible(&revision.name)).unwrap_or_default();
    Ok(ComparePage {
        frame: place.frame(t("Compare")),
        head: place.head(Tab::Commits, None),
        action: place.links().compare("".into(), "", "".into()),
        from: name.clone(),
        to: name,
        is_since_parting: true,
        names: names(repository),
        problem: None,
        result: None,
    })
}

/// The page where two are chosen again, for those chosen are of repositories whose objects are named in different
/// ways.
pub fn of_other_format(
    place: &Place<'_>,
    (base, head): (Repository<'_>, Repository<'_>),
    head_path: &str,
) -> Result<ComparePage, Failure> {
    let name = |repository: Repository<'_>| match repository.objects.format() {
        ObjectFormat::Sha256 => "SHA-256".to_owned(),
        _ => "SHA-1".to_owned(),
    };
    let problem = t(
        "{other} names its objects by {theirs}, and this repository by {own}: not even what is alike has the same name in both, so that they cannot be compared.",
    );
    let problem =
        problem.with("other", head_path.to_owned()).with("theirs", name(head)).with("own", name(base));
    Ok(ComparePage { problem: Some(problem), ..choice(place, base)? })
}

/// The page of a comparison.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    pair: &Pair,
    view: View,
) -> Result<ComparePage, Failure> {
    let links = place.links();
    let head_links = pair.head_path.as_deref().map_or(links.clone(), Links::new);
    let Pair { from, to, is_since_parting, head_path } = pair;
    let related = Related::of_pair(place, repository, pair)?;
    let (before, after) = points(repository, pair, &related)?;
    let mut commits = Vec::new();
    for id in related.listed.iter().rev() {
        commits.push(place.commit_line_of(&head_links, &repository.commit(id)?));
    }
    let left_out = related.ahead - commits.len();
    let (from_name, to_name) = (from.name.as_bstr(), pair.to_name());
    let swapped_name = within(head_path.as_ref().map(|_| place.record.path.as_str()), from_name);
    let result = Comparison {
        swap_href: head_links.compare(to.name.as_bstr(), pair.dots(), swapped_name.as_bstr()),
        href: links.compare(from_name, pair.dots(), to_name.as_bstr()),
        words: words(&related),
        commits,
        head_commits_href: head_links.commits(to.name.as_bstr(), "".into()),
        left_out: (left_out > 0).then(|| tn("And {n} earlier commit.", "And {n} earlier commits.", left_out)),
        notice: notice(*is_since_parting, &related),
        changes: view::render_across((place, &head_links), repository, (Some(before), after), "", view)?,
    };
    Ok(ComparePage {
        frame: place.frame(match head_path {
            Some(path) => format!("{}{}{path}:{}", from.label(), pair.dots(), to.label()),
            None => format!("{}{}{}", from.label(), pair.dots(), to.label()),
        }),
        from: text::visible(from_name),
        to: text::visible(&to_name),
        is_since_parting: *is_since_parting,
        result: Some(result),
        ..choice(place, repository)?
    })
}

/// What differs, as HTML, or the part of it that the view asks for.
pub fn changes(
    place: &Place<'_>,
    repository: Repository<'_>,
    pair: &Pair,
    view: View,
) -> Result<String, Failure> {
    let head_links = pair.head_path.as_deref().map_or(place.links(), Links::new);
    let (before, after) = points(repository, pair, &Related::of_pair(place, repository, pair)?)?;
    view::render_across((place, &head_links), repository, (Some(before), after), "", view)
}

/// The comparison as a file.
pub fn patch(
    place: &Place<'_>,
    repository: Repository<'_>,
    pair: &Pair,
    form: Form,
) -> Result<Vec<u8>, Failure> {
    let related = Related::of_pair(place, repository, pair)?;
    if !can_be_sent(form, pair.is_since_parting, &related) {
        return Err(Failure::Repository(Error::TooLarge(pair.to.commit_id)));
    }
    match form {
        Form::Diff => {
            let (before, after) = points(repository, pair, &related)?;
            Ok(patches::between(repository, Some(before.tree_id), after.tree_id, &mut Budget::default())?
                .bytes)
        }
        Form::Mail => {
            let commits: Result<Vec<Commit>, Error> =
                related.listed.iter().map(|id| repository.commit(id)).collect();
            patches::series(repository, &commits?)
        }
    }
}

/// Whether enough is known of how the two are related, and they are near enough.
fn can_be_sent(form: Form, is_since_parting: bool, related: &Related) -> bool {
    match form {
        // Without a merge base, there would be more in it than was done since the parting.
        Form::Diff => !(is_since_parting && related.is_cut),
        Form::Mail => !related.is_cut && related.ahead == related.listed.len(),
    }
}

/// The two trees that are compared: since the parting, that is the merge base and the head.
fn points(repository: Repository<'_>, pair: &Pair, related: &Related) -> Result<(Point, Point), Failure> {
    let point = |commit_id: ObjectId| {
        repository.commit(&commit_id).map(|commit| Point { commit_id, tree_id: commit.tree_id })
    };
    let base = related.merge_bases.first().filter(|_| pair.is_since_parting);
    Ok((point(*base.unwrap_or(&pair.from.commit_id))?, point(pair.to.commit_id)?))
}

fn words(related: &Related) -> Text {
    let commits = |count: usize| tn("{n} commit", "{n} commits", count);
    match (related.ahead, related.behind) {
        _ if related.is_cut => t("The histories differ in more commits than can be counted here"),
        (0, 0) => t("The two are the same"),
        (ahead, 0) => t("{ahead} ahead").with("ahead", commits(ahead)),
        (0, behind) => t("{behind} behind").with("behind", commits(behind)),
        (ahead, behind) => {
            t("{ahead} ahead, {behind} behind").with("ahead", commits(ahead)).with("behind", commits(behind))
        }
    }
}

fn notice(is_since_parting: bool, related: &Related) -> Option<Text> {
    match related.merge_bases.len() {
        _ if related.is_cut && is_since_parting => Some(t(
            "Where the two parted is too far back to be looked for. All that differs between them is shown.",
        )),
        _ if related.is_cut => None,
        0 => Some(t("The two have no commit in common. All that differs between them is shown.")),
        1 => None,
        _ => Some(t("The two have met more than once. What was done since one of these meetings is shown.")),
    }
}

fn names(repository: Repository<'_>) -> Vec<String> {
    let refs = |prefix: &'static str| repository.refs.with_prefix(prefix.into()).iter().take(CHOICES_MAX);
    refs("refs/heads/")
        .chain(refs("refs/tags/"))
        .filter_map(|entry| {
            let name = revision::address_name(repository, entry.name.as_bstr());
            Some(name.to_str().ok()?.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::COMPARED_COMMITS_MAX;

    #[test]
    fn the_path_of_another_repository_stands_before_a_colon() {
        let cases = [
            ("a...team/fork:b", Some(("team/fork", "a...b"))),
            ("a/x..fork:b/y.patch", Some(("fork", "a/x..b/y.patch"))),
            ("...fork:", Some(("fork", "..."))),
            ("a...b", None),
            ("a...:b", None),
            ("fork:b", None),
            ("fork:a...b", None),
            ("", None),
        ];
        for (rest, expected) in cases {
            let found = other_repository(rest.into());
            let found = found.as_ref().map(|(path, rest)| (*path, rest.to_str().expect("text")));
            assert_eq!(found, expected, "{rest}");
        }
    }

    #[test]
    fn what_is_too_far_apart_is_not_shown_as_what_was_done_since_the_parting() {
        let id = ObjectId::null(gix_hash::Kind::Sha1);
        let ahead = |count: usize| Related {
            ahead: count,
            listed: vec![id; count.min(COMPARED_COMMITS_MAX)],
            merge_bases: vec![id],
            ..Related::default()
        };
        let cut = || Related { is_cut: true, ..Related::default() };
        let cases = [
            // Since the parting; then whether there is a notice, a diff, and mails.
            (true, ahead(1), false, true, true),
            (false, ahead(1), false, true, true),
            (true, ahead(COMPARED_COMMITS_MAX), false, true, true),
            (true, ahead(COMPARED_COMMITS_MAX + 1), false, true, false),
            (true, cut(), true, false, false),
            (false, cut(), false, true, false),
        ];
        for (is_since_parting, related, has_notice, has_diff, has_mails) in cases {
            let case = format!("{is_since_parting} {} {}", related.ahead, related.is_cut);
            assert_eq!(notice(is_since_parting, &related).is_some(), has_notice, "{case}");
            assert_eq!(can_be_sent(Form::Diff, is_since_parting, &related), has_diff, "{case}");
            assert_eq!(can_be_sent(Form::Mail, is_since_parting, &related), has_mails, "{case}");
        }
    }
}
