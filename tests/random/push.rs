//! Pushes of some refs, in every way that there is to push.

use super::history::History;
use super::rng::Rng;
use std::collections::BTreeMap;

/// Refs by name.
pub type Refs = BTreeMap<String, String>;

/// One push of one client. Each has names of its own, so that pushes at once do not depend on which
/// of them is first.
#[derive(Debug, Clone)]
pub struct Push {
    options: String,
    refspecs: Vec<String>,
    /// The refs it is about.
    pub names: Vec<String>,
}

impl Push {
    /// A push by client number `client`, to a repository that has `refs`.
    pub fn random(rng: &mut Rng, client: usize, history: &History, refs: &Refs) -> Self {
        let mut names = Vec::new();
        for _ in 0..=rng.below(6) {
            let name = name(rng, client);
            // A ref cannot be a directory of another; which one wins would depend on their order.
            let clashes = |other: &String| {
                *other == name
                    || other.starts_with(&format!("{name}/"))
                    || name.starts_with(&format!("{other}/"))
            };
            if !names.iter().any(clashes) {
                names.push(name);
            }
        }
        let refspecs = names
            .iter()
            .map(|name| {
                if rng.chance(25) && refs.contains_key(name) {
                    return format!(":{name}");
                }
                let target = if name.starts_with("refs/tags/") {
                    history.tagged(rng)
                } else {
                    history.commit(rng).into()
                };
                let force = if rng.chance(60) { "+" } else { "" };
                format!("'{force}{target}:{name}'")
            })
            .collect();
        let mut options = String::new();
        for (percent, option) in [
            (25, " --atomic"),
            (20, " --no-thin"),
            (10, " -o an=option"),
            (10, " --signed=if-asked"),
            (5, " -f"),
        ] {
            if rng.chance(percent) {
                options.push_str(option);
            }
        }
        Self { options, refspecs, names }
    }

    /// What makes the default branch, or moves it on.
    pub fn of_main(rng: &mut Rng, history: &History) -> Self {
        let refspecs = vec![format!("+{}:refs/heads/main", history.commit(rng))];
        Self { options: String::new(), refspecs, names: vec!["refs/heads/main".to_owned()] }
    }

    /// Whether all of its refs change, or none.
    pub fn is_atomic(&self) -> bool {
        self.options.contains("--atomic")
    }

    /// The script that pushes to `remote` and prints what became of each ref.
    pub fn script(&self, remote: &str) -> String {
        format!("git -C author push --porcelain{} {remote} {}", self.options, self.refspecs.join(" "))
    }
}

fn name(rng: &mut Rng, client: usize) -> String {
    match rng.below(12) {
        0..=5 => format!("refs/heads/c{client}/b{}", rng.below(5)),
        6..=8 => format!("refs/tags/c{client}-{}", rng.below(5)),
        9 => format!("refs/heads/c{client}/dir"),
        10 => format!("refs/heads/c{client}/dir/below"),
        _ => format!("refs/odd/c{client}"),
    }
}
