//! Scripts with the real `git`, in a directory of their own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A directory with an environment in which nothing of the machine's `git` settings shows.
pub struct Shell {
    directory: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Shell {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("lithe-shell-").tempdir().expect("a directory");
        Self { directory, variables: Vec::new() }
    }

    /// Sets a variable for the scripts that follow.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// The directory that scripts run in.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a script of `bash`, every line of which has to succeed; returns its output, trimmed.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let output = self.output(script);
        assert!(output.status.success(), "this script failed:\n{script}\n{}", text(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a script that has to fail; returns what it prints on either stream.
    #[track_caller]
    pub fn fails(&self, script: &str) -> String {
        let output = self.output(script);
        assert!(!output.status.success(), "this script should have failed:\n{script}\n{}", text(&output));
        text(&output)
    }

    fn output(&self, script: &str) -> Output {
        self.command(script).output().expect("bash starts")
    }

    /// A script that has not started yet.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(self.path()).stdin(Stdio::null());
        command.env_clear();
        for name in ["PATH", "LANG"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", self.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        for (name, value) in [
            ("GIT_AUTHOR_NAME", "Alice Author"),
            ("GIT_AUTHOR_EMAIL", "alice@example.org"),
            ("GIT_COMMITTER_NAME", "Carl Committer"),
            ("GIT_COMMITTER_EMAIL", "carl@example.org"),
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
            ("GIT_CONFIG_VALUE_0", "main"),
            ("GIT_CONFIG_KEY_1", "protocol.file.allow"),
            ("GIT_CONFIG_VALUE_1", "always"),
        ] {
            command.env(name, value);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn text(output: &Output) -> String {
    let stream = |bytes| String::from_utf8_lossy(bytes).into_owned();
    stream(&output.stdout) + &stream(&output.stderr)
}
