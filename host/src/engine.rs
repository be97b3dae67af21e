//! The wasmtime engine: how guests are compiled, and where their memory comes from.

use crate::clock::Clock;
use crate::limits;
use crate::manifest::Manifest;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// Slots for instances of dependencies, beside those that the features' requests need.
const DEPENDENCY_SLOTS: u32 = 16;
/// Core instances per slot: a component has its own module and a few small ones for linking.
const CORE_INSTANCES_PER_SLOT: u32 = 8;
/// Fibers per slot: the caller's and those of the tasks in the guest.
const STACKS_PER_SLOT: u32 = 3;
/// Bytes of instance metadata, above what components of some thousand functions need.
const INSTANCE_METADATA_BYTES_MAX: usize = 8 << 20;
/// Bytes of a memory that stay resident when its slot is reused: cheaper than new page faults.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 128 << 10;
/// Free slots that keep resident memory.
const WARM_SLOTS_MAX: u32 = 16;

/// Makes the engine for what the manifest asks for, and starts its clock.
///
/// Instances come from a pool of slots that is sized by the manifest's limits, so that starting
/// one maps nothing anew. Where the system grants no such address space, they are mapped one by one.
pub fn start(manifest: &Manifest) -> wasmtime::Result<(Engine, Clock)> {
    let mut config = base_config();
    config.allocation_strategy(pool(manifest));
    let engine = Engine::new(&config).or_else(|error| {
        tracing::warn!(%error, "no pool of instances; they are mapped one by one");
        Engine::new(&base_config())
    })?;
    let clock = Clock::start(&engine)?;
    Ok((engine, clock))
}

/// What decides how code is compiled; every engine of this process shares it.
fn base_config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .memory_init_cow(true)
        .epoch_interruption(true)
        .consume_fuel(false);
    config
}

fn pool(manifest: &Manifest) -> InstanceAllocationStrategy {
    let dependencies: Vec<&str> = manifest.dependencies().collect();
    let components = manifest.components.values();
    let memory = components.clone().map(|component| component.limits.memory_bytes_max).max();
    let features = components.filter(|component| !dependencies.contains(&&*component.name));
    let requests: usize = features.map(|component| component.limits.requests_max).sum();
    // As many instances that just became idle may wait to be dropped.
    let slots = u32::try_from(requests).unwrap_or(u32::MAX).saturating_mul(2) + DEPENDENCY_SLOTS;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_SLOT))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(2))
        .total_stacks(slots.saturating_mul(STACKS_PER_SLOT))
        .max_core_instances_per_component(limits::CORE_INSTANCES_MAX as u32)
        .max_memories_per_component(limits::MEMORIES_MAX as u32)
        .max_tables_per_component(limits::MEMORIES_MAX as u32)
        .table_elements(limits::TABLE_ELEMENTS_MAX)
        .max_component_instance_size(INSTANCE_METADATA_BYTES_MAX)
        .max_core_instance_size(INSTANCE_METADATA_BYTES_MAX)
        .max_memory_size(memory.unwrap_or(0))
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .max_unused_warm_slots(WARM_SLOTS_MAX);
    InstanceAllocationStrategy::Pooling(pool)
}
