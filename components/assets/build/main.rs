//! Embeds the static files, as they are and compressed, under their public names.

mod fingerprint;

use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=files");
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut table = String::from("[\n");
    for file in fingerprint::files(Path::new("files")) {
        let contents = &file.contents;
        let encodings =
            [("identity", contents.clone()), ("gzip", gzip(contents)), ("brotli", brotli(contents))];
        let mut entry = format!("    StaticFile {{ name: {:?}, ", file.public_name());
        for (encoding, bytes) in encodings {
            let path = out.join(format!("{}.{encoding}", file.name));
            fs::write(&path, bytes).expect("cargo made the directory");
            write!(entry, "{encoding}: include_bytes!({path:?}), ").expect("a string takes it");
        }
        writeln!(table, "{entry}}},").expect("a string takes it");
    }
    table.push_str("]\n");
    fs::write(out.join("table.rs"), table).expect("cargo made the directory");
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn brotli(contents: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut &contents[..], &mut compressed, &parameters).expect("memory takes it");
    compressed
}
