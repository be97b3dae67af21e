//! `lithe`: see `lithe help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lithe::cli::run(std::env::args_os())
}
