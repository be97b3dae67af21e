//! A component that answers requests, and its pool of instances.
//!
//! An instance works on one request at a time, from its headers to the last byte of the response:
//! a guest that reads a file holds its whole store, so two requests in one would wait for each
//! other. Parallel requests get instances of their own, up to the component's `requests-max`; a
//! few more wait in line, and the rest is told to come again.
//!
//! A trap, or a limit overrun, costs the one request and the one instance.

use crate::body::{Body, BodyError, CollectedBody, GuestBody, Outcome};
use crate::clock::Clock;
use crate::guest::{self, Guest, Progress};
use crate::limits;
use crate::link::LinkError;
use crate::manifest::{Component as Declaration, Limits};
use crate::memory::Memory;
use crate::run_to_end::RunToEnd;
use crate::slots::{Asker, Client, Slot, Slots};
use crate::turns::{Turn, Turns};
use futures::channel::oneshot;
use http::Method;
use http::header::CONTENT_LENGTH;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{AsContextMut, Engine, Store};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// What all components share.
#[derive(Clone)]
pub struct Shared {
    pub engine: Engine,
    pub clock: Arc<Clock>,
    pub memory: Arc<Memory>,
    turns: Arc<Turns>,
    /// Bytes of responses that may still be collected.
    collected: Arc<Semaphore>,
}

impl Shared {
    /// All instances together have at most so many bytes of linear memory.
    pub fn new((engine, clock): (Engine, Clock), memory_bytes_max: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
        Self {
            engine,
            clock: Arc::new(clock),
            memory: Memory::new(memory_bytes_max),
            turns: Arc::new(Turns::new(processors)),
            collected: Arc::new(Semaphore::new(limits::COLLECTED_BYTES_TOTAL_MAX)),
        }
    }
}

/// A component that answers requests.
pub struct Feature {
    declaration: Arc<Declaration>,
    shared: Shared,
    pre: ProxyPre<Guest>,
    slots: Arc<Slots>,
    idle: Mutex<Vec<Idle>>,
}

/// Why a request got no response.
#[derive(Debug, Error)]
pub enum Failure {
    /// All slots are taken and the line is full, or the wait was too long.
    #[error("the component works on requests-max = {requests_max} requests already")]
    Busy { requests_max: usize },
    /// Other requests kept the processors busy for too long.
    #[error("no turn at the processors within {} s", limits::TURN_WAIT_MAX.as_secs())]
    NoTurn,
    /// All instances together have no more memory.
    #[error("there is no memory left for the component: {0:#}")]
    NoMemory(wasmtime::Error),
    /// The guest did not begin its response in time.
    #[error("no response within request-seconds-max = {seconds} s")]
    TimedOut { seconds: u64 },
    /// The guest trapped, or returned an error in place of a response.
    #[error("{0:#}")]
    Failed(wasmtime::Error),
    /// The guest's task ended without a word. What ended it is in the log.
    #[error("the instance ended without a response")]
    Ended,
}

/// An instance between two requests.
struct Idle {
    instance: Instance,
    since: Instant,
}

struct Instance {
    store: Store<Guest>,
    proxy: Proxy,
    served: u32,
}

/// What a feature has to know about a request besides the request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Its name in the log.
    pub id: String,
    /// The pattern that led here.
    pub route: String,
    /// Who asks. Whoever runs the server may have it work for as long as a transfer may take:
    /// imports and checks answer at their end.
    pub asker: Asker,
}

