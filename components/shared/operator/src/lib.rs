//! What the command line and the `admin` component say to each other.
//!
//! The command line posts a [`Command`] as JSON to `/-/admin/operator`, with the operator's token
//! (see `wit/operator.wit`), and gets a [`Reply`]: status 200, or 4xx with [`Reply::Refused`].
//! The heads of the answers to an import, [`Command::RepoCheck`] and [`Command::RepoMaintain`] come at once and the reply when
//! the work is done, so there a refusal has status 200 too.
//! `repo import` puts a tar archive (POSIX ustar/pax) of the bare repository's directory to
//! `/-/admin/operator/import?path=…&private=true|false&object-format=sha1|sha256` instead, and gets the
//! same kind of reply.

use serde::{Deserialize, Serialize};

/// One call of the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Command {
    /// Makes the site administrator `name`, or gives the existing user the password and the rank.
    Init {
        name: String,
        password: String,
    },
    UserAdd {
        name: String,
        full_name: String,
        email: String,
        /// None: one is made up, returned in `Reply::Secret`, and must be changed at the first sign-in.
        password: Option<String>,
        admin: bool,
    },
    UserList,
    UserPasswd {
        name: String,
        /// As in `UserAdd`.
        password: Option<String>,
    },
    UserDisable {
        name: String,
    },
    UserEnable {
        name: String,
    },
    RepoCreate {
        path: String,
        description: String,
        private: bool,
        #[serde(default)]
        object_format: ObjectFormat,
    },
    RepoList,
    RepoRename {
        path: String,
        to: String,
    },
    RepoDelete {
        path: String,
    },
    RepoRestore {
        id: u64,
    },
    /// Enters every bare repository that lies in the repository directory and is not known.
    RepoScan,
    /// Checks one repository, or all, for missing and damaged objects.
    RepoCheck {
        path: Option<String>,
    },
    /// Maintains one repository, or all that need it: few packs, bitmaps, a commit-graph, packed refs.
    RepoMaintain {
        path: Option<String>,
        /// Everything is packed anew, whether or not it needs to be.
        force: bool,
    },
    TokenCreate {
        user: String,
        description: String,
        /// Whether the token may push.
        write: bool,
        expires_days: Option<u32>,
    },
    TokenList {
        user: String,
    },
    TokenRevoke {
        user: String,
        id: u64,
    },
}

/// What the objects of a new repository are named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    #[default]
    Sha1,
    Sha256,
}

impl ObjectFormat {
    /// As Git calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

impl std::str::FromStr for ObjectFormat {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = [Self::Sha1, Self::Sha256].into_iter().find(|format| format.name() == name);
        known.ok_or("it has to be sha1 or sha256")
    }
}

/// The answer to a [`Command`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Reply {
    /// It is done; in words.
    Done {
        message: String,
    },
    /// It is done, and made a secret that is shown this once.
    Secret {
        message: String,
        secret: String,
    },
    Users {
        users: Vec<User>,
    },
    Repositories {
        repositories: Vec<Repository>,
    },
    Tokens {
        tokens: Vec<Token>,
    },
    Checks {
        checks: Vec<Check>,
    },
    Maintained {
        runs: Vec<Maintenance>,
    },
    /// It is not done; why, in words.
    Refused {
        message: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct User {
    pub id: u64,
    pub name: String,
    pub full_name: String,
    pub email: String,
    pub is_admin: bool,
    pub is_active: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Repository {
    pub id: u64,
    pub path: String,
    pub description: String,
    pub is_private: bool,
    pub owner: Option<String>,
    /// Whether it is deleted and can be restored.
    pub is_deleted: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Token {
    pub id: u64,
    pub description: String,
    pub write: bool,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub expires: Option<i64>,
    /// Likewise.
    pub last_used: Option<i64>,
}

/// What `repo check` found in one repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    pub path: String,
    pub objects: u64,
    pub packs: u64,
    pub bytes: u64,
    /// Files in Git LFS.
    pub large_files: u64,
    /// Their sizes together, in bytes.
    pub large_file_bytes: u64,
    /// In words; empty: the repository is sound.
    pub problems: Vec<String>,
    /// How well it is set to be served; none: it is too damaged to tell.
    pub health: Option<Health>,
}

/// How well a repository is set to be served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Health {
    pub loose_objects: u64,
    pub refs: u64,
    pub loose_refs: u64,
    /// Commits that have a bitmap.
    pub bitmaps: u64,
    /// Objects in the pack that the bitmaps are of.
    pub bitmap_objects: u64,
    /// Commits in the commit-graph.
    pub graph_commits: u64,
    /// The names of files that only save work, such as bitmaps, and are damaged.
    #[serde(default)]
    pub damaged: Vec<String>,
    /// What a clone of everything sends, about, in bytes.
    pub clone_bytes: u64,
    pub is_maintenance_due: bool,
    pub last_maintenance: Option<Maintenance>,
}

/// One run of maintenance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Maintenance {
    pub path: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub begun: i64,
    /// Likewise; none: it is at work, or was killed.
    pub finished: Option<i64>,
    /// What it does, in words, while it is at work.
    pub stage: String,
    /// Objects that are packed, of `total`.
    pub done: u64,
    pub total: u64,
    /// What it did, in words; empty: nothing was to be done.
    pub changes: Vec<String>,
    /// Why it ended before its time.
    pub error: Option<String>,
}
