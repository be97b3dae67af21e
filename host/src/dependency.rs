//! A component that others call: the one that owns what they share.
//!
//! It runs as one long-lived instance in a store of its own, and calls to it happen one after the
//! other, so it needs no locks and can keep what it knows in memory. Interfaces that the manifest
//! lists as `pooled` are answered beside it by further instances of the same component, for work
//! that is slow and touches nothing shared.
//!
//! A call goes on when its caller is gone: the instance is never left in the middle of one. If it
//! traps or takes too long, that call fails and the next one meets a fresh instance. The caller
//! traps with it, but for interfaces that the manifest lists as `contained`: their functions return
//! a string where they fail, and a call that has no result at all counts as one that failed.

use crate::clock::Clock;
use crate::guest::{self, Guest};
use crate::limits::INSTANCE_IDLE_MAX;
use crate::manifest::Component as Declaration;
use crate::memory::Memory;
use crate::run_to_end::RunToEnd;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, InstancePre, Linker, Val};
use wasmtime::{Engine, Store};

/// A component that others depend on, running.
pub struct Dependency {
    declaration: Arc<Declaration>,
    engine: Engine,
    clock: Arc<Clock>,
    memory: Arc<Memory>,
    linker: Linker<Guest>,
    /// Replaced as a whole when the component is swapped.
    code: RwLock<Arc<Code>>,
    /// The functions that others import, by their ids.
    functions: Mutex<Functions>,
    single: tokio::sync::Mutex<Option<Live>>,
    pool: Mutex<Vec<Idle>>,
    pool_slots: Arc<Semaphore>,
}

/// A function of a dependency, looked up once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionId {
    index: usize,
    is_pooled: bool,
    is_contained: bool,
    result_count: usize,
}

/// Why a call gave no result.
#[derive(Debug, Error)]
pub enum CallError {
    #[error("the component `{component}` could not start: {error:#}")]
    NotStarted { component: String, error: wasmtime::Error },
    #[error("the component `{component}` failed: {error:#}")]
    Trapped { component: String, error: wasmtime::Error },
    #[error("the component `{component}` took longer than its request-seconds-max, {seconds} s")]
    TimedOut { component: String, seconds: u64 },
}

/// Why a component does not offer what others import from it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OfferError {
    #[error("the component `{component}` does not export the interface `{interface}`")]
    NoInterface { component: String, interface: String },
    #[error("the interface `{interface}` of the component `{component}` has no function `{function}`")]
    NoFunction { component: String, interface: String, function: String },
    #[error(
        "the function `{function}` of the interface `{interface}` of the component `{component}` cannot be \
         contained: it does not return a result whose error is a string"
    )]
    NotContained { component: String, interface: String, function: String },
}

#[derive(Default)]
struct Functions {
    ids: HashMap<(String, String), FunctionId>,
    names: Vec<(String, String)>,
}

struct Code {
    component: Component,
    pre: InstancePre<Guest>,
    /// Where the functions are, by the indices of their ids.
    exports: RwLock<Vec<ComponentExportIndex>>,
}

/// An instance of the pool without work.
struct Idle {
    live: Live,
    since: Instant,
}

struct Live {
    store: Store<Guest>,
    instance: Instance,
    code: Arc<Code>,
    /// By the indices of their ids; filled as they are called.
    functions: Vec<Option<Func>>,
}

impl Dependency {
    /// Makes the dependency. Its instance starts at the first call.
    pub fn new(
        (engine, clock): (&Engine, &Arc<Clock>),
        memory: &Arc<Memory>,
        linker: &Linker<Guest>,
        declaration: Arc<Declaration>,
        component: Component,
    ) -> wasmtime::Result<Self> {
        let code = Code::new(linker, component)?;
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
        Ok(Self {
            declaration,
            engine: engine.clone(),
            clock: clock.clone(),
            memory: memory.clone(),
            linker: linker.clone(),
            code: RwLock::new(Arc::new(code)),
            functions: Mutex::default(),
            single: tokio::sync::Mutex::new(None),
            pool: Mutex::default(),
            pool_slots: Arc::new(Semaphore::new(processors)),
        })
    }

    /// The component's name in the manifest.
    pub fn name(&self) -> &str {
        &self.declaration.name
    }

    /// Whether the component exports the interface, which is named with package and version.
    pub fn exports(&self, interface: &str) -> bool {
        self.code().component.get_export_index(None, interface).is_some()
    }