impl Feature {
    /// Makes the feature. Instances start as requests come.
    pub fn new(
        shared: &Shared,
        linker: &Linker<Guest>,
        declaration: Arc<Declaration>,
        component: &Component,
    ) -> Result<Arc<Self>, LinkError> {
        let component_name = || declaration.name.clone();
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| LinkError::NotLinked { component: component_name(), error })?;
        let pre = ServicePre::new(pre).map_err(|_| LinkError::NoHandler { component: component_name() })?;
        let requests_max = declaration.limits.requests_max;
        let feature = Arc::new(Self {
            shared: shared.clone(),
            pre: ProxyPre::P3(pre),
            slots: Slots::new(requests_max, requests_max * limits::QUEUE_FACTOR_MAX),
            idle: Mutex::default(),
            declaration,
        });
        Ok(feature)
    }

    /// The component's name in the manifest.
    pub fn name(&self) -> &str {
        &self.declaration.name
    }

    /// Passes a request to an instance and returns the response as soon as its headers are there.
    ///
    /// The request's slot is free again once the body of the response has ended or was dropped and
    /// the guest has finished.
    pub async fn handle(
        self: &Arc<Self>,
        context: RequestContext,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, Failure> {
        let requests_max = self.declaration.limits.requests_max;
        let asker = context.asker;
        let slot =
            self.slots.take(asker, limits::QUEUE_WAIT_MAX).await.ok_or(Failure::Busy { requests_max })?;
        let has_body = !request.body().is_end_stream();
        let is_head = request.method() == Method::HEAD;
        let turn = match has_body || asker.client == Client::Operator {
            true => None,
            false => Some(self.shared.turns.take(asker).await.ok_or(Failure::NoTurn)?),
        };
        let (sender, mut receiver) = oneshot::channel();
        let (outcome, watch) = Outcome::new();
        // A guest that reads what a client sends works beside the connection that brings it.
        let work = Work { feature: self.clone(), context, _slot: slot };
        let mut work = RunToEnd::new(work.run(request, turn, sender, outcome));
        if has_body {
            work.set_apart();
        }
        let response = poll_fn(|context| {
            let begun = Instant::now();
            work.advance(context);
            if begun.elapsed() > limits::STEP_TIME_MAX {
                work.set_apart();
            }
            Pin::new(&mut receiver).poll(context)
        });
        match response.await {
            Ok(Ok(response)) => {
                let response = response.map(|body| GuestBody::new(body, watch, work).boxed());
                // The answer to HEAD has the length of a body that it does not have (RFC 9110, section 9.3.2).
                if is_head { Ok(response) } else { collected(response, &self.shared.collected).await }
            }
            Ok(Err(error)) => Err(Failure::Failed(error)),
            Err(oneshot::Canceled) => {
                if !work.is_done() {
                    work.await;
                }
                Err(watch.failure().unwrap_or(Failure::Ended))
            }
        }
    }

    /// Drops instances that have had no work for a while.
    pub fn drop_idle(&self) {
        let is_fresh = |idle: &Idle| idle.since.elapsed() < limits::INSTANCE_IDLE_MAX;
        let expired: Vec<Idle> = self.idle().extract_if(.., |idle| !is_fresh(idle)).collect();
        drop(expired);
    }

    async fn instance(&self) -> Result<Instance, Failure> {
        if let Some(idle) = self.idle().pop() {
            return Ok(idle.instance);
        }
        let mut store = guest::store(&self.shared.engine, &self.shared.memory, &self.declaration)
            .map_err(Failure::Failed)?;
        match self.pre.instantiate_async(&mut store).await {
            Ok(proxy) => Ok(Instance { store, proxy, served: 0 }),
            Err(error) => Err(failure(&store, error)),
        }
    }

    /// Keeps an instance for the next request, unless it has grown too old or too large.
    fn keep(&self, mut instance: Instance) {
        instance.served += 1;
        let is_worn = instance.served >= limits::INSTANCE_REQUESTS_MAX;
        let bytes = instance.store.data().memory_bytes();
        let others = self.shared.memory.used().saturating_sub(bytes);
        let kept_max = self.declaration.limits.kept_bytes_max;
        if is_worn || !is_kept(bytes, others, kept_max) || self.shared.memory.is_scarce() {
            return;
        }
        let mut idle = self.idle();
        // More than have turns were there for a moment only.
        if idle.len() < self.shared.turns.count() {
            idle.push(Idle { instance, since: Instant::now() });
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an instance is kept for the next request that has so many bytes of linear memory, where all others
/// have so many.
///
/// Memories never shrink: where many guests have grown, at work or idle, each that ends makes room.
fn is_kept(bytes: usize, others: usize, kept_max: usize) -> bool {
    let fits = bytes.saturating_add(others) <= limits::INSTANCES_KEPT_BYTES_MAX;
    bytes <= kept_max && (bytes <= limits::INSTANCE_SMALL_BYTES_MAX || fits)
}

/// Takes a small response from its guest, whose instance is free then; the client reads at its own pace.
async fn collected(
    response: http::Response<Body>,
    room: &Arc<Semaphore>,
) -> Result<http::Response<Body>, Failure> {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(length) = length.filter(|length: &u64| *length <= limits::COLLECTED_BYTES_MAX) else {
        return Ok(response);
    };
    let Ok(place) = room.clone().try_acquire_many_owned(length as u32) else {
        return Ok(response);
    };
    let (head, body) = response.into_parts();
    // Why it failed is in the log.
    let body = body.collect().await.map_err(|_| Failure::Ended)?.to_bytes();
    Ok(http::Response::from_parts(head, CollectedBody::new(body, place).boxed_unsync()))
}

/// Why a guest ended.
fn failure(store: &Store<Guest>, error: wasmtime::Error) -> Failure {
    match store.data().lacks_memory() {
        true => Failure::NoMemory(error),
        false => Failure::Failed(error),
    }
}

type ResponseSender = oneshot::Sender<wasmtime::Result<wasmtime_wasi_http::handler::Response>>;

/// One request in the hands of one instance.
struct Work {
    feature: Arc<Feature>,
    context: RequestContext,
    _slot: Slot,
}

impl Work {
    /// `turn`: none if it needs none.
    async fn run(
        self,
        request: http::Request<Body>,
        turn: Option<Turn>,
        sender: ResponseSender,
        mut outcome: Outcome,
    ) {
        let _working = self.feature.shared.clock.work();
        let request = request.map(BodyError::into_wasi);
        let mut instance = match self.start().await {
            Ok(instance) => instance,
            Err(failure) => {
                self.log(&failure);
                return outcome.fail(failure);
            }
        };
        match self.serve(&mut instance, request, turn, sender, &mut outcome).await {
            Ok(()) => self.feature.keep(instance),
            Err(failure) => {
                self.log(&failure);
                // First the word, then the end: whoever reads the body must not take the one for
                // the other.
                outcome.fail(failure);
                drop(instance);
            }
        }
    }

    async fn start(&self) -> Result<Instance, Failure> {
        let limit = self.limits().request_time_max;
        match tokio::time::timeout(limit, self.feature.instance()).await {
            Ok(instance) => instance,
            Err(_) => Err(Failure::TimedOut { seconds: limit.as_secs() }),
        }
    }

    /// Runs the guest until it has finished with the request and the response has been read.
    async fn serve(
        &self,
        instance: &mut Instance,
        request: wasmtime_wasi_http::handler::Request,
        turn: Option<Turn>,
        sender: ResponseSender,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let Instance { store, proxy, .. } = instance;
        let context = store.as_context_mut();
        let prepared = Prepared::new(context, proxy, request, Guest::http, sender);
        let prepared = prepared.map_err(Failure::Failed)?;
        let is_transfer = AtomicBool::new(false);
        let progress = store.data().progress().clone();
        let work = store.run_concurrent(async |accessor| {
            // The response, or what the guest returned in its place, goes to the sender.
            prepared.run(accessor, pending()).await?;
            is_transfer.store(true, Ordering::Relaxed);
            // The host may still have to pump bytes for a guest that has finished.
            outcome.body_ended().await;
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            wasmtime::Result::Ok(())
        });
        let result = self.limited(work, &is_transfer, &progress, turn).await?;
        result.flatten().map_err(|error| failure(store, error))
    }

    /// Polls the work until it is done or its time is over. The turn ends where the response begins.
    ///
    /// The clock is outside of the guest's event loop, which stands still while a guest computes:
    /// that one comes out of it at every tick of the epoch.
    async fn limited<T>(
        &self,
        work: impl Future<Output = T>,
        is_transfer: &AtomicBool,
        progress: &Progress,
        mut turn: Option<Turn>,
    ) -> Result<T, Failure> {
        let limits = self.limits();
        let mut work = pin!(work);
        let mut limit = match self.context.asker.client {
            Client::Operator => limits.request_time_max.max(limits.transfer_time_max),
            Client::Network(_) => limits.request_time_max,
        };
        let mut clock = pin!(tokio::time::sleep(limit));
        let mut turn_clock = pin!(tokio::time::sleep(limits::TURN_TIME_MAX));
        let (mut was_transfer, mut line_ticks) = (false, 0);
        poll_fn(|context| {
            progress.was_interrupted.store(false, Ordering::Relaxed);
            let poll = work.as_mut().poll(context);
            if poll.is_ready() {
                return poll.map(Ok);
            }
            if let Some(held) = &mut turn
                && turn_clock.as_mut().poll(context).is_ready()
            {
                // Who waits for others to compute keeps the turn for a while, so that the line there stays as short.
                line_ticks = if progress.is_in_line.load(Ordering::Relaxed) { line_ticks + 1 } else { 0 };
                let waits = line_ticks == 0 && !progress.was_interrupted.load(Ordering::Relaxed);
                if line_ticks > limits::TURN_LINE_TICKS_MAX || (waits && !held.is_long()) {
                    turn = None;
                } else if !held.is_long() {
                    held.lengthen();
                }
                turn_clock.as_mut().reset(tokio::time::Instant::now() + limits::TURN_TIME_MAX);
                let _ = turn_clock.as_mut().poll(context);
            }
            if !was_transfer && is_transfer.load(Ordering::Relaxed) {
                was_transfer = true;
                turn = None;
                limit = limits.transfer_time_max;
                clock.as_mut().reset(tokio::time::Instant::now() + limit);
            }
            clock.as_mut().poll(context).map(|()| Err(self.timed_out(limit)))
        })
        .await
    }

    fn timed_out(&self, limit: Duration) -> Failure {
        Failure::TimedOut { seconds: limit.as_secs() }
    }

    fn limits(&self) -> &Limits {
        &self.feature.declaration.limits
    }

    fn log(&self, failure: &Failure) {
        let RequestContext { id, route, .. } = &self.context;
        let component = self.feature.name();
        tracing::error!(%component, %route, request = %id, error = %failure, "request failed");
    }
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn large_instances_are_kept_only_where_all_together_are_few() {
        const MIB: usize = 1 << 20;
        let cases = [
            // MiB of its own, of all others, and whether it is kept.
            (1, 0, true),
            (10, 1_000, true),
            (11, 37, true),
            (11, 38, false),
            (24, 24, true),
            (25, 0, false),
        ];
        for (own, others, expected) in cases {
            let is_kept = is_kept(own * MIB, others * MIB, 24 * MIB);
            assert_eq!(is_kept, expected, "{own} MiB beside {others}");
        }
        assert!(!is_kept(5 * MIB, 0, 4 * MIB));
        assert!(!is_kept(usize::MAX, usize::MAX, usize::MAX - 1));
    }
}
