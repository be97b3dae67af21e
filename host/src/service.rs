//! From a request to its answer: what is checked before a component sees it, the headers that it
//! can rely on, and the line in the access log.

use crate::answer::Answer;
use crate::body::{Body, BodyError};
use crate::budget::Budgets;
use crate::feature::{Failure, RequestContext};
use crate::forwarded::{Origin, is_among, origin};
use crate::limits;
use crate::operator::Operator;
use crate::request_id::RequestIds;
use crate::runtime::Runtime;
use crate::slots::{Asker, Client};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HOST, SERVER, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use ipnet::IpNet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Answers requests.
pub struct Service {
    runtime: Arc<Runtime>,
    operator: Option<Operator>,
    trusted_proxies: Vec<IpNet>,
    /// What clients have cost; none: it is not counted.
    budgets: Option<Budgets>,
    ids: RequestIds,
    /// With a secret of its own, so that nobody can speak with the voice of another.
    hasher: RandomState,
}

/// By which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Over TCP, from this address.
    Network(SocketAddr),
    /// Over the operator's socket, or from within the process: from whoever runs the server.
    Operator,
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static CLIENT_ADDRESS: HeaderName = HeaderName::from_static("spin-client-addr");
static FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
static PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
static MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
/// In how many seconds the client may ask for what costs something; 0 is now.
static BUDGET: HeaderName = HeaderName::from_static("lithe-budget");
/// What an answer has cost, in points. For the host alone.
static COST: HeaderName = HeaderName::from_static("lithe-cost");

impl Service {
    pub fn new(runtime: Arc<Runtime>, trusted_proxies: Vec<IpNet>, budgets: Option<Budgets>) -> Self {
        let operator = runtime.operator();
        Self {
            runtime,
            operator,
            trusted_proxies,
            budgets,
            ids: RequestIds::new(),
            hasher: RandomState::new(),
        }
    }

    /// The application that answers.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Whether an address is that of a proxy, which speaks for many clients.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        is_among(address, &self.trusted_proxies)
    }

    /// Answers a request. The response is logged when its body has ended.
    pub async fn answer(&self, peer: Peer, mut request: Request<Body>) -> Response<Body> {
        let mut log = AccessLog::new(self.ids.next(), &request);
        let (client, origin) = self.origin(peer, request.headers());
        let mut response = match self.forward(origin, &mut request, &mut log) {
            Ok(destination) => self.dispatch(client, request, destination, &mut log).await,
            Err(answer) => answer.into_response(&log.id),
        };
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID.clone(), header_value(&log.id));
        headers.insert(SERVER, HeaderValue::from_static("lithe"));
        log.status = response.status();
        response.map(|body| LoggedBody::new(body, log).boxed_unsync())
    }

    /// Who asks, and from where.
    fn origin(&self, peer: Peer, headers: &HeaderMap) -> (Client, Origin) {
        match peer {
            Peer::Network(address) => {
                let origin = origin(address, headers, &self.trusted_proxies);
                (Client::of(origin.address), origin)
            }
            Peer::Operator => {
                let address = Ipv4Addr::LOCALHOST.into();
                let client = "local".to_owned();
                (Client::Operator, Origin { address, client, is_https: false, authority: None })
            }
        }
    }

    /// Checks a request, finds what answers it, and gives it the headers that components rely on.
    fn forward(
        &self,
        origin: Origin,
        request: &mut Request<Body>,
        log: &mut AccessLog,
    ) -> Result<crate::runtime::Destination<'_>, Answer> {
        log.client.clone_from(&origin.client);
        check(request)?;
        let authority = match origin.authority {
            Some(authority) => authority,
            None => requested_authority(request)?,
        };
        let destination = self
            .runtime
            .find(request.uri().path())
            .ok_or_else(|| Answer::new(StatusCode::NOT_FOUND, "Nothing answers this path"))?;
        log.component = destination.feature.name().to_owned();

        let scheme = if origin.is_https { "https" } else { "http" };
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let full_url = format!("{scheme}://{authority}{target}");
        let target = target.to_owned();
        let headers = request.headers_mut();
        strip(headers);
        headers.insert(CLIENT_ADDRESS.clone(), header_value(&origin.client));
        headers.insert(FULL_URL.clone(), header_value(&full_url));
        headers.insert(PATH_INFO.clone(), header_value(&destination.rest));
        headers.insert(MATCHED_ROUTE.clone(), header_value(destination.route));
        headers.insert(REQUEST_ID.clone(), header_value(&log.id));
        headers.remove(HOST);
        *request.uri_mut() = Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(target)
            .build()
            .map_err(|_| bad_request("The address of the request is not valid"))?;
        Ok(destination)
    }

    async fn dispatch(
        &self,
        client: Client,
        mut request: Request<Body>,
        destination: crate::runtime::Destination<'_>,
        log: &mut AccessLog,
    ) -> Response<Body> {
        if client == Client::Operator
            && let Err(answer) = self.authorize(request.headers_mut()).await
        {
            return answer.into_response(&log.id);
        }
        let budgets = self.budgets.as_ref().filter(|_| client != Client::Operator);
        if let Some(budgets) = budgets {
            let wait = HeaderValue::from(budgets.wait_seconds(client));
            request.headers_mut().insert(BUDGET.clone(), wait);
        }
        let asker = Asker { client, voice: Some(self.voice(request.headers())) };
        let context = RequestContext { id: log.id.clone(), route: destination.route.to_owned(), asker };
        let mut response = match destination.feature.handle(context, request).await {
            Ok(response) => response,
            Err(failure) => explain(&failure).into_response(&log.id),
        };
        let cost = response.headers_mut().remove(&COST);
        let points = cost.and_then(|cost| cost.to_str().ok()?.parse().ok());
        if let (Some(budgets), Some(points)) = (budgets, points) {
            budgets.charge(client, points);
        }
        response
    }

    /// Tells those behind one address apart, as far as their requests do.
    fn voice(&self, headers: &HeaderMap) -> u64 {
        let said =
            [AUTHORIZATION, COOKIE, USER_AGENT].map(|name| headers.get(name).map(HeaderValue::as_bytes));
        self.hasher.hash_one(said)
    }

    /// Makes a request one of the operator's, whatever it said about who makes it.
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), Answer> {
        headers.remove(AUTHORIZATION);
        let Some(operator) = &self.operator else {
            return Ok(());
        };
        let token = operator.token().await.map_err(|error| {
            tracing::error!(%error, "no operator's token");
            Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "The operator has no access; the log says why")
        })?;
        let mut value = header_value(&format!("Bearer {token}"));
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

