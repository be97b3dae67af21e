//! The way from the command line to the application: through the server that has the data
//! directory, or else in this process.

use super::arguments::{Common, Import};
use super::import;
use crate::body::{Body, BodyError};
use crate::code::CodeCache;
use crate::data_directory::{DataDirectory, OpenError};
use crate::limits::TOTAL_MEMORY_MIB_DEFAULT;
use crate::manifest::Manifest;
use crate::runtime::Runtime;
use crate::serve::StartError;
use crate::service::{Peer, Service};
use anyhow::Context as _;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use lithe_operator::{Command, Reply};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

const PATH: &str = "/-/admin/operator";
/// The largest reply, in bytes: lists of a great many repositories.
const REPLY_BYTES_MAX: usize = 256 << 20;
/// How long to wait while another command has the data directory.
const TURN_WAIT_MAX: Duration = Duration::from_secs(20);
const TURN_POLL: Duration = Duration::from_millis(50);

/// Sends a command and returns the reply.
pub fn call(common: &Common, command: &Command) -> anyhow::Result<Reply> {
    let body = Full::from(serde_json::to_vec(command)?);
    let request = Request::builder()
        .method(Method::POST)
        .uri(PATH)
        .header(CONTENT_TYPE, "application/json")
        .body(body.map_err(|never| match never {}).boxed_unsync())?;
    send(common, request)
}

/// Sends a local repository.
pub fn import(common: &Common, options: &Import) -> anyhow::Result<Reply> {
    let repository = import::find(&options.local)?;
    let object_format = import::object_format(&repository)?.name();
    let target = format!(
        "{PATH}/import?path={}&private={}&object-format={object_format}",
        encode(&options.path),
        options.private
    );
    let request = Request::builder()
        .method(Method::PUT)
        .uri(target)
        .header(CONTENT_TYPE, "application/x-tar")
        .body(import::archive(repository))?;
    send(common, request)
}

fn send(common: &Common, mut request: Request<Body>) -> anyhow::Result<Reply> {
    request.headers_mut().insert(HOST, http::HeaderValue::from_static("localhost"));
    super::serve::log_warnings();
    super::serve::runtime(super::serve::THREADS_PER_PROCESSOR, 0)?.block_on(async {
        match connect(common).await? {
            Way::Socket(socket) => over_socket(&socket, request).await,
            Way::InProcess(application) => {
                reply(application.service.answer(Peer::Operator, request).await).await
            }
        }
    })
}

enum Way {
    /// A server has the data directory.
    Socket(PathBuf),
    /// This process has it.
    InProcess(Application),
}

/// The application on a data directory, for one command.
struct Application {
    service: Service,
    /// Given back after the application has ended.
    _data: DataDirectory,
}

impl Application {
    fn open(common: &Common) -> Result<Self, StartError> {
        let data = DataDirectory::open(&common.data)?;
        let manifest =
            Manifest::read(&common.manifest(), data.path())?.in_run(&data.run(), data.path()).for_command();
        let cache = CodeCache::new(&common.code_cache.clone().unwrap_or_else(|| data.code_cache()));
        let runtime = Runtime::load(manifest, cache, &[], TOTAL_MEMORY_MIB_DEFAULT << 20)?;
        Ok(Self { service: Service::new(Arc::new(runtime), Vec::new(), None), _data: data })
    }
}

async fn connect(common: &Common) -> anyhow::Result<Way> {
    let began = Instant::now();
    loop {
        match Application::open(common) {
            Ok(application) => return Ok(Way::InProcess(application)),
            Err(StartError::Data(OpenError::InUse { owner, .. }))
                if owner.socket.is_some() || began.elapsed() < TURN_WAIT_MAX =>
            {
                match owner.socket {
                    Some(socket) => return Ok(Way::Socket(socket)),
                    // A server that starts, or another command: each takes a moment.
                    None => tokio::time::sleep(TURN_POLL).await,
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn over_socket(socket: &Path, request: Request<Body>) -> anyhow::Result<Reply> {
    let stream = UnixStream::connect(socket)
        .await
        .with_context(|| format!("the server does not answer at {}", socket.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.context("the server gave no answer")?;
    let reply = reply(response.map(|body| body.map_err(BodyError::Connection))).await;
    connection.abort();
    reply
}

async fn reply<B>(response: http::Response<B>) -> anyhow::Result<Reply>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = response.status();
    let body = Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer was cut short: {error}"))?.to_bytes();
    match serde_json::from_slice(&body) {
        Ok(reply) => Ok(reply),
        Err(_) => {
            let text = String::from_utf8_lossy(&body);
            anyhow::bail!("the server answered {status}: {}", text.lines().next().unwrap_or_default())
        }
    }
}

/// Encodes what goes into a query (RFC 3986, section 2.3).
fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(encode("team/a b&c=ä%"), "team/a%20b%26c%3D%C3%A4%25");
    }
}