    /// Looks a function up. `interface` is named with package and version, `lithe:forge/access@0.1.0`.
    pub fn function(&self, interface: &str, function: &str) -> Result<FunctionId, OfferError> {
        let mut functions = lock(&self.functions);
        let key = (interface.to_owned(), function.to_owned());
        if let Some(id) = functions.ids.get(&key) {
            return Ok(*id);
        }
        let code = self.code();
        let short_name = interface.split(['/', '@']).nth(1).unwrap_or(interface);
        let is_listed = |interfaces: &[String]| interfaces.iter().any(|listed| listed == short_name);
        let is_pooled = is_listed(&self.declaration.pooled);
        let is_contained = is_listed(&self.declaration.contained);
        let (export, result_count) = code.find(self.name(), &key, is_contained)?;
        let id = FunctionId { index: functions.names.len(), is_pooled, is_contained, result_count };
        functions.names.push(key.clone());
        functions.ids.insert(key, id);
        code.exports.write().unwrap_or_else(PoisonError::into_inner).push(export);
        Ok(id)
    }

    /// Replaces the component. Calls that began finish in the former one; the next meets the new.
    pub fn swap(&self, component: Component) -> Result<(), SwapError> {
        let functions = lock(&self.functions);
        let code = Code::new(&self.linker, component).map_err(SwapError::NotLinked)?;
        let export = |key| {
            let is_contained = functions.ids[key].is_contained;
            code.find(self.name(), key, is_contained).map(|(export, _)| export)
        };
        let exports: Result<_, _> = functions.names.iter().map(export).collect();
        *code.exports.write().unwrap_or_else(PoisonError::into_inner) = exports?;
        *self.code.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(code);
        lock(&self.pool).clear();
        Ok(())
    }

    /// Calls a function. The caller may go away meanwhile; a call that has begun goes on. `is_in_line` is set while
    /// it waits for an instance of the pool.
    pub async fn call(
        self: &Arc<Self>,
        function: FunctionId,
        parameters: Vec<Val>,
        is_in_line: &AtomicBool,
    ) -> Result<Vec<Val>, CallError> {
        let slot = match function.is_pooled {
            true => {
                is_in_line.store(true, Ordering::Relaxed);
                let slot = self.pool_slots.clone().acquire_owned().await;
                is_in_line.store(false, Ordering::Relaxed);
                Some(slot.expect("the semaphore is never closed"))
            }
            false => None,
        };
        let dependency = self.clone();
        let call = async move {
            let _working = dependency.clock.work();
            let results = match slot {
                Some(slot) => dependency.call_pooled(slot, function, &parameters).await,
                None => dependency.call_single(function, &parameters).await,
            };
            results.or_else(|error| if function.is_contained { Ok(error.contained()) } else { Err(error) })
        };
        RunToEnd::new(call).await
    }

    /// Drops instances of the pool that have had no work for a while.
    pub fn drop_idle(&self) {
        let is_fresh = |idle: &Idle| idle.since.elapsed() < INSTANCE_IDLE_MAX;
        let expired: Vec<Idle> = lock(&self.pool).extract_if(.., |idle| !is_fresh(idle)).collect();
        drop(expired);
    }

    async fn call_single(&self, function: FunctionId, parameters: &[Val]) -> Result<Vec<Val>, CallError> {
        let mut single = self.single.lock().await;
        let code = self.code();
        // The former instance goes first: it may hold what the new one needs to open.
        let kept = single.take().filter(|live| Arc::ptr_eq(&live.code, &code));
        let mut live = match kept {
            Some(live) => live,
            None => self.start(code).await?,
        };
        let results = self.call_in(&mut live, function, parameters).await?;
        *single = Some(live);
        Ok(results)
    }

    async fn call_pooled(
        &self,
        _slot: OwnedSemaphorePermit,
        function: FunctionId,
        parameters: &[Val],
    ) -> Result<Vec<Val>, CallError> {
        let code = self.code();
        let kept = lock(&self.pool).pop().map(|idle| idle.live);
        let mut live = match kept.filter(|live| Arc::ptr_eq(&live.code, &code)) {
            Some(live) => live,
            None => self.start(code).await?,
        };
        let results = self.call_in(&mut live, function, parameters).await?;
        if live.store.data().memory_bytes() <= self.declaration.limits.kept_bytes_max {
            lock(&self.pool).push(Idle { live, since: Instant::now() });
        }
        Ok(results)
    }

