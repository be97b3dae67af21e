//! The same components composed statically, as Spin does it: a store within each feature, sharing
//! the database by its file alone, and a push policy within `git-http`. The host then has nothing to
//! link; it only serves.

use crate::kit::{Forge, root};
use std::fs;
use std::path::{Path, PathBuf};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

/// Composes a feature with what it depends on into one component.
fn compose(feature: &str, dependencies: &[String]) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str| {
        let wasm = root().join(format!("target/components/{name}.wasm"));
        let package = Package::from_file(name, None, &wasm, graph.types_mut()).expect("it is a component");
        graph.register_package(package).expect("it is registered once")
    };
    let plugs = dependencies.iter().map(|name| register(name)).collect();
    let socket = register(feature);
    plug(&mut graph, plugs, socket).expect("they satisfy what the feature imports");
    graph.encode(EncodeOptions::default()).expect("the composition is sound")
}

/// Writes the composed components and a manifest for them, and returns the manifest.
///
/// Each feature gets what Spin gives it: all of its `files`, for the store within inherits them.
fn manifest(directory: &Path) -> PathBuf {
    let text = fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let mut manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    let components = manifest["component"].as_table_mut().expect("there are components");
    let dependencies = |component: &toml::Value| -> Vec<String> {
        let table = component.get("dependencies").and_then(toml::Value::as_table);
        let names = table.into_iter().flat_map(toml::Table::values);
        names.map(|dependency| dependency["component"].as_str().expect("text").to_owned()).collect()
    };
    let depended_on: Vec<String> = components.values().flat_map(&dependencies).collect();
    components.retain(|name, _| !depended_on.iter().any(|other| other == name));
    for (name, component) in components.iter_mut() {
        let dependencies = dependencies(component);
        let component = component.as_table_mut().expect("a component is a table");
        let wasm = match dependencies.is_empty() {
            false => compose(name, &dependencies),
            true => fs::read(root().join(format!("target/components/{name}.wasm"))).expect("it is built"),
        };
        let path = directory.join(format!("{name}.wasm"));
        fs::write(&path, wasm).expect("the directory is writable");
        component.insert("source".to_owned(), path.to_str().expect("text").into());
        component.remove("dependencies");
        let files = component.get("files").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let mounts: toml::Table = files
            .iter()
            .map(|file| (file["destination"].as_str().expect("text").to_owned(), "read-write".into()))
            .collect();
        let granted = component["tool"]["lithe"].as_table_mut().expect("a table");
        granted.insert("mounts".to_owned(), mounts.into());
        granted.insert("imports".to_owned(), toml::Value::Array(Vec::new()));
    }
    let path = directory.join("spin.toml");
    fs::write(&path, manifest.to_string()).expect("the directory is writable");
    path
}

#[test]
fn git_and_large_files_and_sign_in_work_on_the_static_composition() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let manifest = manifest(directory.path());
    let mut forge = Forge::start(&[]);
    forge.kill();
    // Any command makes the server's database one that can be shared.
    let repository = forge.repository(&["--private"]);
    forge.restart(&["--manifest", manifest.to_str().expect("text")]);

    let shell = forge.shell(&repository);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    shell.run("git clone -q \"$ADMIN\" clone && git -C \"$SERVED\" fsck --full --strict");
    assert_eq!(shell.run("git -C clone log --format=%s"), "One");
    shell.fails("git clone -q \"$STRANGER\" hidden");
    shell.run(crate::lfs::WORK);
    shell.run("cd large && git push -q origin main:large && git clone -q -b large \"$ADMIN\" ../again && cmp large.bin ../again/large.bin");
    shell.run("cd large && git lfs lock large.bin && git lfs unlock large.bin");
    crate::push_policy::assert_protects(&forge, &repository, &shell);
    crate::auth::sign_in(&forge);
}
