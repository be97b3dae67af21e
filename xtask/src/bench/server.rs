//! The servers that are measured.

use super::silent;
use crate::{Result, build, root};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "a password for the bench";

/// A `lithe serve` with a data directory of its own and the administrator `bench`.
pub struct Lithe {
    data: PathBuf,
    child: Child,
    pub url: String,
}

impl Lithe {
    pub fn start(scratch: &Path) -> Result<Self> {
        Self::start_with(scratch, &[])
    }

    /// Makes the data directory and starts the server with more options.
    pub fn start_with(scratch: &Path, options: &[&str]) -> Result<Self> {
        let data = scratch.join("data");
        let mut init = silent(&build::host_binary().display().to_string());
        init.args(["init", "--admin", "bench", "--password-stdin", "--data"]).arg(&data);
        let mut child =
            init.current_dir(root()).stdin(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().ok_or("no standard input")?;
        writeln!(stdin, "{PASSWORD}").map_err(|error| error.to_string())?;
        drop(stdin);
        child.wait().map_err(|error| error.to_string())?;
        Self::serve(data, options)
    }

    /// Starts a server on a data directory that was made before.
    pub fn start_again(scratch: &Path) -> Result<Self> {
        Self::serve(scratch.join("data"), &[])
    }

    fn serve(data: PathBuf, options: &[&str]) -> Result<Self> {
        let mut command = Command::new(build::host_binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        // Nobody signs in here, and what is measured is to be made however often it is asked for.
        if !options.contains(&"--anonymous-budget") {
            command.args(["--anonymous-budget", "0"]);
        }
        command.args(options);
        // As it runs where nobody looks for a fault: with it, every file that is not there costs a look at the stack.
        command.env_remove("RUST_BACKTRACE");
        let log = fs::File::create(data.with_extension("log")).map_err(|error| error.to_string())?;
        command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let url = lines.by_ref().map_while(std::result::Result::ok).find_map(|line| {
            line.trim().strip_prefix("Lithe is at ").map(|url| url.trim_end_matches('/').to_owned())
        });
        let url = url.ok_or("lithe serve did not start")?;
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { data, child, url })
    }

    /// Creates a repository.
    pub fn create(&self, path: &str) -> Result {
        let mut command = silent(&build::host_binary().display().to_string());
        crate::run(command.args(["repo", "create", path, "--data"]).arg(&self.data).current_dir(root()))
    }

    /// Where a repository lies.
    pub fn repository(&self, path: &str) -> PathBuf {
        self.data.join("repos").join(format!("{path}.git"))
    }

    /// Packs a repository anew.
    pub fn maintain(&self, path: &str) -> Result {
        let mut command = silent(&build::host_binary().display().to_string());
        let arguments = ["repo", "maintain", path, "--force", "--data"];
        crate::run(command.args(arguments).arg(&self.data).current_dir(root()))
    }

    /// Removes what a component keeps in its cache.
    pub fn empty_cache(&self, component: &str) -> Result {
        let cache = self.data.join("cache").join(component);
        for entry in fs::read_dir(&cache).map_err(|error| error.to_string())?.flatten() {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// How many repositories have an index that knows all their files.
    pub fn index_count(&self) -> usize {
        let states = fs::read_dir(self.data.join("cache/search/index")).into_iter().flatten().flatten();
        let states = states.filter_map(|entry| fs::read_to_string(entry.path().join("files/state")).ok());
        states.filter(|state| state.contains("\nunknown 0\n")).count()
    }

    /// What the processor spent for the process so far.
    pub fn cpu(&self) -> Result<Duration> {
        processor_time(&format!("/proc/{}/stat", self.child.id()), 11)
    }

    /// The clone address, with the administrator's name and password.
    pub fn git_url(&self, path: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        self.url.replace("http://", &format!("http://bench:{password}@")) + "/" + path + ".git"
    }

    /// What the process has in memory now, in MiB.
    pub fn resident_mib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most it had since [`Self::reset_peak`], in MiB.
    pub fn peak_mib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    pub fn reset_peak(&self) -> Result {
        // 5: proc_pid_clear_refs(5), the peak resident set size.
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").map_err(|error| error.to_string())
    }

    fn status(&self, field: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        text.lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|value| value.split_whitespace().next())
            .and_then(|kibibytes| kibibytes.parse::<u64>().ok())
            .map(|kibibytes| kibibytes / 1024)
            .ok_or_else(|| format!("{path} has no {field}"))
    }
}

impl Drop for Lithe {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum of two neighbouring fields of proc_pid_stat(5), counted from the one after the name; the
/// kernel counts in hundredths of a second.
pub fn processor_time(path: &str, field: usize) -> Result<Duration> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let fields = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: Option<Vec<u64>> =
        fields.split(' ').skip(field).take(2).map(|value| value.parse().ok()).collect();
    let ticks = ticks.ok_or_else(|| format!("{path} is not understood"))?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// `wasmtime serve` on one component.
pub struct WasmtimeServe {
    child: Child,
    pub url: String,
}

impl WasmtimeServe {
    pub fn start(wasmtime: &Path, component: &Path) -> Result<Self> {
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
            listener.local_addr().map_err(|error| error.to_string())?
        };
        let mut command = Command::new(wasmtime);
        command.args(["serve", "-Sp3,cli", "-Wcomponent-model-async", "--addr", &address.to_string()]);
        command.arg(component).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| error.to_string())?;
        let server = Self { child, url: format!("http://{address}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err("wasmtime serve did not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for WasmtimeServe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
