//! Bodies on their way between the wire and the guests: how they end, and when they take too long.

use crate::feature::Failure;
use crate::limits::{BODY_STALL_MAX, LINGER_BYTES_MAX, LINGER_MAX};
use crate::run_to_end::RunToEnd;
use bytes::Bytes;
use futures::channel::oneshot;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// A body, whichever side it comes from.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended before its end.
#[derive(Debug, Error)]
pub enum BodyError {
    #[error("the component failed before the end of the response")]
    Cut,
    #[error("the component ended the response with an error: {0:?}")]
    Guest(HttpError),
    #[error("the connection failed: {0}")]
    Connection(hyper::Error),
    #[error("what is to be sent cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("no byte of the body for {} s", BODY_STALL_MAX.as_secs())]
    Stalled,
}

impl BodyError {
    /// Turns a body's errors into those that guests know.
    pub fn into_wasi(body: Body) -> WasiBody {
        body.map_err(|error| match error {
            Self::Guest(error) => error,
            Self::Stalled => HttpError::ConnectionReadTimeout,
            Self::Cut | Self::Connection(_) | Self::Unreadable(_) => HttpError::ConnectionTerminated,
        })
        .boxed_unsync()
    }
}

/// The guest's side of a response's fate.
pub struct Outcome {
    fate: Arc<Mutex<Fate>>,
    body: oneshot::Receiver<()>,
}

/// The client's side of it.
pub struct Watch {
    fate: Arc<Mutex<Fate>>,
    /// Dropped when the body has ended.
    _body: oneshot::Sender<()>,
}

#[derive(Default)]
enum Fate {
    #[default]
    Well,
    Failed(Option<Failure>),
}

impl Outcome {
    /// Makes both sides.
    pub fn new() -> (Self, Watch) {
        let fate = Arc::<Mutex<Fate>>::default();
        let (sender, receiver) = oneshot::channel();
        (Self { fate: fate.clone(), body: receiver }, Watch { fate, _body: sender })
    }

    /// Says that the guest failed. To be called before its store is dropped.
    pub fn fail(&self, failure: Failure) {
        *lock(&self.fate) = Fate::Failed(Some(failure));
    }

    /// Waits until the response's body has ended or was dropped, or there is none.
    pub async fn body_ended(&mut self) {
        // Nothing is ever sent: the sender's end is the message.
        let _ = (&mut self.body).await;
    }
}

impl Watch {
    /// Why the guest gave no response.
    pub fn failure(&self) -> Option<Failure> {
        match &mut *lock(&self.fate) {
            Fate::Well => None,
            Fate::Failed(failure) => failure.take(),
        }
    }

    fn has_failed(&self) -> bool {
        matches!(*lock(&self.fate), Fate::Failed(_))
    }
}

fn lock(fate: &Mutex<Fate>) -> std::sync::MutexGuard<'_, Fate> {
    fate.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a guest's response, and what is left of the guest's work.
///
/// When a guest's store goes, so do its streams, and the body would seem to have come to its end.
/// This tells that from the real one, so that the client sees a broken transfer.
///
/// A guest whose response is there at once needs no task of its own: it goes on where its body is
/// read. One that has more to say, or takes its time, gets one, so that it works on while the
/// network has the last part.
pub struct GuestBody {
    /// None after the end.
    reading: Option<Reading>,
    work: RunToEnd<()>,
    has_begun: bool,
}

struct Reading {
    body: WasiBody,
    watch: Watch,
}

impl GuestBody {
    pub fn new(body: WasiBody, watch: Watch, work: RunToEnd<()>) -> Self {
        Self { reading: Some(Reading { body, watch }), work, has_begun: false }
    }

    pub fn boxed(self) -> Body {
        self.boxed_unsync()
    }
}

impl HttpBody for GuestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.work.advance(context);
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let frame = match Pin::new(&mut reading.body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                self.work.set_apart();
                return Poll::Pending;
            }
        };
        let frame = match frame {
            Some(Ok(frame)) => {
                if std::mem::replace(&mut self.has_begun, true) {
                    self.work.set_apart();
                }
                return Poll::Ready(Some(Ok(frame)));
            }
            Some(Err(error)) => Some(Err(BodyError::Guest(error))),
            None => reading.watch.has_failed().then_some(Err(BodyError::Cut)),
        };
        self.reading = None;
        // Most guests have nothing left to do.
        self.work.advance(context);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        // Only the end itself tells whether it is one.
        self.reading
            .as_ref()
            .is_none_or(|reading| reading.body.size_hint().exact() == Some(0) && reading.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.reading.as_ref().map_or_else(|| SizeHint::with_exact(0), |reading| reading.body.size_hint())
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        // What has a known length is not asked for its end, so this is where it is told.
        if self.reading.take().is_some() && !std::thread::panicking() {
            self.work.advance(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// A response that its guest is done with, in the memory that is set aside for such.
pub struct CollectedBody {
    bytes: Full<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl CollectedBody {
    pub fn new(bytes: Bytes, place: OwnedSemaphorePermit) -> Self {
        Self { bytes: Full::new(bytes), _place: place }
    }
}

impl HttpBody for CollectedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.bytes).poll_frame(context).map_err(|never| match never {})
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}

/// The body of a request, as long as the client keeps sending.
///
/// What is left of it when nobody wants it any more is read for a while: a connection that is closed
/// while its client still sends is reset, and the client never sees the answer.
pub struct RequestBody {
    /// None after its end.
    body: Option<Incoming>,
    stall: Pin<Box<Sleep>>,
    is_waiting: bool,
    /// Whether the client waits to be told to send.
    asks_first: bool,
}

impl RequestBody {
    /// `asks_first`: whether the request carries `Expect: 100-continue`.
    pub fn new(body: Incoming, asks_first: bool) -> Self {
        let stall = Box::pin(tokio::time::sleep(BODY_STALL_MAX));
        Self { body: Some(body), stall, is_waiting: false, asks_first }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.asks_first = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.is_waiting = false;
                return Poll::Ready(Some(Ok(frame)));
            }
            Poll::Ready(end) => {
                self.body = None;
                return Poll::Ready(end.map(|frame| frame.map_err(BodyError::Connection)));
            }
            Poll::Pending => {}
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.stall.as_mut().reset(Instant::now() + BODY_STALL_MAX);
        }
        std::task::ready!(self.stall.as_mut().poll(context));
        self.body = None;
        Poll::Ready(Some(Err(BodyError::Stalled)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !self.asks_first && !body.is_end_stream()) else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER_MAX, discard(body)));
        }
    }
}

/// Reads a body to its end, or to the limit.
async fn discard(mut body: Incoming) {
    let mut bytes = 0;
    while bytes <= LINGER_BYTES_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}