    async fn start(&self, code: Arc<Code>) -> Result<Live, CallError> {
        let start = async {
            let mut store = guest::store(&self.engine, &self.memory, &self.declaration)?;
            let instance = code.pre.instantiate_async(&mut store).await?;
            wasmtime::Result::Ok((store, instance))
        };
        let limit = self.declaration.limits.request_time_max;
        let (store, instance) = tokio::time::timeout(limit, start)
            .await
            .map_err(|_| self.timed_out())?
            .map_err(|error| CallError::NotStarted { component: self.name().to_owned(), error })?;
        Ok(Live { store, instance, code, functions: Vec::new() })
    }

    /// Calls a function in an instance, which is lost if that fails.
    async fn call_in(
        &self,
        live: &mut Live,
        function: FunctionId,
        parameters: &[Val],
    ) -> Result<Vec<Val>, CallError> {
        let trapped = |error| CallError::Trapped { component: self.name().to_owned(), error };
        let callee = live.function(function).map_err(trapped)?;
        let mut results = vec![Val::Bool(false); function.result_count];
        let call = callee.call_async(&mut live.store, parameters, &mut results);
        tokio::time::timeout(self.declaration.limits.request_time_max, call)
            .await
            .map_err(|_| self.timed_out())?
            .map_err(trapped)?;
        Ok(results)
    }

    fn timed_out(&self) -> CallError {
        CallError::TimedOut {
            component: self.name().to_owned(),
            seconds: self.declaration.limits.request_time_max.as_secs(),
        }
    }

    fn code(&self) -> Arc<Code> {
        self.code.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why a dependency could not be replaced.
#[derive(Debug, Error)]
pub enum SwapError {
    #[error("{0:#}")]
    NotLinked(wasmtime::Error),
    #[error(transparent)]
    Offer(#[from] OfferError),
}

impl Code {
    fn new(linker: &Linker<Guest>, component: Component) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(&component)?;
        Ok(Self { component, pre, exports: RwLock::default() })
    }

    /// Finds a function, and how many results it has.
    fn find(
        &self,
        component: &str,
        (interface, function): &(String, String),
        is_contained: bool,
    ) -> Result<(ComponentExportIndex, usize), OfferError> {
        let (_, instance) = self.component.get_export(None, interface).ok_or_else(|| {
            OfferError::NoInterface { component: component.to_owned(), interface: interface.clone() }
        })?;
        let export = self.component.get_export(Some(&instance), function);
        match export {
            Some((ComponentItem::ComponentFunc(ty), _)) if is_contained && !can_be_contained(&ty) => {
                Err(OfferError::NotContained {
                    component: component.to_owned(),
                    interface: interface.clone(),
                    function: function.clone(),
                })
            }
            Some((ComponentItem::ComponentFunc(ty), index)) => Ok((index, ty.results().len())),
            _ => Err(OfferError::NoFunction {
                component: component.to_owned(),
                interface: interface.clone(),
                function: function.clone(),
            }),
        }
    }
}

/// Whether a function returns a result whose error is a string.
fn can_be_contained(function: &ComponentFunc) -> bool {
    let mut results = function.results();
    let first = results.next();
    results.next().is_none()
        && matches!(first, Some(Type::Result(result)) if result.err() == Some(Type::String))
}

impl CallError {
    /// The result of a contained call that has none. What happened goes to the log; the caller is
    /// told in words that may go on to anybody.
    fn contained(self) -> Vec<Val> {
        tracing::error!(error = %self, "a call failed");
        let words = match self {
            Self::NotStarted { component, .. } => format!("the component `{component}` could not start"),
            Self::Trapped { component, .. } => format!("the component `{component}` failed"),
            Self::TimedOut { component, seconds } => {
                format!("the component `{component}` took longer than {seconds} s")
            }
        };
        vec![Val::Result(Err(Some(Box::new(Val::String(words)))))]
    }
}

impl Live {
    fn function(&mut self, id: FunctionId) -> wasmtime::Result<Func> {
        if let Some(Some(function)) = self.functions.get(id.index) {
            return Ok(*function);
        }
        let export = self.code.exports.read().unwrap_or_else(PoisonError::into_inner)[id.index];
        let function = self
            .instance
            .get_func(&mut self.store, export)
            .ok_or_else(|| wasmtime::format_err!("an export is no function"))?;
        if self.functions.len() <= id.index {
            self.functions.resize(id.index + 1, None);
        }
        self.functions[id.index] = Some(function);
        Ok(function)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
