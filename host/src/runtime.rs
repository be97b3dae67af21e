//! The application in memory: every component of the manifest, compiled and linked.

use crate::code::{CodeCache, CodeError};
use crate::dependency::{Dependency, SwapError};
use crate::engine;
use crate::feature::{Feature, Shared};
use crate::guest::{self, Guest, MountError};
use crate::link::{LinkError, link};
use crate::manifest::{Component as Declaration, Manifest, Task};
use crate::operator::Operator;
use crate::router::Router;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

/// The application, ready to answer.
pub struct Runtime {
    shared: Shared,
    cache: CodeCache,
    linker: Linker<Guest>,
    manifest: Manifest,
    router: Router<String>,
    dependencies: BTreeMap<String, Arc<Dependency>>,
    features: RwLock<BTreeMap<String, Arc<Feature>>>,
}

/// A feature and the route that leads to it.
pub struct Destination<'a> {
    pub feature: Arc<Feature>,
    pub route: &'a str,
    /// What the route's trailing `...` stands for.
    pub rest: String,
}

/// Why an application could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("there is no component `{0}` to replace")]
    NoSuchComponent(String),
    #[error("the component `{component}`: {error}")]
    Code { component: String, error: CodeError },
    #[error("the component `{component}`: {error}")]
    Mount { component: String, error: MountError },
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the component `{component}` cannot replace the former one: {error}")]
    Swap { component: String, error: SwapError },
    #[error("the WebAssembly engine does not start: {0:#}")]
    Engine(wasmtime::Error),
}

impl Runtime {
    /// Loads every component of the manifest. Compiles what `cache` does not hold.
    ///
    /// `swaps` are files that take the place of components' sources. All instances together have at
    /// most `memory_bytes_max` of linear memory.
    pub fn load(
        mut manifest: Manifest,
        cache: CodeCache,
        swaps: &[(String, PathBuf)],
        memory_bytes_max: usize,
    ) -> Result<Self, LoadError> {
        for (name, file) in swaps {
            let component = manifest.components.get_mut(name);
            let component = component.ok_or_else(|| LoadError::NoSuchComponent(name.clone()))?;
            component.source = file.clone();
        }
        let (engine, clock) = engine::start(&manifest).map_err(LoadError::Engine)?;
        let linker = guest::linker(&engine).map_err(LoadError::Engine)?;
        let code = load_all(&engine, &cache, &manifest)?;
        cache.prune();
        let mut runtime = Self {
            router: Router::new(manifest.routes.clone()),
            dependencies: BTreeMap::new(),
            features: RwLock::default(),
            shared: Shared::new((engine, clock), memory_bytes_max),
            cache,
            linker,
            manifest,
        };
        runtime.assemble(code)?;
        Ok(runtime)
    }

    fn assemble(&mut self, mut code: BTreeMap<String, Component>) -> Result<(), LoadError> {
        for name in self.manifest.dependencies() {
            let declaration = Arc::new(self.manifest.components[name].clone());
            let component = code.remove(name).expect("every component was loaded");
            let dependency = Dependency::new(
                (&self.shared.engine, &self.shared.clock),
                &self.shared.memory,
                &self.linker,
                declaration,
                component,
            )
            .map_err(|error| LinkError::NotLinked { component: name.to_owned(), error })?;
            self.dependencies.insert(name.to_owned(), Arc::new(dependency));
        }
        let features = code
            .into_iter()
            .map(|(name, component)| Ok((name.clone(), self.feature(&name, &component)?)))
            .collect::<Result<_, LoadError>>()?;
        self.features = RwLock::new(features);
        Ok(())
    }

    fn feature(&self, name: &str, component: &Component) -> Result<Arc<Feature>, LoadError> {
        let declaration = &self.manifest.components[name];
        let linker = link(&self.shared.engine, &self.linker, declaration, component, &self.dependencies)?;
        Ok(Feature::new(&self.shared, &linker, Arc::new(declaration.clone()), component)?)
    }

    /// What the host is to ask for by itself.
    pub fn tasks(&self) -> &[Task] {
        &self.manifest.tasks
    }

    /// Finds what answers a path.
    pub fn find(&self, path: &str) -> Option<Destination<'_>> {
        let found = self.router.find(path)?;
        let features = self.features.read().unwrap_or_else(PoisonError::into_inner);
        let feature = features.get(found.target).expect("every route's component is a feature");
        Some(Destination { feature: feature.clone(), route: found.route, rest: found.rest.to_owned() })
    }

    /// Replaces a component. Requests that began are finished by the former one.
    ///
    /// Compiles where the cache does not hold the component, and blocks meanwhile.
    pub fn swap(&self, name: &str, file: &Path) -> Result<(), LoadError> {
        if !self.manifest.components.contains_key(name) {
            return Err(LoadError::NoSuchComponent(name.to_owned()));
        }
        let component = load(&self.shared.engine, &self.cache, name, file)?;
        match self.dependencies.get(name) {
            Some(dependency) => dependency
                .swap(component)
                .map_err(|error| LoadError::Swap { component: name.to_owned(), error }),
            None => {
                let feature = self.feature(name, &component)?;
                let mut features = self.features.write().unwrap_or_else(PoisonError::into_inner);
                features.insert(name.to_owned(), feature);
                Ok(())
            }
        }
    }

    /// Drops instances that have had no work for a while.
    pub fn drop_idle(&self) {
        let features = self.features.read().unwrap_or_else(PoisonError::into_inner);
        features.values().for_each(|feature| feature.drop_idle());
        self.dependencies.values().for_each(|dependency| dependency.drop_idle());
    }

    /// The functions for whoever runs the server; none if no dependency exports them.
    pub fn operator(&self) -> Option<Operator> {
        let components = self.manifest.components.values();
        components.flat_map(|component| &component.dependencies).find_map(|declared| {
            let dependency = &self.dependencies[&declared.component];
            let interface = format!("{}/operator@{}", declared.package, declared.version);
            dependency.exports(&interface).then(|| Operator::new(dependency.clone(), interface))
        })
    }
}

/// Loads every component, each on a thread of its own: most of it is compiling and hashing.
fn load_all(
    engine: &Engine,
    cache: &CodeCache,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Component>, LoadError> {
    for prepare in [guest::make_writable_mounts, guest::check_read_only_mounts] {
        for declaration in manifest.components.values() {
            prepare(declaration)
                .map_err(|error| LoadError::Mount { component: declaration.name.clone(), error })?;
        }
    }
    let load_one = |declaration: &Declaration| {
        let name = &declaration.name;
        Ok((name.clone(), load(engine, cache, name, &declaration.source)?))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            manifest.components.values().map(|declaration| scope.spawn(|| load_one(declaration))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn load(engine: &Engine, cache: &CodeCache, name: &str, file: &Path) -> Result<Component, LoadError> {
    cache.load(engine, file).map_err(|error| LoadError::Code { component: name.to_owned(), error })
}
