//! The peer of the browser: cgit as its package installs it, behind nginx and fcgiwrap, a process a
//! request, with its cache off.

use crate::{Result, find_program, setup};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where Debian's package has the program.
const CGIT: &str = "/usr/lib/cgit/cgit.cgi";

/// How long the servers may take to listen.
const START_MAX: Duration = Duration::from_secs(20);

/// nginx and fcgiwrap, until they are dropped.
pub struct Server {
    children: Vec<Child>,
    pub url: String,
}

impl Server {
    /// Serves the bare repository under the name `bench`. `processes` requests run at once.
    pub fn start(scratch: &Path, repository: &Path, processes: usize) -> Result<Self> {
        install()?;
        fs::create_dir_all(scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
        let address = free_address()?;
        let (socket, settings) = (scratch.join("fcgi.sock"), scratch.join("cgitrc"));
        write(&settings, &cgit_settings(repository))?;
        write(&scratch.join("nginx.conf"), &nginx_settings(scratch, address, &socket, &settings))?;
        let mut server = Self { children: Vec::new(), url: format!("http://{address}") };
        let socket = format!("unix:{}", socket.display());
        server.spawn("fcgiwrap", &["-c", &processes.to_string(), "-s", &socket])?;
        let directory = scratch.display().to_string();
        server.spawn("nginx", &["-p", &directory, "-c", "nginx.conf", "-e", "nginx.log"])?;
        let deadline = Instant::now() + START_MAX;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err("nginx did not start".to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Starts a program with a process group of its own, since both have children.
    fn spawn(&mut self, program: &str, arguments: &[&str]) -> Result {
        let program = find_program(program).unwrap_or_else(|| PathBuf::from("/usr/sbin").join(program));
        let mut command = Command::new(&program);
        command.args(arguments).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        self.children.push(child);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // The whole group; it may have ended already.
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
            let _ = child.wait();
        }
    }
}

fn install() -> Result {
    if Path::new(CGIT).is_file() && Path::new("/usr/sbin/nginx").is_file() {
        return Ok(());
    }
    setup::install_with_apt(&["cgit", "nginx-light", "fcgiwrap"], "cgit, to compare with")
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// cgitrc(5).
fn cgit_settings(repository: &Path) -> String {
    format!(
        "cache-size=0\nvirtual-root=/\nenable-blame=1\nsnapshots=tar.gz\nsummary-log=10\nmax-commit-count=50\n\
         about-filter=\nsource-filter=\nrepo.url=bench\nrepo.path={}\n",
        repository.display()
    )
}

fn nginx_settings(scratch: &Path, address: SocketAddr, socket: &Path, settings: &Path) -> String {
    let (scratch, socket, settings) = (scratch.display(), socket.display(), settings.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {scratch}/{kind};\n"))
        .concat();
    format!(
        "daemon off;\nuser root;\npid {scratch}/nginx.pid;\nworker_processes 2;\nevents {{}}\nhttp {{\naccess_log off;\n\
         keepalive_requests 1000000;\n{temporary}server {{\nlisten {address};\nlocation / {{\n\
         fastcgi_param SCRIPT_FILENAME {CGIT};\nfastcgi_param PATH_INFO $uri;\n\
         fastcgi_param QUERY_STRING $args;\nfastcgi_param REQUEST_METHOD $request_method;\n\
         fastcgi_param HTTP_HOST $http_host;\nfastcgi_param CGIT_CONFIG {settings};\n\
         fastcgi_pass unix:{socket};\n}}\n}}\n}}\n"
    )
}
