//! The command line: what can be said, and what becomes of it.
//!
//! Everything but `serve` is one call to the application: over the operator's socket if a server
//! runs on the data directory, and else by the same application in this process.

mod arguments;
mod call;
mod import;
mod print;
mod serve;

use arguments::{Arguments, Command, Initialize, RepoCommand, TokenCommand, UserCommand};
use clap::Parser as _;
use lithe_operator::{Command as Call, Reply};
use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

/// The command was refused, or it failed.
const EXIT_FAILED: u8 = 1;
/// The command line makes no sense.
const EXIT_USAGE: u8 = 2;
/// A line with a password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 1024;

/// Runs a command line and returns the process's exit code.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lithe: {error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { common, command } = arguments;
    let call = match command {
        Command::Serve(options) => return serve::run(&common, options),
        Command::Init(options) => initialize(options)?,
        Command::User { command } => user(command)?,
        Command::Repo { command: RepoCommand::Import(options) } => {
            let reply = call::import(&common, &options)?;
            return finish(&reply, common.json);
        }
        Command::Repo { command } => repo(command),
        Command::Token { command } => token(command),
    };
    finish(&call::call(&common, &call)?, common.json)
}

/// Says what came of a command.
fn finish(reply: &Reply, json: bool) -> anyhow::Result<ExitCode> {
    match reply {
        reply if json => print(&format!("{}\n", serde_json::to_string(reply)?))?,
        Reply::Refused { message } => eprintln!("lithe: {message}"),
        reply => print(&print::text(reply))?,
    }
    Ok(match is_success(reply) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_FAILED),
    })
}

/// Prints for as long as somebody reads.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn is_success(reply: &Reply) -> bool {
    match reply {
        Reply::Refused { .. } => false,
        Reply::Maintained { runs } => runs.iter().all(|run| run.error.is_none()),
        Reply::Checks { checks } => checks.iter().all(|check| check.problems.is_empty()),
        _ => true,
    }
}

fn initialize(options: Initialize) -> anyhow::Result<Call> {
    let password = match options.password_stdin {
        true => read_password()?,
        false => ask_password()?,
    };
    Ok(Call::Init { name: options.admin, password })
}

fn user(command: UserCommand) -> anyhow::Result<Call> {
    let password = |stdin: bool| if stdin { read_password().map(Some) } else { Ok(None) };
    Ok(match command {
        UserCommand::Add(options) => Call::UserAdd {
            name: options.name,
            full_name: options.full_name,
            email: options.email,
            password: password(options.password_stdin)?,
            admin: options.admin,
        },
        UserCommand::List => Call::UserList,
        UserCommand::Passwd { name, password_stdin } => {
            Call::UserPasswd { name, password: password(password_stdin)? }
        }
        UserCommand::Disable { name } => Call::UserDisable { name },
        UserCommand::Enable { name } => Call::UserEnable { name },
    })
}

fn repo(command: RepoCommand) -> Call {
    match command {
        RepoCommand::Create { path, description, private, object_format } => {
            Call::RepoCreate { path, description, private, object_format }
        }
        RepoCommand::List => Call::RepoList,
        RepoCommand::Import(_) => unreachable!("an import is no single call"),
        RepoCommand::Scan => Call::RepoScan,
        RepoCommand::Rename { path, to } => Call::RepoRename { path, to },
        RepoCommand::Delete { path } => Call::RepoDelete { path },
        RepoCommand::Restore { id } => Call::RepoRestore { id },
        RepoCommand::Check { path } => Call::RepoCheck { path },
        RepoCommand::Maintain { path, force } => Call::RepoMaintain { path, force },
    }
}

fn token(command: TokenCommand) -> Call {
    match command {
        TokenCommand::Create { user, description, write, expires_days } => {
            Call::TokenCreate { user, description, write, expires_days }
        }
        TokenCommand::List { user } => Call::TokenList { user },
        TokenCommand::Revoke { user, id } => Call::TokenRevoke { user, id },
    }
}

/// The first line of standard input.
fn read_password() -> anyhow::Result<String> {
    use io::Read as _;
    let mut line = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX + 2).read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        anyhow::bail!("there is no password on standard input");
    }
    Ok(password.to_owned())
}

/// Asks for a password twice, on the terminal.
fn ask_password() -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        anyhow::bail!("there is no terminal to ask for a password; use --password-stdin");
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("The same again: ")? != password {
        anyhow::bail!("these were two different passwords");
    }
    Ok(password)
}
