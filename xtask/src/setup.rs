//! What a build needs besides cargo: the target `wasm32-wasip2`, and a C compiler for it (SQLite
//! is C). What is missing is installed, after saying so; where that cannot be, the command that
//! would do it is printed.

use crate::{Result, find_program, output, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rustc target of every component.
const TARGET: &str = "wasm32-wasip2";

/// What SQLite is built without, and with: a fifth of the store's size is what it never uses.
const SQLITE_FLAGS: [&str; 12] = [
    "-USQLITE_ENABLE_FTS3",
    "-USQLITE_ENABLE_FTS3_PARENTHESIS",
    "-USQLITE_ENABLE_FTS5",
    "-USQLITE_ENABLE_RTREE",
    "-USQLITE_ENABLE_STAT4",
    "-USQLITE_ENABLE_DBSTAT_VTAB",
    "-USQLITE_ENABLE_LOAD_EXTENSION",
    "-USQLITE_SOUNDEX",
    "-DSQLITE_OMIT_LOAD_EXTENSION",
    "-DSQLITE_OMIT_DEPRECATED",
    "-DSQLITE_DQS=0",
    "-DSQLITE_DEFAULT_MEMSTATUS=0",
];

/// How to compile C for WASI.
pub struct Tools {
    /// Variables for the `cc` crate, by target.
    pub environment: Vec<(String, String)>,
}

/// Sees to everything that a build of components and host needs.
pub fn for_build() -> Result<Tools> {
    rust_target()?;
    if let Some(tools) = c_compiler() {
        return Ok(tools);
    }
    install_c_compiler()?;
    c_compiler()
        .ok_or_else(|| "there is still no C compiler for WASI; set WASI_SDK_PATH to a wasi-sdk".to_owned())
}

/// Adds the target where rustup manages the toolchain.
fn rust_target() -> Result {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = output(Command::new(rustc).args(["--print", "sysroot"])).ok_or("rustc does not run")?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    eprintln!("xtask: adding the Rust target {TARGET} (rustup target add {TARGET})");
    run(Command::new("rustup").args(["target", "add", TARGET]))
        .map_err(|reason| format!("{reason}\nInstall it by: rustup target add {TARGET}"))
}

/// A wasi-sdk if one is named, else the system's clang with wasi-libc.
fn c_compiler() -> Option<Tools> {
    if let Some(sdk) = std::env::var_os("WASI_SDK_PATH") {
        let sdk = PathBuf::from(sdk);
        let flags = format!("--sysroot={}", sdk.join("share/wasi-sysroot").display());
        return Some(Tools::new(&sdk.join("bin/clang"), &sdk.join("bin/llvm-ar"), &flags));
    }
    let clang = find_program("clang")?;
    let archiver = llvm_ar()?;
    let has_libc = |headers: &&str| Path::new(headers).join("stdlib.h").is_file();
    let headers = ["/usr/include/wasm32-wasi", "/usr/wasm32-wasi/include"].into_iter().find(has_libc)?;
    let flags = match headers {
        "/usr/include/wasm32-wasi" => format!("--sysroot=/usr -isystem {headers}"),
        _ => "--sysroot=/usr/wasm32-wasi".to_owned(),
    };
    Some(Tools::new(&clang, &archiver, &flags))
}

impl Tools {
    fn new(compiler: &Path, archiver: &Path, flags: &str) -> Self {
        let variable = |name: &str, value: String| (format!("{name}_wasm32_wasip2"), value);
        Self {
            environment: vec![
                variable("CC", compiler.display().to_string()),
                variable("AR", archiver.display().to_string()),
                variable("CFLAGS", flags.to_owned()),
                ("LIBSQLITE3_FLAGS".to_owned(), SQLITE_FLAGS.join(" ")),
            ],
        }
    }
}

/// Debian names the archiver by its version only.
fn llvm_ar() -> Option<PathBuf> {
    find_program("llvm-ar")
        .or_else(|| (11..30).rev().find_map(|version| find_program(&format!("llvm-ar-{version}"))))
}

/// By the system's package manager, if we may use it.
fn install_c_compiler() -> Result {
    if find_program("apt-get").is_some() {
        install_with_apt(&["clang", "lld", "llvm", "wasi-libc"], "a C compiler for WASI")?;
        let runtime = format!("libclang-rt-{}-dev-wasm32", clang_version());
        return install_with_apt(&[&runtime], "its run-time library");
    }
    let known: [(&str, &[&str]); 3] = [
        ("dnf", &["dnf", "install", "-y", "clang", "lld", "llvm", "wasi-libc-devel"]),
        ("pacman", &["pacman", "-S", "--noconfirm", "clang", "lld", "llvm", "wasi-libc", "wasi-compiler-rt"]),
        ("brew", &["brew", "install", "llvm", "lld", "wasi-libc", "wasi-runtimes"]),
    ];
    match known.iter().find(|(program, _)| find_program(program).is_some()) {
        Some((_, command)) => as_root(command, "a C compiler for WASI"),
        None => Err("there is no C compiler for WASI: install clang, lld and wasi-libc, \
                     or set WASI_SDK_PATH to a wasi-sdk"
            .to_owned()),
    }
}

/// The major version of the system's clang, as Debian's package names have it.
fn clang_version() -> String {
    output(Command::new("clang").arg("-dumpversion"))
        .and_then(|version| version.trim().split('.').next().map(str::to_owned))
        .unwrap_or_else(|| "14".to_owned())
}

/// Installs Debian packages, with fresh package lists.
pub fn install_with_apt(packages: &[&str], purpose: &str) -> Result {
    as_root(&["apt-get", "update", "-q"], "fresh package lists")?;
    let command = [&["apt-get", "install", "-y", "-q", "--no-install-recommends"], packages].concat();
    as_root(&command, purpose)
}

/// Runs a command as root: directly, or by a `sudo` that asks no password.
fn as_root(command: &[&str], purpose: &str) -> Result {
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let may_sudo = || run(Command::new("sudo").args(["-n", "true"])).is_ok();
    let line = command.join(" ");
    let mut process = match command {
        [program, arguments @ ..] if is_root || *program == "brew" => {
            let mut process = Command::new(program);
            process.args(arguments);
            process
        }
        _ if may_sudo() => {
            let mut process = Command::new("sudo");
            process.arg("-n").args(command);
            process
        }
        _ => return Err(format!("{purpose} is missing; install it by: sudo {line}")),
    };
    eprintln!("xtask: installing {purpose}: {line}");
    process.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
    run(&mut process)
}