fn check(request: &Request<Body>) -> Result<(), Answer> {
    if request.method() == Method::CONNECT || !request.uri().path().starts_with('/') {
        return Err(bad_request("The target of the request has to be a path"));
    }
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > limits::TARGET_BYTES_MAX {
        let text = format!("The address of the request is longer than {} bytes", limits::TARGET_BYTES_MAX);
        return Err(Answer::new(StatusCode::URI_TOO_LONG, text));
    }
    match is_encoded(target) {
        true => Ok(()),
        false => Err(bad_request("The address of the request is not valid")),
    }
}

/// Whether every `%` begins an encoded byte (RFC 3986, section 2.1).
fn is_encoded(target: &str) -> bool {
    target
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// The host and port that the client asked: in the target, or in `Host` (RFC 9112, section 3.2).
fn requested_authority(request: &Request<Body>) -> Result<Authority, Answer> {
    let invalid = || bad_request("The request has to name one valid host");
    if let Some(authority) = request.uri().authority() {
        return match authority.as_str().contains('@') {
            true => Err(invalid()),
            false => Ok(authority.clone()),
        };
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let authority = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse().ok()),
        (None, _) if request.version() <= Version::HTTP_10 => Some(Authority::from_static("localhost")),
        _ => None,
    };
    authority.filter(|authority: &Authority| !authority.as_str().contains('@')).ok_or_else(invalid)
}

/// Removes what only the host may say.
fn strip(headers: &mut HeaderMap) {
    let is_ours =
        |name: &HeaderName| name.as_str().starts_with("spin-") || name.as_str().starts_with("lithe-");
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_ours(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn explain(failure: &Failure) -> Answer {
    match failure {
        Failure::Busy { .. } | Failure::NoTurn | Failure::NoMemory(_) => Answer {
            retry_after: Some(limits::RETRY_AFTER_SECONDS),
            ..Answer::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy; try again in a moment")
        },
        Failure::TimedOut { seconds } => Answer::new(
            StatusCode::GATEWAY_TIMEOUT,
            format!("The request took longer than the {seconds} seconds that it may (request-seconds-max)"),
        ),
        Failure::Failed(_) | Failure::Ended => {
            Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here; the log says what")
        }
    }
}

fn bad_request(text: &str) -> Answer {
    Answer::new(StatusCode::BAD_REQUEST, text)
}

/// A header value of what came from a valid request or from the manifest.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What the access log says about a request. Written when it is dropped.
struct AccessLog {
    id: String,
    method: Method,
    path: String,
    client: String,
    component: String,
    status: StatusCode,
    bytes: u64,
    is_complete: bool,
    began: Instant,
}

impl AccessLog {
    fn new(id: String, request: &Request<Body>) -> Self {
        Self {
            id,
            method: request.method().clone(),
            // Never the query: it may carry what was meant for the component alone.
            path: request.uri().path().to_owned(),
            client: String::new(),
            component: String::new(),
            status: StatusCode::OK,
            bytes: 0,
            is_complete: false,
            began: Instant::now(),
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        tracing::info!(
            target: "access",
            method = %self.method,
            path = self.path,
            status = self.status.as_u16(),
            bytes = self.bytes,
            ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            client = self.client,
            component = self.component,
            request = self.id,
            complete = self.is_complete,
        );
    }
}

/// A response's body that is logged when it has ended.
struct LoggedBody {
    body: Body,
    /// How many bytes it has, if it says so.
    length: Option<u64>,
    log: AccessLog,
}

impl LoggedBody {
    fn new(body: Body, mut log: AccessLog) -> Self {
        let length = body.size_hint().exact();
        // What has no body is never read.
        log.is_complete = log.method == Method::HEAD || length == Some(0);
        Self { body, length, log }
    }
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                self.log.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // Past the length that was announced, the body is not asked for its end.
                self.log.is_complete = self.length == Some(self.log.bytes);
            }
            Some(Err(error)) => {
                tracing::debug!(request = self.log.id, %error, "response cut");
            }
            None => self.log.is_complete = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_have_to_encode_something() {
        for target in ["/", "/%2F", "/%00%ff?%41", "/a?b=%2f"] {
            assert!(is_encoded(target), "{target}");
        }
        for target in ["/%", "/%2", "/%2G", "/%%41", "/a?b=%"] {
            assert!(!is_encoded(target), "{target}");
        }
    }

    #[test]
    fn headers_that_only_the_host_may_set_are_removed() {
        let mut headers = HeaderMap::new();
        for name in ["spin-client-addr", "spin-x", "lithe-user", "x-spin", "accept"] {
            headers.append(name, HeaderValue::from_static("x"));
            headers.append(name, HeaderValue::from_static("y"));
        }
        strip(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "x-spin"]);
    }
}
