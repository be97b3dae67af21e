//! What can be said on the command line.

use crate::limits;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use lithe_operator::ObjectFormat;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A self-hosted home for source repositories.
///
/// Run `lithe serve` and open the address that it prints. Every other command works on the same
/// data directory, whether a server runs on it or not.
#[derive(Debug, Parser)]
#[command(name = "lithe", version, arg_required_else_help = true, subcommand_required = true)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const CACHE: &str = "LITHE_CODE_CACHE";
const COMMON: &str = "Options of every command";

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The data directory: repositories, database, cache.
    #[arg(long, global = true, help_heading = COMMON, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The manifest [default: spin.toml here, or above the program].
    #[arg(long, global = true, help_heading = COMMON, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Where compiled components are kept [default: DIR/cache/compiled].
    #[arg(long, global = true, help_heading = COMMON, value_name = "DIR", env = CACHE, hide_env_values = true)]
    pub code_cache: Option<PathBuf>,
    /// Print answers as JSON, for programs.
    #[arg(long, global = true, help_heading = COMMON)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the data directory until a signal says to stop.
    Serve(Serve),
    /// Make a site administrator, and the data directory if it is missing.
    Init(Initialize),
    /// Users: add, list, passwd, disable, enable.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Repositories: create, list, import, scan, rename, delete, restore, check, maintain.
    Repo {
        #[command(subcommand)]
        command: RepoCommand,
    },
    /// Access tokens: create, list, revoke.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// The address to listen on; with port 0, any that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,
    /// Run another file in a component's place; may be given several times.
    #[arg(long, value_name = "NAME=FILE.wasm", value_parser = parse_swap)]
    pub swap: Vec<(String, PathBuf)>,
    /// Believe what proxies at these addresses say about clients; may be given several times.
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    pub trusted_proxy: Vec<IpNet>,
    /// What a client that is not signed in may cost in a minute, in points of about ten milliseconds of a
    /// processor; past it, expensive pages are refused for a while. 0: as much as it likes.
    #[arg(long, value_name = "POINTS", default_value_t = limits::BUDGET_PER_MINUTE_DEFAULT)]
    pub anonymous_budget: u32,
    /// How long transfers may take to finish after the signal to stop.
    #[arg(long, value_name = "SECONDS", default_value_t = limits::GRACE_SECONDS_DEFAULT)]
    pub grace_seconds: u64,
    /// How much memory all components may use together; past it, requests are told to come again.
    #[arg(long, value_name = "MIB", default_value_t = limits::TOTAL_MEMORY_MIB_DEFAULT,
        value_parser = parse_memory)]
    pub memory_mib_max: usize,
    /// Do not do by itself what the manifest asks for from time to time, such as maintenance.
    #[arg(long)]
    pub no_tasks: bool,
    /// How the log is written, to standard error: as lines for people, or one JSON object a line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct Initialize {
    /// The administrator's name. One that exists gets the password and the rank.
    #[arg(long, value_name = "NAME")]
    pub admin: String,
    /// Read the password from standard input rather than asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user. Without a password, one is made up, to be changed at the first sign-in.
    Add(UserAdd),
    /// List the users.
    List,
    /// Set a user's password. Without one, one is made up, to be changed at the next sign-in.
    Passwd {
        name: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Lock a user out; sessions and tokens end at once.
    Disable { name: String },
    /// Let a user in again.
    Enable { name: String },
}

