//! Clones that are made, and brought up to date, from the server and from the model alike.

use super::history::History;
use super::push::Refs;
use super::rng::Rng;
use crate::kit::Shell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

/// A pair of clones, `rNUMBER/lithe` and `rNUMBER/model`, to which the same is done.
#[derive(Debug, Clone)]
pub struct Reader {
    number: usize,
    is_shallow: bool,
    /// What it leaves out, if it is a partial clone.
    filter: Option<String>,
    exists: bool,
}

/// What is done to both.
#[derive(Debug, Clone)]
pub struct Step {
    pub reader: usize,
    /// What a partial clone leaves out.
    pub filter: Option<String>,
    script: String,
}

/// What a fetch leaves: refs, and where history is cut.
const STATE: &str = r#"
git for-each-ref --format='%(objectname) %(refname) %(symref)'
cat .git/HEAD
echo shallow: && sort .git/shallow 2> /dev/null || true
"#;

/// The objects that a clone has.
const OBJECTS: &str = "git cat-file --batch-all-objects --batch-check='%(objectname) %(objecttype)'";

/// The objects that a clone has and needs.
const NEEDED: &str = "git rev-list --objects --no-object-names --all --missing=allow-any";

/// Has a clone forget that it began with a bundle.
const WITHOUT_BUNDLES: &str = r#"
git for-each-ref --format='delete %(refname)' refs/bundles | git update-ref --stdin
git repack -adq
"#;

/// Has a clone ask for all refs: it does not for those that it has as they are, and versions of Git differ
/// in whether history is deepened that only they lead to.
const FORGET_ALL: &str = "git for-each-ref --format='delete %(refname)' refs/all | git update-ref --stdin";

impl Reader {
    pub fn new(number: usize) -> Self {
        Self { number, is_shallow: false, filter: None, exists: false }
    }

    /// The next step is a clone.
    pub fn start_anew(&mut self) {
        self.exists = false;
    }

    /// The next thing to do, of a repository that has `refs`; a whole clone may begin with a bundle.
    pub fn step(&mut self, rng: &mut Rng, history: &History, refs: &Refs, by_bundle: bool) -> Step {
        let git = format!("git -c protocol.version={}", rng.pick(&["0", "1", "2", "2"]));
        let command = match self.exists && !rng.chance(20) {
            true => self.fetch(rng, history, refs, &git),
            false => {
                let clone = self.clone(rng, history, refs, &git);
                // What the bundle had beyond what the clone asks for goes again. But not from a partial
                // clone; and a clone of less than everything follows the tags of what the bundle had.
                let is_whole =
                    self.filter.is_none() && !self.is_shallow && !clone.contains(" --single-branch");
                match by_bundle && is_whole {
                    true => {
                        let clone = clone.replace(&git, "git -c transfer.bundleURI=true");
                        format!("{clone}\n{WITHOUT_BUNDLES}")
                    }
                    false => clone,
                }
            }
        };
        Step { reader: self.number, filter: self.filter.clone(), script: command }
    }

    fn clone(&mut self, rng: &mut Rng, history: &History, refs: &Refs, git: &str) -> String {
        let options = match rng.below(14) {
            0 => "--no-single-branch".to_owned(),
            1 => "--single-branch --no-tags".to_owned(),
            2 => format!("--branch {}", branch(rng, refs)),
            3 => format!("--depth={}", 1 + rng.below(6)),
            4 => format!("--depth={} --no-single-branch", 1 + rng.below(6)),
            5 => format!("--shallow-since=@{} --no-single-branch", history.moment(rng)),
            6 => format!("--shallow-exclude={} --no-single-branch", branch(rng, refs)),
            7..=9 => format!("--filter={}", filter(rng)),
            10 => format!("--filter={} --depth={}", filter(rng), 1 + rng.below(6)),
            _ => String::new(),
        };
        self.is_shallow = options.contains("depth") || options.contains("shallow");
        let filter = options.split_once("--filter=").and_then(|(_, filter)| filter.split(' ').next());
        self.filter = filter.map(str::to_owned);
        self.exists = true;
        format!("cd .. && rm -rf $SIDE && {git} clone -q --no-checkout {options} $REMOTE $SIDE && cd $SIDE")
    }

