//! What a component may touch is said four times: in `wit/worlds.wit`, in `spin.toml`, in the table
//! of ARCHITECTURE.md, and by the built component itself. These tests hold the four together.

use crate::kit::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldItem};

/// The packages of our interfaces.
const PACKAGES: [&str; 3] = ["lithe:forge", "lithe:policy", "lithe:highlighting"];

/// What one source says of one component.
#[derive(Debug, Default, PartialEq, Eq)]
struct Contract {
    imports: BTreeSet<String>,
    /// Destination and mode.
    mounts: BTreeMap<String, String>,
}

#[test]
fn spin_toml_and_the_architecture_agree() {
    assert_eq!(by_manifest(), by_architecture());
}

#[test]
fn built_components_import_what_the_manifest_grants() {
    for (name, contract) in by_manifest() {
        let wasm = fs::read(root().join(format!("target/components/{name}.wasm"))).expect("it is built");
        let DecodedWasm::Component(resolve, world) = wit_component::decode(&wasm).expect("it is a component")
        else {
            panic!("{name}.wasm is a WIT package")
        };
        let imports = imports(&resolve, world);
        assert_eq!(imports, contract.imports, "what {name}.wasm imports, and what spin.toml grants it");
    }
}

#[test]
fn worlds_import_what_the_manifest_grants() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).expect("wit/ parses");
    for (name, contract) in by_manifest() {
        let world = *resolve.packages[package].worlds.get(&name).expect("every component has a world");
        assert_eq!(imports(&resolve, world), contract.imports, "world {name}");
    }
}

#[test]
fn only_the_store_has_the_database() {
    for (name, contract) in by_manifest() {
        assert_eq!(contract.mounts.contains_key("/db"), name == "store", "{name}");
        assert!(!contract.imports.contains("operator"), "{name} may not call the operator's interface");
        let has_large_files = contract.mounts.contains_key("/lfs");
        assert!(!has_large_files || ["lfs", "admin"].contains(&name.as_str()), "{name} may not have /lfs");
        let writes = contract.mounts.get("/repos").is_some_and(|mode| mode == "read-write");
        assert!(!writes || ["git-http", "admin"].contains(&name.as_str()), "{name} may not write /repos");
    }
}

#[test]
fn a_dependency_asks_spin_for_nothing() {
    let text = fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    for name in ["store", "push-policy", "highlighter"] {
        let dependency = manifest["component"][name].as_table().expect("it is there");
        let keys: Vec<&str> = dependency.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["source", "tool"],
            "Spin refuses a dependency with files or an environment: {name}"
        );
    }
}

#[test]
fn a_component_depends_on_a_package_once() {
    let text = fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    for (name, component) in manifest["component"].as_table().expect("there are components") {
        let dependencies = component.get("dependencies").and_then(toml::Value::as_table);
        let packages = dependencies.into_iter().flat_map(toml::Table::keys);
        let packages: Vec<&str> = packages.map(|key| key.split('@').next().unwrap_or(key)).collect();
        let distinct: BTreeSet<&str> = packages.iter().copied().collect();
        assert_eq!(distinct.len(), packages.len(), "Spin composes {name} by the names alone: {packages:?}");
    }
}

/// The interfaces of our packages, but the one that has only types.
fn imports(resolve: &Resolve, world: WorldId) -> BTreeSet<String> {
    let items = resolve.worlds[world].imports.values();
    items
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.id_of(*id),
            _ => None,
        })
        .filter_map(|id| {
            let (package, interface) = id.split_once('/')?;
            let interface = interface.split('@').next()?;
            (PACKAGES.contains(&package) && interface != "types").then(|| interface.to_owned())
        })
        .collect()
}

fn by_manifest() -> BTreeMap<String, Contract> {
    let text = fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    let components = manifest["component"].as_table().expect("there are components");
    let contract = |component: &toml::Value| {
        let granted = &component["tool"]["lithe"];
        let imports = granted.get("imports").and_then(toml::Value::as_array);
        let mounts = granted["mounts"].as_table().expect("mounts are a table");
        let text = |value: &toml::Value| value.as_str().expect("a string").to_owned();
        Contract {
            imports: imports.into_iter().flatten().map(text).collect(),
            mounts: mounts.iter().map(|(place, mode)| (place.clone(), text(mode))).collect(),
        }
    };
    components.iter().map(|(name, component)| (name.clone(), contract(component))).collect()
}

/// Reads the rows of the table that begins `| component | routes | imports | mounts |`.
fn by_architecture() -> BTreeMap<String, Contract> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| component | routes | imports | mounts |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _routes, imports, mounts] = cells[..] else { panic!("four cells: {row}") };
        let name = quoted(name).next().expect("a component's name").to_owned();
        let imports = quoted(imports).map(str::to_owned).collect();
        let mounts = mounts.split(',').filter_map(|mount| {
            let place = quoted(mount).next()?;
            let mode = mount.rsplit('`').next().expect("split yields something").trim();
            Some((place.to_owned(), mode.to_owned()))
        });
        (name, Contract { imports, mounts: mounts.collect() })
    })
    .collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
