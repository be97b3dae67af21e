//! What tests of several modules need: repositories that `git` makes, and damage.

pub use crate::faults::sealed;
use std::path::Path;
use std::process::Command;

/// A directory that scripts work in, with the same name and time for whatever they commit.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a script, every line of which has to succeed; returns what it prints, trimmed.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let mut command = Command::new("sh");
        command.arg("-ec").arg(script).current_dir(self.path());
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "@1700000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.output().expect("sh runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}
