//! What one guest instance has: its mounts, its environment, its memory, and nothing else.

use crate::guest_output::{GuestOutput, Stream};
use crate::limits;
use crate::manifest::{Access, Component as Declaration};
use crate::memory::{Memory, Part};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// The state of a guest on the host's side.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: NoOutboundRequests,
    memory: MemoryLimit,
    progress: Arc<Progress>,
}

/// What a guest is doing, for whoever waits for it.
#[derive(Default)]
pub struct Progress {
    /// It waits for an instance of a dependency that works for others.
    pub is_in_line: AtomicBool,
    /// It computed when the clock ticked.
    pub was_interrupted: AtomicBool,
}

/// Why a mount could not be given.
#[derive(Debug, Error)]
#[error("the directory {} of the mount `{destination}` cannot be used: {error}", source_path.display())]
pub struct MountError {
    destination: String,
    source_path: PathBuf,
    error: io::Error,
}

/// Makes what every guest is linked to: WASI 0.2 for the standard library, WASI 0.3 for HTTP.
///
/// What is linked is not what is granted: that is up to [`store`].
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Makes the directories of a component's writable mounts that are missing, for nobody else to look
/// into: WASI has no modes for what guests create in them, password hashes among it.
pub fn make_writable_mounts(declaration: &Declaration) -> Result<(), MountError> {
    use std::os::unix::fs::DirBuilderExt as _;
    with_mounts(declaration, Access::ReadWrite, |source| {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(source)?;
        // What is there can be served all the same, and guests learn no more than that it failed.
        if let Err(error) = rustix::fs::access(source, rustix::fs::Access::WRITE_OK) {
            let (component, error) = (&declaration.name, io::Error::from(error));
            tracing::warn!(%component, "the directory {} cannot be written: {error}", source.display());
        }
        Ok(())
    })
}

/// Checks that the directories of a component's read-only mounts exist. Some other component may
/// have them writable, so [`make_writable_mounts`] comes first, for all of them.
pub fn check_read_only_mounts(declaration: &Declaration) -> Result<(), MountError> {
    with_mounts(declaration, Access::ReadOnly, |source| match std::fs::metadata(source)?.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    })
}

fn with_mounts(
    declaration: &Declaration,
    access: Access,
    act: impl Fn(&Path) -> io::Result<()>,
) -> Result<(), MountError> {
    for mount in declaration.mounts.iter().filter(|mount| mount.access == access) {
        act(&mount.source).map_err(|error| MountError {
            destination: mount.destination.clone(),
            source_path: mount.source.clone(),
            error,
        })?;
    }
    Ok(())
}

/// Makes a store for one instance of the component.
pub fn store(
    engine: &Engine,
    memory: &Arc<Memory>,
    declaration: &Arc<Declaration>,
) -> wasmtime::Result<Store<Guest>> {
    let mut store = Store::new(engine, Guest::new(memory, declaration)?);
    store.limiter(|guest| &mut guest.memory);
    // A guest that computes on gives way to others at every tick; the first deadline, which would
    // be in the past, would trap it.
    store.epoch_deadline_callback(|guest| {
        guest.data().progress.was_interrupted.store(true, Ordering::Relaxed);
        Ok(UpdateDeadline::Yield(1))
    });
    store.set_epoch_deadline(1);
    Ok(store)
}

impl Guest {
    fn new(memory: &Arc<Memory>, declaration: &Arc<Declaration>) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        // File calls run on the thread that runs the guest. Handing each to another thread and
        // back costs several times what the call itself does, and the runtime has more threads
        // than there are processors, so that others go on meanwhile.
        wasi.allow_blocking_current_thread(true)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .socket_addr_check(|_, _| Box::pin(async { false }))
            .stdout(GuestOutput::new(declaration, Stream::Stdout))
            .stderr(GuestOutput::new(declaration, Stream::Stderr));
        for (name, value) in &declaration.environment {
            wasi.env(name, value);
        }
        for mount in &declaration.mounts {
            let permissions = match mount.access {
                Access::ReadOnly => FsPerms::ReadOnly,
                Access::ReadWrite => FsPerms::ReadWrite,
            };
            if !mount.source.is_dir() {
                // Caches may be deleted at any time, with their directories.
                make_writable_mounts(declaration)?;
            }
            wasi.preopened_dir(&mount.source, &mount.destination, permissions)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::RESOURCES_MAX);
        Ok(Self {
            wasi: wasi.build(),
            table,
            http: WasiHttpCtx::new(),
            hooks: NoOutboundRequests,
            memory: MemoryLimit { part: memory.part(), max: declaration.limits.memory_bytes_max },
            progress: Arc::default(),
        })
    }

    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Linear memory in use, in bytes. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.memory.part.bytes()
    }

    /// Whether it wanted memory when all instances together had no more of it.
    pub fn lacks_memory(&self) -> bool {
        self.memory.part.was_refused()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// No component may make requests of its own.
struct NoOutboundRequests;

type SendResult = wasmtime_wasi_http::Result<(
    http::Response<WasiBody>,
    Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>,
)>;

impl WasiHttpHooks for NoOutboundRequests {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>,
    ) -> Box<dyn Future<Output = SendResult> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}

/// Holds the memories of an instance, all together, below a limit.
struct MemoryLimit {
    part: Part,
    max: usize,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        Ok(self.part.bytes().saturating_add(more) <= self.max && self.part.grow(more))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= limits::TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        limits::CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::MEMORIES_MAX
    }

    fn memories(&self) -> usize {
        limits::MEMORIES_MAX
    }
}
