//! The server: listeners, connections, and how they come to an end.

use crate::body::{Body, RequestBody};
use crate::budget::Budgets;
use crate::code::CodeCache;
use crate::connection::Connection;
use crate::data_directory::{DataDirectory, OpenError};
use crate::limits;
use crate::manifest::{Manifest, ManifestError};
use crate::operator::{OneTimePassword, OperatorError};
use crate::operator_socket::OperatorSocket;
use crate::runtime::{LoadError, Runtime};
use crate::service::{Peer, Service};
use crate::slots::{Asker, Client, Slot, Slots};
use crate::tasks;
use http::header::EXPECT;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The manifest, `spin.toml`.
    pub manifest: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// Where compiled code is kept; none: below the data directory.
    pub cache: Option<PathBuf>,
    /// Components whose file is another than the manifest says.
    pub swaps: Vec<(String, PathBuf)>,
    /// The proxies whose word on clients counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Points that a client who is not signed in may cost in a minute; 0: as many as it likes.
    pub anonymous_budget: u32,
    /// How long transfers may take to finish at the end.
    pub grace: Duration,
    /// Linear memory of all instances together, in bytes.
    pub memory_bytes_max: usize,
    /// Whether it does by itself what the manifest asks for from time to time.
    pub has_tasks: bool,
}

impl Config {
    /// The defaults for a manifest and a data directory.
    pub fn new(manifest: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            data: data.into(),
            cache: None,
            swaps: Vec::new(),
            trusted_proxies: Vec::new(),
            anonymous_budget: limits::BUDGET_PER_MINUTE_DEFAULT,
            grace: Duration::from_secs(limits::GRACE_SECONDS_DEFAULT),
            memory_bytes_max: limits::TOTAL_MEMORY_MIB_DEFAULT << 20,
            has_tasks: true,
        }
    }
}

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Data(#[from] OpenError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the operator's socket {} cannot be made: {error}", path.display())]
    Socket { path: PathBuf, error: io::Error },
    #[error("the lock file cannot be written: {0}")]
    LockFile(io::Error),
    #[error("the address of the listener is not known: {0}")]
    Listener(io::Error),
}

/// A data directory and the application on it, ready to serve.
pub struct Server {
    data: DataDirectory,
    service: Arc<Service>,
    grace: Duration,
    has_tasks: bool,
}

/// The way to a running server from within its process.
#[derive(Clone)]
pub struct Handle {
    service: Arc<Service>,
}

impl Handle {
    /// Replaces a component by the one in a file. Requests that began are finished by the former.
    pub async fn swap(&self, name: &str, file: &Path) -> Result<(), LoadError> {
        let (service, name, file) = (self.service.clone(), name.to_owned(), file.to_owned());
        // Compiling takes a while and would keep the runtime's thread.
        let swap = tokio::task::spawn_blocking(move || service.runtime().swap(&name, &file));
        swap.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// What answers the requests, without a connection.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }
}

/// Serves until `shutdown` is done and the last transfers are, or their time is over.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    Server::open(config).await?.listen(listener)?.run(shutdown).await;
    Ok(())
}

impl Server {
    /// Opens the data directory and loads the application.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let data = DataDirectory::open(&config.data)?;
        let open = move || {
            let manifest = Manifest::read(&config.manifest, data.path())?.in_run(&data.run(), data.path());
            let cache = config.cache.unwrap_or_else(|| data.code_cache());
            let cache = CodeCache::new(&cache);
            let runtime = Runtime::load(manifest, cache, &config.swaps, config.memory_bytes_max)?;
            let service = Arc::new(Service::new(
                Arc::new(runtime),
                config.trusted_proxies,
                Budgets::new(config.anonymous_budget),
            ));
            Ok(Self { data, service, grace: config.grace, has_tasks: config.has_tasks })
        };
        let open = tokio::task::spawn_blocking(open);
        open.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// A way to the server that stays when it runs.
    pub fn handle(&self) -> Handle {
        Handle { service: self.service.clone() }
    }

    /// The first administrator's password, for whoever starts the server; none once it was used.
    pub async fn first_administrator(&self) -> Result<Option<OneTimePassword>, OperatorError> {
        match self.service.runtime().operator() {
            Some(operator) => operator.first_administrator().await,
            None => Ok(None),
        }
    }

    /// Takes the listener, makes the operator's socket, and says in the lock file where both are.
    pub fn listen(mut self, listener: TcpListener) -> Result<Listening, StartError> {
        let address = listener.local_addr().map_err(StartError::Listener)?;
        let socket = OperatorSocket::bind(self.data.path())?;
        self.data
            .set_owner(Some(&format!("http://{address}/")), Some(socket.path()))
            .map_err(StartError::LockFile)?;
        Ok(Listening { server: self, listener, socket })
    }
}