    fn fetch(&mut self, rng: &mut Rng, history: &History, refs: &Refs, git: &str) -> String {
        if self.filter.is_some() && rng.chance(40) {
            return lazy(rng);
        }
        let arguments = match rng.below(16) {
            0 => "--prune".to_owned(),
            1 => "--tags --force".to_owned(),
            2 => "--prune --force origin '+refs/*:refs/all/*'".to_owned(),
            3 => format!("origin {}", some_id(rng, refs)),
            4 => format!("origin '+{}:refs/heads/got'", branch(rng, refs)),
            5 | 6 if self.is_shallow => {
                return format!(
                    "{FORGET_ALL}\n{git} fetch -q --deepen={} origin '+refs/*:refs/all/*'",
                    1 + rng.below(4)
                );
            }
            7 if self.is_shallow => {
                self.is_shallow = false;
                "--unshallow".to_owned()
            }
            // To cut what was whole is possible too.
            8 | 9 if self.is_shallow || rng.chance(20) => {
                self.is_shallow = true;
                format!("--depth={}", 1 + rng.below(8))
            }
            10 if self.is_shallow => format!("--shallow-since=@{}", history.moment(rng)),
            11 if self.is_shallow => format!("--shallow-exclude={}", branch(rng, refs)),
            12 if self.filter.is_some() => {
                let filter = self.filter.insert(filter(rng));
                format!("--refetch --filter={filter}")
            }
            _ => "--prune --force".to_owned(),
        };
        format!("{git} fetch -q {arguments}")
    }
}

impl Step {
    /// Whether there is nothing if it fails.
    pub fn is_clone(&self) -> bool {
        self.script.contains(" clone -q ")
    }

    /// What is done, for the log.
    pub fn describe(&self) -> &str {
        &self.script
    }

    /// Does it on one side; returns whether `git` was content, what it said, and what it left.
    pub fn run(&self, shell: &Shell, side: &str, remote: &str) -> (bool, String, String) {
        let here = format!(
            "mkdir -p r{0}/{side} && cd r{0}/{side} && export SIDE={side} REMOTE={remote}",
            self.reader
        );
        let done = shell.command(&format!("{here}\n{}", self.script)).output().expect("bash starts");
        let state = shell.command(&format!("{here}\n{STATE}")).output().expect("bash starts");
        (done.status.success(), text(&done), text(&state))
    }

    /// The objects that a side has, each with its kind.
    pub fn objects(&self, shell: &Shell, side: &str) -> BTreeMap<String, String> {
        let listed = shell.run(&format!("cd r{}/{side} && {OBJECTS}", self.reader));
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(id, kind)| (id.to_owned(), kind.to_owned())).collect()
    }

    /// The objects that a side's refs lead to.
    pub fn needed(&self, shell: &Shell, side: &str) -> BTreeSet<String> {
        let listed = shell.run(&format!("cd r{}/{side} && {NEEDED}", self.reader));
        listed.lines().map(str::to_owned).collect()
    }

    /// Has `git` check what a side has.
    pub fn check(&self, shell: &Shell, side: &str) -> (bool, String) {
        // A filter leaves tags whose objects are promised; that they are not there is no damage.
        let script = format!("cd r{}/{side} && git fsck --full --strict --no-dangling", self.reader);
        let checked = shell.command(&script).output().expect("bash starts");
        (checked.status.success(), text(&checked))
    }
}

/// Has a partial clone fetch some of what it lacks. By version 2, which asks of an object only that it
/// is there: that no ref reaches it any more, Lithe holds against it in other versions, and `git` against
/// commits only.
fn lazy(rng: &mut Rng) -> String {
    let git = "git -c protocol.version=2";
    match rng.below(3) {
        0 => format!("{git} log -p -3 --all > ../log.$SIDE"),
        1 => format!("{git} archive HEAD > ../archive.$SIDE"),
        _ => format!(
            "{git} rev-list --objects --all --missing=print | sed -n 's/^?//p' | sort | sed -n '{0},{1}p' > ../missing.$SIDE
            {git} cat-file --batch-check < ../missing.$SIDE > ../got.$SIDE",
            1 + rng.below(3),
            2 + rng.below(6)
        ),
    }
}

fn filter(rng: &mut Rng) -> String {
    match rng.below(7) {
        0 | 1 => "blob:none".to_owned(),
        2 => format!("blob:limit={}", 1 << rng.below(14)),
        3 => format!("tree:{}", rng.below(4)),
        4 => format!("combine:blob:none+tree:{}", rng.below(4)),
        5 => format!("object:type={}", rng.pick(&["commit", "tree", "tag"])),
        _ => format!("combine:tree:3+blob:limit={}", 1 << rng.below(14)),
    }
}

fn branch(rng: &mut Rng, refs: &Refs) -> String {
    let branches: Vec<_> = refs.keys().filter_map(|name| name.strip_prefix("refs/heads/")).collect();
    (*rng.pick(&branches)).to_owned()
}

fn some_id(rng: &mut Rng, refs: &Refs) -> String {
    let ids: Vec<_> = refs.values().collect();
    (*rng.pick(&ids)).clone()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
