//! `lithe serve`.

use super::arguments::{Common, LogFormat, Serve};
use crate::limits::LONG_WORK_NICENESS;
use crate::operator::OneTimePassword;
use crate::run_to_end::go_apart_in;
use crate::serve::{Config, Server};
use anyhow::Context as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The log's filter, if this is not set: every request, and what is worth knowing.
const LOG_VARIABLE: &str = "LITHE_LOG";
/// Threads per processor for guests that work long, or with what a client sends. Their file calls run on these
/// threads; while one waits for the disk, the others go on.
pub const THREADS_PER_PROCESSOR: usize = 4;

/// Serves until a signal says to stop; a second one stops at once.
pub fn run(common: &Common, options: Serve) -> anyhow::Result<ExitCode> {
    log(options.log_format);
    limit_arenas();
    // Connections, and guests that answer at once, have a thread for each processor: with more, each request is
    // handed from one to another, which takes a third of its time. Whoever works long goes to the others.
    let (connections, apart) = (runtime(1, 0)?, runtime(THREADS_PER_PROCESSOR, LONG_WORK_NICENESS)?);
    go_apart_in(apart.handle());
    let result = connections.block_on(serve(common, options));
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(common: &Common, options: Serve) -> anyhow::Result<()> {
    let mut stop = Stop::new()?;
    let server = Server::open(Config {
        cache: common.code_cache.clone(),
        swaps: options.swap,
        trusted_proxies: options.trusted_proxy,
        anonymous_budget: options.anonymous_budget,
        grace: Duration::from_secs(options.grace_seconds),
        memory_bytes_max: options.memory_mib_max << 20,
        has_tasks: !options.no_tasks,
        ..Config::new(common.manifest(), common.data.clone())
    })
    .await?;
    give_back_memory();
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let url = format!("http://{}/", listener.local_addr()?);
    let first = server.first_administrator().await.context("the store does not start")?;
    let server = server.listen(listener)?;
    announce(&url, first)?;
    let (sender, signalled) = tokio::sync::oneshot::channel();
    let twice = async {
        stop.wait().await;
        let _ = sender.send(());
        stop.wait().await;
    };
    let shutdown = async {
        let _ = signalled.await;
    };
    tokio::select! {
        () = server.run(shutdown) => {}
        () = twice => tracing::warn!("stopped at once by a second signal"),
    }
    Ok(())
}

/// Says where the server is, and how to sign in for the first time.
fn announce(url: &str, first: Option<OneTimePassword>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "Lithe is at {url}")?;
    if let Some(first) = first {
        let lines = [
            "There is no user yet, so here is the first one.".to_owned(),
            String::new(),
            format!("Open      {url}-/login"),
            format!("Name      {}", first.name),
            format!("Password  {}", first.password),
            String::new(),
            "The password is for the first sign-in and has to be changed then.".to_owned(),
        ];
        write!(output, "\n{}\n", frame(&lines))?;
    }
    output.flush()
}

fn frame(lines: &[String]) -> String {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let edge = "─".repeat(width + 4);
    let mut text = format!("┌{edge}┐\n");
    text.extend(lines.iter().map(|line| format!("│  {line:width$}  │\n")));
    text + &format!("└{edge}┘\n")
}

/// The signals to stop.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Has all threads share a few of the C library's arenas, of which it would give almost each its own: what one of
/// them held once, its thread keeps. As many threads as there are processors allocate at once, and what they
/// free and want again at once each has at hand anyway.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn limit_arenas() {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let arenas = libc::c_int::try_from(processors).unwrap_or(libc::c_int::MAX);
    // SAFETY: it sets a number, before there are other threads.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}

/// Other C libraries have none.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn limit_arenas() {}

/// Gives back what the C library holds of freed memory: to compile a component takes hundreds of MiB, and a server
/// that did so when it started would keep some of them for ever.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back_memory() {
    // SAFETY: it frees only what nobody has, and takes the locks of the arenas for that.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries have no word for it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back_memory() {}

/// A runtime for guests and connections, with so many threads for each processor, which those of the caller come
/// before if they are nice.
pub fn runtime(threads_per_processor: usize, niceness: i32) -> io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors * threads_per_processor)
        .on_thread_start(nice(niceness))
        .enable_all()
        .build()
}

/// What has the caller's thread come before the one that runs it, by so much. Where that is not allowed, all are alike.
#[cfg(target_os = "linux")]
fn nice(niceness: i32) -> impl Fn() {
    // A thread begins with what the one has that starts it, which may be nice already.
    let target = rustix::process::getpriority_process(None).map(|present| present.saturating_add(niceness));
    move || {
        if let (1.., Ok(target)) = (niceness, target) {
            let _ = rustix::process::setpriority_process(None, target);
        }
    }
}

/// Elsewhere, the whole process would be.
#[cfg(not(target_os = "linux"))]
fn nice(_: i32) -> impl Fn() {
    || {}
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// For commands that run for a moment: only what went wrong.
pub fn log_warnings() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    log.with_ansi(io::stderr().is_terminal()).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_wide_as_its_widest_line() {
        let lines = ["a".to_owned(), "bcd".to_owned()];
        assert_eq!(frame(&lines), "┌───────┐\n│  a    │\n│  bcd  │\n└───────┘\n");
    }
}
