//! A running server and the three who use it.

use super::{Answer, Shell, lithe_binary, root};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it answers. Generous: the first start compiles the components.
const START_SECONDS_MAX: u64 = 180;

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
    data: tempfile::TempDir,
    server: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// What the server printed after its address.
    said: Mutex<mpsc::Receiver<String>>,
    repositories: AtomicU32,
}

impl Forge {
    /// The server that all tests share who do not need one for themselves.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Forge> = OnceLock::new();
        SHARED.get_or_init(|| {
            // The kernel ends a server with the thread that started it, see `spawn`; this one lives
            // as long as the tests do.
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                sender.send(Self::start(&[])).expect("somebody waits for the server");
                loop {
                    thread::park();
                }
            });
            receiver.recv().expect("the server starts")
        })
    }

    /// A server of one's own, with more options for `lithe serve`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_under("exec \"$0\" \"$@\"", options)
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
        Self::on(data, "exec \"$0\" \"$@\"", &[])
    }

    fn on(data: tempfile::TempDir, script: &str, options: &[&str]) -> Self {
        let (server, url, said) = spawn(script, data.path(), options);
        Self { data, server, url, said: Mutex::new(said), repositories: AtomicU32::new(0) }
    }

    /// The next line the server prints that has `word` in it.
    pub fn says(&self, word: &str) -> String {
        let said = self.said.lock().expect("nobody panicked with it");
        loop {
            let line = said.recv_timeout(Duration::from_secs(30)).expect("the server says it");
            if line.contains(word) {
                return line;
            }
        }
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
        self.server.id()
    }

    /// Ends the server at once, without a chance to tidy up.
    pub fn kill(&mut self) {
        self.server.kill().expect("the server is ours to kill");
        self.server.wait().expect("it ends");
    }

    /// Starts the server again on the same data, after [`Self::kill`].
    pub fn restart(&mut self, options: &[&str]) {
        let said;
        (self.server, self.url, said) = spawn("exec \"$0\" \"$@\"", self.data.path(), options);
        self.said = Mutex::new(said);
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

impl Drop for Forge {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
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

/// Starts a server and waits until it says where it is.
fn spawn(script: &str, data: &Path, options: &[&str]) -> (Child, String, mpsc::Receiver<String>) {
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(lithe_binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(options);
    command.current_dir(root()).env("LITHE_CODE_CACHE", code_cache());
    let log = std::fs::File::create(data.join("server.log")).expect("the data directory is writable");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    end_with_this_thread(&mut command);
    let mut server = command.spawn().expect("lithe starts; `cargo xtask test` builds it");
    let lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
    loop {
        let rest = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(rest) {
            Ok(line) => {
                if let Some(address) = line.trim().strip_prefix("Lithe is at ") {
                    return (server, address.trim_end_matches('/').to_owned(), receiver);
                }
            }
            Err(_) => {
                let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
                panic!("the server did not start:\n{log}");
            }
        }
    }
}

/// Where compiled components are kept from one test's server to the next.
fn code_cache() -> PathBuf {
    root().join("target/test-code-cache")
}

/// No server outlives the tests, however they end.
fn end_with_this_thread(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
    unsafe {
        command.pre_exec(|| {
            #[cfg(target_os = "linux")]
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
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
