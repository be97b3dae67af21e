//! A server in this process, on a port of its own, with the guests of `tests/guests`.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use lithe::serve::{Config, Handle, Server};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The longest that anything in these tests may take.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The file of a guest, which `cargo xtask test` builds before it runs the tests.
pub fn guest(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies below the workspace");
    let file = root.join("target/guests").join(name).with_extension("wasm");
    assert!(file.exists(), "{} is missing; `cargo xtask test` builds it", file.display());
    file
}

/// A manifest of one feature, `pages`, and what it depends on.
pub struct Site {
    /// Lines of `[component.pages.tool.lithe]`.
    pub pages: &'static str,
    /// Lines of `[component.keeper.tool.lithe]`.
    pub keeper: &'static str,
    /// Lines of `[component.pages]`.
    pub files: &'static str,
    pub configure: fn(&mut Config),
}

impl Default for Site {
    fn default() -> Self {
        Self { pages: "", keeper: "", files: "", configure: |_| {} }
    }
}

impl Site {
    fn manifest(&self) -> String {
        let imports = match self.pages.contains("imports") {
            true => "",
            false => "imports = [\"counter\", \"labour\", \"trial\"]",
        };
        format!(
            r#"
            spin_manifest_version = 2
            [application]
            name = "site"
            [[trigger.http]]
            route = "/..."
            component = "pages"
            [component.keeper]
            source = {keeper_wasm:?}
            files = [{{ source = "data/db", destination = "/db" }}]
            [component.keeper.tool.lithe]
            mounts = {{ "/db" = "read-write" }}
            pooled = ["labour", "trial"]
            {keeper}
            [component.pages]
            source = {pages_wasm:?}
            {files}
            [component.pages.dependencies]
            "test:kit@0.1.0" = {{ component = "keeper" }}
            [component.pages.tool.lithe]
            {imports}
            {pages}
            "#,
            keeper_wasm = guest("keeper"),
            pages_wasm = guest("pages"),
            keeper = self.keeper,
            files = self.files,
            pages = self.pages,
        )
    }

    pub fn config(&self, directory: &Path) -> Config {
        let manifest = directory.join("spin.toml");
        std::fs::write(&manifest, self.manifest()).expect("the directory is writable");
        let mut config = Config::new(manifest, directory.join("data"));
        config.cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code"));
        (self.configure)(&mut config);
        config
    }

    pub async fn start(self) -> Running {
        let directory = tempfile::tempdir().expect("a directory");
        let config = self.config(directory.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = Server::open(config).await.expect("the site is sound");
        let handle = server.handle();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(server.listen(listener).expect("it can be reached").run(shutdown));
        Running { address, handle, stop: Some(stop), server, directory }
    }

    /// Why the site does not start.
    pub async fn refusal(self) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        match Server::open(self.config(directory.path())).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        }
    }
}

/// A server that runs.
pub struct Running {
    pub address: SocketAddr,
    pub handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    directory: TempDir,
}

impl Running {
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Says to stop.
    pub fn stop(&mut self) {
        let _ = self.stop.take().expect("it runs").send(());
    }

    /// Waits until it has stopped.
    pub async fn stopped(self) {
        let server = tokio::time::timeout(DEADLINE, self.server).await.expect("it stops in time");
        server.expect("no panic");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Full::default()).expect("a request")).await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.begin(request).await.expect("a response");
        Answer::read(response).await
    }

    /// As [`Self::get`], from another address of this machine's.
    pub async fn get_from(&self, client: &str, path: &str) -> Answer {
        let socket = TcpSocket::new_v4().expect("a socket");
        let client = SocketAddr::new(client.parse().expect("an address"), 0);
        socket.bind(client).expect("every address of 127.0.0.0/8 is this machine's");
        let stream = socket.connect(self.address).await.expect("it listens");
        let request = Request::get(path).body(Full::<Bytes>::default()).expect("a request");
        Answer::read(self.begin_on(stream, request).await.expect("a response")).await
    }

    /// Sends a request on a connection of its own and returns the response as it begins.
    pub async fn begin<B>(&self, request: Request<B>) -> hyper::Result<Response<Incoming>>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        self.begin_on(stream, request).await
    }

    async fn begin_on<B>(
        &self,
        stream: TcpStream,
        mut request: Request<B>,
    ) -> hyper::Result<Response<Incoming>>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        let host = self.address.to_string().parse().expect("an address is a header value");
        request.headers_mut().entry("host").or_insert(host);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
        tokio::spawn(connection);
        tokio::time::timeout(DEADLINE, sender.send_request(request)).await.expect("an answer in time")
    }

    pub async fn get_http2(&self, path: &str) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let io = TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.expect("it speaks HTTP/2");
        tokio::spawn(connection);
        let url = format!("http://{}{path}", self.address);
        let request = Request::get(url).body(Full::<Bytes>::default()).expect("a request");
        Answer::read(sender.send_request(request).await.expect("a response")).await
    }

    /// Sends bytes as they are and returns what comes back until the end.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        // It may have been refused before it was sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the connection ends in time");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// Whether the body came to its end.
    pub is_whole: bool,
}

impl Answer {
    pub async fn read(response: Response<Incoming>) -> Self {
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let is_whole = loop {
            match tokio::time::timeout(DEADLINE, body.frame()).await.expect("a frame in time") {
                Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: parts.status, headers: parts.headers, text, is_whole }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}