/// A server that can be reached and waits to be run.
pub struct Listening {
    server: Server,
    listener: TcpListener,
    socket: OperatorSocket,
}

impl Listening {
    /// Serves until `shutdown` is done and the last transfers are, or their time is over.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { server, listener, socket } = self;
        let connections = Connections::new(server.service.clone());
        let sweeper = tokio::spawn(sweep(server.service.clone()));
        let tasks = if server.has_tasks { server.service.runtime().tasks() } else { &[] };
        let tasks = tasks::start(&server.service, tasks);
        tokio::select! {
            () = shutdown => {}
            () = connections.accept(&listener) => {}
            () = connections.accept_operator(&socket) => {}
        }
        drop((listener, socket));
        tracing::info!("stopping");
        sweeper.abort();
        drop(tasks);
        connections.finish(server.grace).await;
    }
}

/// Drops instances without work, from time to time.
async fn sweep(service: Arc<Service>) {
    let mut interval = tokio::time::interval(limits::INSTANCE_IDLE_MAX / 2);
    loop {
        interval.tick().await;
        service.runtime().drop_idle();
    }
}

/// What a connection takes of what there is.
type Place = (OwnedSemaphorePermit, Option<Slot>);

struct Connections {
    service: Arc<Service>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    graceful: GracefulShutdown,
    permits: Arc<Semaphore>,
    /// What each client has of them.
    slots: Arc<Slots>,
}

impl Connections {
    fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            builder: Arc::new(builder()),
            graceful: GracefulShutdown::new(),
            permits: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
            slots: Slots::new(limits::CONNECTIONS_MAX, 0),
        }
    }

    /// Accepts connections for as long as it is polled. Past the limit, new ones wait in the
    /// system's queue; those of a client that has its share already are closed.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let permit = self.permit().await;
            match listener.accept().await {
                Ok((stream, address)) => {
                    // Small parts of a response must not wait for the client's acknowledgements.
                    let _ = stream.set_nodelay(true);
                    let client = match self.service.is_proxy(address.ip()) {
                        true => None,
                        false => match self.slots.try_take(connecting(address)) {
                            Some(slot) => Some(slot),
                            None => continue,
                        },
                    };
                    self.serve(stream, Peer::Network(address), (permit, client));
                }
                Err(error) => pause_after(error).await,
            }
        }
    }

    async fn accept_operator(&self, socket: &OperatorSocket) {
        loop {
            match socket.listener().accept().await {
                Ok((stream, _)) => self.serve(stream, Peer::Operator, (self.permit().await, None)),
                Err(error) => pause_after(error).await,
            }
        }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        let permit = self.permits.clone().acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    fn serve<S>(&self, stream: S, peer: Peer, place: Place)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = self.service.clone();
        let answer = service_fn(move |request: http::Request<Incoming>| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.answer(peer, with_body(request)).await) }
        });
        let stream = TokioIo::new(Connection::new(stream));
        let connection = self.builder.serve_connection(stream, answer).into_owned();
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }

    /// Lets every connection finish the response that it is at.
    async fn finish(self, grace: Duration) {
        if tokio::time::timeout(grace, self.graceful.shutdown()).await.is_err() {
            tracing::warn!(seconds = grace.as_secs(), "transfers were cut at the end of the grace time");
        }
    }
}

/// Who opens a connection: those behind one address cannot be told apart yet.
fn connecting(address: SocketAddr) -> Asker {
    Asker { client: Client::of(address.ip()), voice: None }
}

fn with_body(request: http::Request<Incoming>) -> http::Request<Body> {
    use http_body::Body as _;
    let asks_first = request.headers().contains_key(EXPECT);
    request.map(|body| match body.is_end_stream() {
        true => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        false => RequestBody::new(body, asks_first).boxed_unsync(),
    })
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_READ_MAX)
        .max_headers(limits::HEADERS_MAX)
        .max_buf_size(limits::HEADER_BYTES_MAX)
        .half_close(false)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits::HEADER_BYTES_MAX as u32)
        .max_concurrent_streams(limits::STREAMS_MAX)
        .keep_alive_interval(limits::HEADER_READ_MAX)
        .keep_alive_timeout(limits::HEADER_READ_MAX)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES);
    builder
}

/// Running out of file descriptors passes; asking again at once only burns time.
async fn pause_after(error: io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(PAUSE).await;
}