#[derive(Debug, Args)]
pub struct UserAdd {
    pub name: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub full_name: String,
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    pub email: String,
    /// Make the user a site administrator.
    #[arg(long)]
    pub admin: bool,
    /// Read the password from standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// Create an empty repository, and the groups above it that are missing.
    Create {
        /// Its path, such as `team/demo`.
        path: String,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
        /// Hide it from everybody without a grant.
        #[arg(long)]
        private: bool,
        /// What names its objects. Only Git 2.29 and later can use sha256.
        #[arg(long, value_name = "sha1|sha256", default_value = "sha1")]
        object_format: ObjectFormat,
    },
    /// List the repositories.
    List,
    /// Copy a local bare repository in.
    Import(Import),
    /// Enter every bare repository that lies in the repository directory and is not known yet.
    Scan,
    /// Give a repository a new path.
    Rename { path: String, to: String },
    /// Delete a repository. It can be restored for a while.
    Delete { path: String },
    /// Restore a deleted repository, by the number that `repo list` shows.
    Restore { id: u64 },
    /// Check that the objects of a repository, or of all, are there and sound.
    Check { path: Option<String> },
    /// Pack a repository, or all that need it, so that it is served fast. A running server does that by
    /// itself.
    Maintain {
        path: Option<String>,
        /// Pack everything anew, whether or not it needs to be.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub struct Import {
    /// The bare repository's directory.
    #[arg(value_name = "LOCAL.git")]
    pub local: PathBuf,
    /// Its path here, such as `team/demo`.
    pub path: String,
    /// Hide it from everybody without a grant.
    #[arg(long)]
    pub private: bool,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create an access token. It is shown this once.
    Create {
        user: String,
        /// What it is for.
        #[arg(long, value_name = "TEXT", default_value = "created on the command line")]
        description: String,
        /// Let it push.
        #[arg(long)]
        write: bool,
        /// End it after so many days.
        #[arg(long, value_name = "N")]
        expires_days: Option<u32>,
    },
    /// List a user's access tokens.
    List { user: String },
    /// End an access token, by the number that `token list` shows.
    Revoke { user: String, id: u64 },
}

impl Common {
    /// The manifest: the one that is named, else `spin.toml` in the current directory, else the
    /// nearest one above the program.
    pub fn manifest(&self) -> PathBuf {
        const NAME: &str = "spin.toml";
        if let Some(manifest) = &self.manifest {
            return manifest.clone();
        }
        let above_program = || {
            let program = std::env::current_exe().ok()?.canonicalize().ok()?;
            program.ancestors().skip(1).map(|directory| directory.join(NAME)).find(|file| file.is_file())
        };
        match Path::new(NAME).is_file() {
            true => NAME.into(),
            false => above_program().unwrap_or_else(|| NAME.into()),
        }
    }
}

fn parse_swap(text: &str) -> Result<(String, PathBuf), &'static str> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("it has to be a component's name and a file, NAME=FILE.wasm"),
    }
}

/// A network, or the one address that it stands for.
fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "it has to be an address or a network, such as 10.0.0.0/8")
}

fn parse_memory(text: &str) -> Result<usize, String> {
    let range = limits::TOTAL_MEMORY_MIB_RANGE;
    text.parse()
        .ok()
        .filter(|mib| range.contains(mib))
        .ok_or_else(|| format!("it has to be a number of MiB from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_forms_that_scripts_rely_on() {
        let lines = [
            "lithe init --data D --admin root --password-stdin",
            "lithe init --admin root --password-stdin --data D",
            "lithe repo create --data D team/demo --private",
            "lithe repo create team/demo --data D",
            "lithe repo create team/demo --object-format sha256 --data D",
            "lithe serve --data D --listen 127.0.0.1:0",
            "lithe serve --listen [::1]:8000 --swap a=b.wasm --swap c=d=e.wasm --data D",
            "lithe --data D user add bob --password-stdin",
            "lithe user list --json --data D",
            "lithe token create bob --write --expires-days 7 --data D",
            "lithe repo import x.git team/x --private --data D",
        ];
        for line in lines {
            let arguments = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(arguments.common.data, Path::new("D"), "{line}");
        }
    }

    #[test]
    fn the_defaults_serve_this_machine_alone() {
        let Command::Serve(serve) = parse("lithe serve").expect("parsed").command else {
            panic!("another command");
        };
        assert_eq!(serve.listen.to_string(), "127.0.0.1:8000");
        assert!(serve.trusted_proxy.is_empty() && serve.swap.is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let lines = [
            "lithe",
            "lithe what",
            "lithe init",
            "lithe repo create",
            "lithe repo restore x",
            "lithe repo create x --object-format md5",
            "lithe serve --listen localhost",
            "lithe serve --swap name",
            "lithe serve --swap =file",
            "lithe serve --trusted-proxy 10.0.0.0/99",
            "lithe serve --log-format xml",
        ];
        for line in lines {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_trusted_proxy_may_be_one_address() {
        assert_eq!(parse_network("10.0.0.1"), Ok("10.0.0.1/32".parse().expect("a network")));
        assert_eq!(parse_network("::1"), Ok("::1/128".parse().expect("a network")));
    }
}
