//! Writes the addresses of the static files, so that the layout links what `assets` serves.

#[path = "../../assets/build/fingerprint.rs"]
mod fingerprint;

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=../../assets/build/fingerprint.rs");
    let mut code = String::new();
    for file in fingerprint::files(Path::new("../../assets/files")) {
        let name = file.constant_name();
        let address = file.address();
        writeln!(code, "/// The address of the static file `{}`.", file.name).expect("a string takes it");
        writeln!(code, "pub const {name}: &str = {address:?};").expect("a string takes it");
    }
    println!("cargo::rerun-if-changed=../../assets/files");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("static_files.rs"), code).expect("cargo made the directory");
}
