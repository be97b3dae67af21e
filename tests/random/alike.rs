//! Holding what a step left of two clones against each other.
//!
//! The one from the model is the judge, but for two things that depend on the order in which a server comes
//! upon objects, and of which a client misses nothing:
//!
//! - Beside a pack go tags whose targets are in it, and neither server knows all that a client has: either
//!   may send a target again, and `git` takes what deltas refer to for sent as well. So a tag may come that
//!   the client did not ask for, and keeps under no name.
//! - By its documentation, a filter of `git` leaves what is asked for by its own id, and counts depths from
//!   where an object is nearest. But what is both asked for and reached from elsewhere goes by the filter, and
//!   of two filters at once, one takes an object for sent that the other left out where it was too deep.

use super::reader::Step;
use crate::kit::Shell;
use std::collections::{BTreeMap, BTreeSet};

/// What `git` says where its own filters leave out what a ref points to.
const LEFT_OUT: &str = "did not send all necessary objects";

/// Takes a step on both sides, and holds what it leaves against each other. False: that was right, but there
/// is nothing to go on with, as `git` got nothing, or less, from itself, or the server was killed meanwhile.
pub fn is_alike(
    shell: &Shell,
    step: &Step,
    served: &str,
    model: &str,
    is_killed: bool,
) -> Result<bool, String> {
    let failed = |reason: String| Err(format!("r{}: {}\n{reason}", step.reader, step.describe()));
    let (is_success, said, state) = step.run(shell, "lithe", served);
    if is_killed && !is_success {
        return Ok(false);
    }
    let (is_expected, expected_said, expected_state) = step.run(shell, "model", model);
    // Where `git` cannot use what a partial clone left out, it is up to its transport how far it gets.
    if !is_success && !is_expected && (step.is_clone() || step.filter.is_some()) {
        return Ok(false);
    }
    let is_left_out = !is_expected && step.filter.is_some() && expected_said.contains(LEFT_OUT);
    if is_success != is_expected && !(is_success && is_left_out) {
        return failed(format!("Lithe: {said}\ngit: {expected_said}"));
    }
    let checked = step.check(shell, "lithe");
    // Of a partial clone, `git` misses the empty tree though nothing of it was to be sent.
    if !checked.0 && step.check(shell, "model") != checked {
        return failed(checked.1);
    }
    if is_success != is_expected {
        return Ok(false);
    }
    if state != expected_state {
        return failed(difference(&state, &expected_state));
    }
    let [objects, expected] = ["lithe", "model"].map(|side| step.objects(shell, side));
    let (more, missing) = (only(&objects, &expected), only(&expected, &objects));
    if more.is_empty() && missing.is_empty() {
        return Ok(true);
    }
    let needed = step.needed(shell, "model");
    let is_spare = |(id, kind): &(&String, &String)| *kind == "tag" && !needed.contains(*id);
    let visible = reached(shell);
    let kept = step.filter.as_deref().map_or(BTreeSet::new(), |filter| kept(shell, filter));
    let (spare, more_kept): (Vec<_>, Vec<_>) = more.iter().partition(is_spare);
    // What a filter leaves may come all the same, as what a delta refers to.
    let is_left_out = |id: &String| step.filter.is_some() && !kept.contains(id);
    if !missing.iter().all(|object| is_spare(&object) || is_left_out(object.0))
        || !spare.iter().all(|(id, _)| visible.contains(*id))
        || !more_kept.iter().all(|(id, _)| kept.contains(*id))
    {
        return failed(format!("only Lithe: {more:#?}\nonly git: {missing:#?}"));
    }
    Ok(false)
}

/// What the model's refs, each alone, lead to that every part of a filter keeps.
fn kept(shell: &Shell, filter: &str) -> BTreeSet<String> {
    let parts: Vec<&str> = filter.strip_prefix("combine:").unwrap_or(filter).split('+').collect();
    let listed = shell.run(&format!(
        r#"cd model.git
        for id in $(git for-each-ref --format='%(objectname)' | sort -u); do
            for part in {}; do git rev-list --objects --no-object-names --filter=$part $id; done |
                sort | uniq -c | awk '$1 == {} {{ print $2 }}'
        done"#,
        parts.join(" "),
        parts.len()
    ));
    listed.lines().map(str::to_owned).collect()
}

/// Everything that the model's refs lead to.
fn reached(shell: &Shell) -> BTreeSet<String> {
    let listed = shell.run("git -C model.git rev-list --objects --no-object-names --all");
    listed.lines().map(str::to_owned).collect()
}

fn only(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    one.iter()
        .filter(|(id, _)| !other.contains_key(*id))
        .map(|(id, kind)| (id.clone(), kind.clone()))
        .collect()
}

/// The lines that only one of two texts has.
pub fn difference(lithe: &str, git: &str) -> String {
    let only = |one: &str, other: &str, who: &str| {
        let other: BTreeSet<_> = other.lines().collect();
        let lines = one.lines().filter(|line| !other.contains(line)).take(20);
        lines.map(|line| format!("only {who}: {line}\n")).collect::<String>()
    };
    only(lithe, git, "Lithe") + &only(git, lithe, "git")
}
