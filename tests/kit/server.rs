//! A server's processes: `lithe serve`, or `spin up`.

use super::{lithe_binary, root};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it answers. Generous: the first start compiles the components.
const START_SECONDS_MAX: u64 = 180;

/// A running server. It is killed when it is dropped.
pub struct Server {
    process: Child,
    is_killed: bool,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// What it printed after its address.
    lines: Mutex<mpsc::Receiver<String>>,
}

impl Server {
    /// `lithe serve` with more options, by a shell script that ends by `exec "$0" "$@"`.
    pub fn lithe(data: &Path, script: &str, options: &[&str]) -> Self {
        let mut command = Command::new("bash");
        command.args(["-c", script]).arg(lithe_binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(options);
        // A test that has a manifest of its own may want them; the others look at what lies on disk.
        if !options.contains(&"--manifest") {
            command.arg("--no-tasks");
        }
        command.current_dir(root()).env("LITHE_CODE_CACHE", code_cache());
        Self::start(command, data, libc::SIGKILL, "Lithe is at ")
    }

    /// `spin up`, as README.md says, in a directory that looks like the checkout with this data in it.
    pub fn spin(data: &Path) -> Self {
        let directory = data.join("spin");
        if !directory.exists() {
            let made = fs::create_dir(&directory)
                .and_then(|()| fs::copy(root().join("spin.toml"), directory.join("spin.toml")).map(drop))
                .and_then(|()| symlink(root().join("target"), directory.join("target")))
                .and_then(|()| symlink(data, directory.join("data")));
            made.expect("the data directory is writable");
        }
        let mut command = Command::new("spin");
        command.args(["up", "--direct-mounts", "--allow-transient-write", "--listen", "127.0.0.1:0"]);
        command.arg("--temp").arg(directory.join("temp")).current_dir(&directory);
        // Where it keeps compiled components.
        command.env("XDG_CACHE_HOME", code_cache());
        // Asked to end, it ends the process that it starts in turn as well.
        Self::start(command, data, libc::SIGTERM, "Serving ")
    }

    /// Starts a server and waits until it prints where it is, after `greeting`. It gets the signal
    /// `at_end` when this thread ends: no server outlives the tests, however they end.
    fn start(mut command: Command, data: &Path, at_end: libc::c_int, greeting: &str) -> Self {
        let log = File::create(data.join("server.log")).expect("the data directory is writable");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0);
        // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
        unsafe {
            command.pre_exec(move || {
                #[cfg(target_os = "linux")]
                libc::prctl(libc::PR_SET_PDEATHSIG, at_end);
                Ok(())
            });
        }
        let program = command.get_program().to_owned();
        let mut process = command.spawn().unwrap_or_else(|error| cannot_start(&program, &error.to_string()));
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = receiver.recv_timeout(rest) else {
                cannot_start(&program, &fs::read_to_string(data.join("server.log")).unwrap_or_default())
            };
            if let Some(address) = line.trim().strip_prefix(greeting) {
                let url = address.trim_end_matches('/').to_owned();
                return Self { process, is_killed: false, url, lines: Mutex::new(receiver) };
            }
        }
    }

    /// The next line it prints that has `word` in it.
    pub fn says(&self, word: &str) -> String {
        let lines = self.lines.lock().expect("nobody panicked with it");
        loop {
            let line = lines.recv_timeout(Duration::from_secs(30)).expect("the server says it");
            if line.contains(word) {
                return line;
            }
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it, and every process that it has started, without a chance to tidy up.
    pub fn kill(&mut self) {
        // Its number may be another's by then.
        if std::mem::replace(&mut self.is_killed, true) {
            return;
        }
        let group = libc::pid_t::try_from(self.process.id()).expect("a process id");
        // SAFETY: it only sends a signal, to processes that are ours. It fails only if all have ended.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        self.process.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where compiled components are kept from one test's server to the next.
pub fn code_cache() -> PathBuf {
    root().join("target/test-code-cache")
}

fn cannot_start(program: &OsStr, reason: &str) -> ! {
    panic!("{} did not start; `cargo xtask test` builds what it needs:\n{reason}", program.display())
}
