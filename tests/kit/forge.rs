//! A running server and the three who use it.

use super::server::{Server, code_cache};
use super::{Answer, Shell, is_under_spin, lithe_binary, root};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;

/// Runs the server with nothing set before.
const PLAINLY: &str = "exec \"$0\" \"$@\"";

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// `alice`, site administrator and owner of what the tests create.
    Admin,
    /// `bob`, who has an account and no grants but those that a test gives him.
    User,
    /// Nobody has heard of them.
    Stranger,
}

impl Actor {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Admin, Self::User, Self::Stranger];

    /// User name and password; none for the stranger.
    pub fn login(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Admin => Some(("alice", "correct-horse-alice")),
            Self::User => Some(("bob", "battery-staple-bob")),
            Self::Stranger => None,
        }
    }
}

/// A server with a data directory of its own, the accounts of the actors in it.
/// It is killed, and the directory removed, when it is dropped.
pub struct Forge {
    server: Server,
    data: tempfile::TempDir,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    repositories: AtomicU32,
}

impl Forge {
    /// The server that all tests share who do not need one for themselves.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Forge> = OnceLock::new();
        SHARED.get_or_init(|| {
            // The kernel ends a server with the thread that started it; this one lives as long as
            // the tests do.
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                // All tests are one stranger to it.
                sender.send(Self::without_budgets()).expect("somebody waits for the server");
                loop {
                    thread::park();
                }
            });
            receiver.recv().expect("the server starts")
        })
    }

    /// A server of one's own, with more options for `lithe serve`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_under(PLAINLY, options)
    }

    /// A server of one's own, at which strangers may ask for as much as they like. Under Spin nobody counts.
    pub fn without_budgets() -> Self {
        Self::start(if is_under_spin() { &[] } else { &["--anonymous-budget", "0"] })
    }

    /// As [`Self::start`], in a shell that sets limits first: a script that ends by `exec "$0" "$@"`.
    pub fn start_under(script: &str, options: &[&str]) -> Self {
        let data = tempfile::Builder::new().prefix("lithe-test-").tempdir().expect("a temporary directory");
        let (name, password) = Actor::Admin.login().expect("the admin signs in");
        let init = ["init", "--admin", name, "--password-stdin"];
        assert_success(&lithe(data.path(), &init, password));
        let forge = Self::on(data, script, options);
        let (name, password) = Actor::User.login().expect("the user signs in");
        forge.lithe_with_input(&["user", "add", name, "--password-stdin"], password);
        forge
    }

    /// A server on an empty data directory, as a new user starts it.
    pub fn first_start() -> Self {
        let data = tempfile::Builder::new().prefix("lithe-test-").tempdir().expect("a temporary directory");
        Self::on(data, PLAINLY, &[])
    }

    fn on(data: tempfile::TempDir, script: &str, options: &[&str]) -> Self {
        let server = serve(data.path(), script, options);
        let url = server.url.clone();
        Self { server, data, url, repositories: AtomicU32::new(0) }
    }

    /// The next line the server prints that has `word` in it.
    pub fn says(&self, word: &str) -> String {
        self.server.says(word)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The directory of a repository.
    pub fn directory(&self, path: &str) -> PathBuf {
        self.data().join("repos").join(format!("{path}.git"))
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Ends the server at once, without a chance to tidy up.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts the server again on the same data, after [`Self::kill`].
    pub fn restart(&mut self, options: &[&str]) {
        self.server = serve(self.data.path(), PLAINLY, options);
        self.url.clone_from(&self.server.url);
    }

    /// As [`Self::restart`], in a shell that does something first; see [`Self::start_under`].
    pub fn restart_under(&mut self, script: &str) {
        self.server = serve(self.data.path(), script, &[]);
        self.url.clone_from(&self.server.url);
    }

    /// `lithe serve` on the same data, beside what serves it already.
    pub fn beside_it(&self) -> Server {
        Server::lithe(self.data(), PLAINLY, &[])
    }

    /// Runs `lithe` on the data directory; it has to succeed. Returns what it prints.
    pub fn lithe(&self, arguments: &[&str]) -> String {
        self.lithe_with_input(arguments, "")
    }

    /// As [`Self::lithe`], with something on standard input.
    pub fn lithe_with_input(&self, arguments: &[&str], input: &str) -> String {
        let output = lithe(self.data(), arguments, input);
        assert_success(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `lithe` on the data directory; returns its exit code and what it prints on either stream.
    pub fn try_lithe(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = lithe(self.data(), arguments, "");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Creates an empty repository, public unless `--private` is among the options, and returns its path.
    pub fn repository(&self, options: &[&str]) -> String {
        let number = self.repositories.fetch_add(1, Ordering::Relaxed);
        let path = format!("team/demo{number}");
        self.lithe(&[&["repo", "create", &path], options].concat());
        path
    }

    /// The address of a page or repository, with the actor's name and password in it.
    pub fn address(&self, actor: Actor, path: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        match actor.login() {
            Some((name, password)) => format!("http://{name}:{password}@{host}/{path}"),
            None => format!("http://{host}/{path}"),
        }
    }

    /// A shell in a fresh directory, in which `$ADMIN`, `$USER` and `$STRANGER` are the
    /// repository's clone addresses for the actors.
    pub fn shell(&self, repository: &str) -> Shell {
        let mut shell = Shell::new();
        for (name, actor) in [("ADMIN", Actor::Admin), ("USER", Actor::User), ("STRANGER", Actor::Stranger)] {
            shell.set(name, &self.address(actor, &format!("{repository}.git")));
        }
        shell.set("SERVED", self.directory(repository).to_str().expect("temporary paths are text"));
        shell
    }

    /// Fetches a page as an actor, by Basic credentials; redirects are not followed.
    pub fn get(&self, actor: Actor, path: &str) -> Answer {
        Answer::get(&self.url, actor.login(), path)
    }
}

/// Starts what the tests are to run under.
fn serve(data: &Path, script: &str, options: &[&str]) -> Server {
    match is_under_spin() {
        true => {
            assert!(script == PLAINLY && options.is_empty(), "this is for `lithe serve` alone");
            Server::spin(data)
        }
        false => Server::lithe(data, script, options),
    }
}

fn lithe(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(lithe_binary());
    command.args(arguments).arg("--data").arg(data).current_dir(root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("LITHE_CODE_CACHE", code_cache());
    let mut child = command.spawn().expect("lithe starts; `cargo xtask test` builds it");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that refuses its arguments does not read it.
    let _ = writeln!(stdin, "{input}");
    drop(stdin);
    child.wait_with_output().expect("lithe ends")
}

fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "lithe ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
