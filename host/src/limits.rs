//! Every limit of the host in one place.
//!
//! What belongs to one component is a setting of the manifest; its default is here. The rest
//! guards the server itself against whoever connects.

use std::time::Duration;

/// The most that one manifest file may have, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;

// --- a component's settings: defaults, and what is accepted ------------------------------------

/// `memory-mib-max`: linear memory of one instance, in MiB.
pub const MEMORY_MIB_DEFAULT: u64 = 128;
/// `kept-mib-max`: linear memory above which an instance is not kept for another request, in MiB: memories never
/// shrink, and one large request must not pin its memory for the small ones after it.
pub const KEPT_MIB_DEFAULT: u64 = 32;
/// The accepted range of both. A 32-bit memory ends at 4 GiB.
pub const MEMORY_MIB_RANGE: std::ops::RangeInclusive<u64> = 1..=4096;

/// Linear memory of all instances together, in MiB, if `--memory-mib-max` does not say.
pub const TOTAL_MEMORY_MIB_DEFAULT: usize = 4096;
/// The accepted range of it. Signing in alone takes some tens.
pub const TOTAL_MEMORY_MIB_RANGE: std::ops::RangeInclusive<usize> = 128..=1 << 20;

/// The accepted range of `every-seconds` of a task.
pub const TASK_SECONDS_RANGE: std::ops::RangeInclusive<u64> = 1..=7 * 24 * 60 * 60;

/// `requests-max`: requests that a component works on at once.
pub const REQUESTS_DEFAULT: u64 = 64;
/// The accepted range of `requests-max`.
pub const REQUESTS_RANGE: std::ops::RangeInclusive<u64> = 1..=1000;

/// `request-seconds-max`: from the request to the response's headers; for a dependency, one call.
pub const REQUEST_SECONDS_DEFAULT: u64 = 30;
/// `transfer-seconds-max`: from the response's headers to the end of its body.
pub const TRANSFER_SECONDS_DEFAULT: u64 = 60;
/// The accepted range of both.
pub const SECONDS_RANGE: std::ops::RangeInclusive<u64> = 1..=86_400;

// --- instances ---------------------------------------------------------------------------------

/// Requests that one instance serves before it makes room for a fresh one.
pub const INSTANCE_REQUESTS_MAX: u32 = 1024;
/// How long an instance without work is kept.
pub const INSTANCE_IDLE_MAX: Duration = Duration::from_secs(20);
/// Linear memory of all instances together, in bytes, above which none but small ones are kept.
pub const INSTANCES_KEPT_BYTES_MAX: usize = 48 << 20;
/// Linear memory in bytes up to which an instance is small: to make it anew would save next to nothing.
pub const INSTANCE_SMALL_BYTES_MAX: usize = 10 << 20;
/// What one client leaves to others of the requests and connections at once: one in so many.
pub const LEFT_TO_OTHERS: usize = 4;
/// Requests that wait for a component which works on `requests-max` already, as a multiple of that.
pub const QUEUE_FACTOR_MAX: usize = 2;
/// How long such a request waits before it is answered with 503.
pub const QUEUE_WAIT_MAX: Duration = Duration::from_secs(5);
/// What `Retry-After` says with such an answer, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 2;
/// Turns at the processors, for each processor: guests that compute at once. More than one, so that a
/// guest that waits for a disk leaves no processor idle.
pub const TURNS_PER_PROCESSOR: usize = 2;
/// How long a guest computes before it makes room for short work, or waits before it gives its turn back.
pub const TURN_TIME_MAX: Duration = Duration::from_millis(50);
/// For how many times that a guest keeps its turn while it waits for an instance of a pool: one that hangs may have it.
pub const TURN_LINE_TICKS_MAX: usize = 20;
/// How long one step of a guest may take, up to where it waits or the epoch advances, beside the connections. One
/// that takes longer computes or waits for a disk, and goes on in threads for that.
pub const STEP_TIME_MAX: Duration = Duration::from_millis(1);
/// A response of at most so many bytes is taken from its guest at once, whatever the client's pace, so that
/// the instance is free for the next request.
pub const COLLECTED_BYTES_MAX: u64 = 1 << 20;
/// Bytes of all such responses together; past it, instances wait for their clients.
pub const COLLECTED_BYTES_TOTAL_MAX: usize = 32 << 20;
/// How long a request waits for a turn before it is answered with 503.
pub const TURN_WAIT_MAX: Duration = Duration::from_secs(20);
/// How often the epoch advances: the time slice of a guest that computes without a pause.
pub const EPOCH_PERIOD: Duration = Duration::from_millis(1);
/// How far the threads of long work stand back behind those of connections (nice(2)): a page that is there at once
/// does not wait for one that takes long. It is a third of a processor against a whole one: long work may hold what
/// pages wait for.
pub const LONG_WORK_NICENESS: i32 = 5;
/// Table elements of one instance.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Core instances of one component instance; a component composed of several has more.
pub const CORE_INSTANCES_MAX: usize = 64;
/// Memories, and likewise tables, of one component instance.
pub const MEMORIES_MAX: usize = 16;
/// Handles that an instance may hold: open files, streams, bodies.
pub const RESOURCES_MAX: usize = 10_000;
/// The longest line of a guest's output that is logged, in bytes; the rest is cut.
pub const GUEST_LINE_BYTES_MAX: usize = 2048;

/// Compiled components that are kept in the cache; past it, those go that were not used the longest.
pub const CACHED_CODE_MAX: usize = 64;

// --- what clients cost --------------------------------------------------------------------------

/// Points that a client may cost in a minute, if `--anonymous-budget` does not say. A point is about ten
/// milliseconds of a processor.
pub const BUDGET_PER_MINUTE_DEFAULT: u32 = 600;
/// The budget of how many minutes may be spent at once.
pub const BUDGET_MINUTES_KEPT: f32 = 2.0;
/// Clients whose budget is remembered are in so many sets.
pub const BUDGET_SETS: usize = 8192;
/// So many in each; 16 bytes for each.
pub const BUDGET_WAYS: usize = 4;

// --- connections and requests ------------------------------------------------------------------

/// Connections at once, over all clients.
pub const CONNECTIONS_MAX: usize = 1024;
/// From the first byte wanted to the whole header section; also how long a connection may idle.
pub const HEADER_READ_MAX: Duration = Duration::from_secs(30);
/// The longest time without a byte of a body, in either direction.
pub const BODY_STALL_MAX: Duration = Duration::from_secs(60);
/// Bytes of a request's line and header section.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Header fields of a request.
pub const HEADERS_MAX: usize = 100;
/// Bytes of a request's target; past it 414.
pub const TARGET_BYTES_MAX: usize = 16 << 10;
/// Streams of one HTTP/2 connection at once.
pub const STREAMS_MAX: u32 = 64;
/// Bytes of a stream's body, and of all of a connection's streams, that a client may send ahead.
pub const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// See [`STREAM_WINDOW_BYTES`].
pub const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;
/// Bytes of a request's body that are read after its answer, so that a client which is still sending
/// gets to see the answer; past it, the connection is closed.
pub const LINGER_BYTES_MAX: usize = 32 << 20;
/// How long such a body is read.
pub const LINGER_MAX: Duration = Duration::from_secs(5);
/// Proxies in `X-Forwarded-For` or `Forwarded` that are looked at.
pub const FORWARDED_HOPS_MAX: usize = 32;
/// How long transfers may take to finish after the signal to stop.
pub const GRACE_SECONDS_DEFAULT: u64 = 30;
