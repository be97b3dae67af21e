//! The links between components: each function that a feature imports from a dependency becomes a
//! forwarded call.
//!
//! Only the interfaces that the manifest lists are linked. Values are copied from one component's
//! memory to the other's by way of the host; nothing else passes.

use crate::dependency::{Dependency, OfferError};
use crate::guest::Guest;
use crate::manifest::Component as Declaration;
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker};

/// Why a component cannot be linked.
#[derive(Debug, Error)]
pub enum LinkError {
    #[error(
        "the component `{component}` imports the interface `{interface}`, which its \
         `tool.lithe.imports` does not list"
    )]
    NotListed { component: String, interface: String },
    #[error(transparent)]
    NotOffered(#[from] OfferError),
    #[error("the component `{component}` does not export `wasi:http/handler@0.3.0`")]
    NoHandler { component: String },
    #[error("the component `{component}` imports what no component gives it: {error:#}")]
    NotLinked { component: String, error: wasmtime::Error },
}

/// Links what the component imports from its dependencies.
pub fn link(
    engine: &Engine,
    base: &Linker<Guest>,
    declaration: &Declaration,
    component: &Component,
    dependencies: &BTreeMap<String, Arc<Dependency>>,
) -> Result<Linker<Guest>, LinkError> {
    let mut linker = base.clone();
    let ty = component.component_type();
    for (name, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        let Some((interface, dependency)) = find_dependency(declaration, name) else {
            continue;
        };
        let functions = functions(engine, &instance);
        // Interfaces of types alone call nothing.
        if functions.is_empty() {
            continue;
        }
        if !declaration.imports.iter().any(|listed| listed == interface) {
            return Err(LinkError::NotListed {
                component: declaration.name.clone(),
                interface: name.to_owned(),
            });
        }
        forward(&mut linker, name, &functions, &dependencies[dependency])
            .map_err(|error| error.into_link_error(declaration))?;
    }
    Ok(linker)
}

/// The short name of an interface of one of the component's dependencies, and the dependency's name.
fn find_dependency<'a>(declaration: &'a Declaration, import: &'a str) -> Option<(&'a str, &'a str)> {
    declaration.dependencies.iter().find_map(|dependency| {
        let rest = import.strip_prefix(&*dependency.package)?.strip_prefix('/')?;
        let interface = rest.strip_suffix(&*dependency.version)?.strip_suffix('@')?;
        Some((interface, &*dependency.component))
    })
}

fn functions(engine: &Engine, instance: &ComponentInstance) -> Vec<String> {
    let exports = instance.exports(engine);
    exports
        .filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect()
}

enum ForwardError {
    Offer(OfferError),
    Linker(wasmtime::Error),
}

impl ForwardError {
    fn into_link_error(self, declaration: &Declaration) -> LinkError {
        match self {
            Self::Offer(error) => error.into(),
            Self::Linker(error) => LinkError::NotLinked { component: declaration.name.clone(), error },
        }
    }
}

fn forward(
    linker: &mut Linker<Guest>,
    interface: &str,
    functions: &[String],
    dependency: &Arc<Dependency>,
) -> Result<(), ForwardError> {
    let mut instance = linker.instance(interface).map_err(ForwardError::Linker)?;
    for name in functions {
        let function = dependency.function(interface, name).map_err(ForwardError::Offer)?;
        let dependency = dependency.clone();
        instance
            .func_new_async(name, move |caller, _, parameters, results| {
                let dependency = dependency.clone();
                let progress = caller.data().progress().clone();
                let parameters = parameters.to_vec();
                Box::new(async move {
                    let values = dependency.call(function, parameters, &progress.is_in_line).await?;
                    for (result, value) in results.iter_mut().zip(values) {
                        *result = value;
                    }
                    Ok(())
                })
            })
            .map_err(ForwardError::Linker)?;
    }
    Ok(())
}
