//! Components as machine code, compiled once and kept in files below the cache directory.
//!
//! A file's name is the hash of everything that its contents depend on: the component's bytes,
//! the version of wasmtime and the engine's settings. It holds a checksum of itself, so that one
//! which was cut short or damaged is compiled again, as if it were not there.
//!
//! Loading such a file runs what it holds with the rights of this process, outside of any
//! sandbox. The checksum is against accidents, not against an attacker; against that one, a file
//! counts only if it belongs to the user that runs this process and nobody else can write it or
//! the directory it is in.

use crate::limits::CACHED_CODE_MAX;
use sha2::{Digest, Sha256};
use std::fs::{File, Permissions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Part of every name: other layouts of the file have other names.
const FORMAT: &str = "lithe-code-1";
const CHECKSUM_SUFFIX: &str = "sum";
/// The largest component file, in bytes.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// Why a component's code could not be made.
#[derive(Debug, Error)]
pub enum CodeError {
    #[error("the component file {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("the component file {} is larger than {COMPONENT_BYTES_MAX} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is not a component that can be compiled: {error:#}", path.display())]
    NotAComponent { path: PathBuf, error: wasmtime::Error },
}

/// Where compiled code is kept.
#[derive(Debug, Clone)]
pub struct CodeCache {
    /// None: nothing is kept.
    directory: Option<PathBuf>,
}

impl CodeCache {
    /// A cache in `directory`, which is made where it is missing. Where that is not possible or
    /// others may write it, nothing is kept and the log says so.
    pub fn new(directory: &Path) -> Self {
        let directory = match prepare_directory(directory) {
            Ok(()) => Some(directory.to_owned()),
            Err(error) => {
                let directory = directory.display();
                tracing::warn!(%directory, %error, "compiled code is not kept");
                None
            }
        };
        Self { directory }
    }

    /// Loads the component in the file `path`, from the cache if it is there.
    pub fn load(&self, engine: &Engine, path: &Path) -> Result<Component, CodeError> {
        let wasm = read_component(path)?;
        let cached = self.directory.as_ref().map(|directory| directory.join(name(engine, &wasm)));
        if let Some(file) = &cached
            && let Some(component) = load_cached(engine, file)
        {
            return Ok(component);
        }
        let not_a_component = |error| CodeError::NotAComponent { path: path.to_owned(), error };
        tracing::info!(component = %path.display(), "compiling");
        let code = engine.precompile_component(&wasm).map_err(not_a_component)?;
        give_memory_back();
        if let Some(file) = &cached {
            match store(file, &code) {
                // Mapped from the file, the code is shared with the page cache.
                Ok(()) => {
                    if let Some(component) = load_cached(engine, file) {
                        return Ok(component);
                    }
                }
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "compiled code is not kept");
                }
            }
        }
        // SAFETY: these bytes were made by `precompile_component` of the same engine just now.
        unsafe { Component::deserialize(engine, &code) }.map_err(not_a_component)
    }
    /// Removes what has not been used for the longest time, past [`CACHED_CODE_MAX`].
    pub fn prune(&self) {
        let Some(directory) = &self.directory else {
            return;
        };
        if let Err(error) = prune(directory) {
            tracing::warn!(directory = %directory.display(), %error, "the cache was not tidied");
        }
    }
}

/// Compiling takes far more memory than serving; the C library would keep it.
fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes the allocator's own locks and touches only memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

fn prune(directory: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.path().extension().is_none() && entry.file_type()?.is_file() {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort_by(|one, other| other.cmp(one));
    for (_, file) in files.iter().skip(CACHED_CODE_MAX) {
        // Another process may have removed it.
        let _ = std::fs::remove_file(file);
        let _ = std::fs::remove_file(file.with_extension(CHECKSUM_SUFFIX));
    }
    Ok(())
}

fn read_component(path: &Path) -> Result<Vec<u8>, CodeError> {
    let unreadable = |error| CodeError::Unreadable { path: path.to_owned(), error };
    let mut wasm = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(COMPONENT_BYTES_MAX + 1).read_to_end(&mut wasm).map_err(unreadable)?;
    match wasm.len() as u64 > COMPONENT_BYTES_MAX {
        true => Err(CodeError::TooLarge { path: path.to_owned() }),
        false => Ok(wasm),
    }
}

fn prepare_directory(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    is_ours(&std::fs::metadata(directory)?)
}

/// Fails unless the file or directory belongs to this process's user and only that one may write it.
fn is_ours(metadata: &std::fs::Metadata) -> io::Result<()> {
    let owner = rustix::process::geteuid().as_raw();
    match metadata.uid() == owner && metadata.mode() & 0o022 == 0 {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others could have put code there: it belongs to another user or others may write it",
        )),
    }
}

/// The name of the file for a component.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut digest = DigestHasher(Sha256::new());
    digest.write(FORMAT.as_bytes());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.write(wasm);
    hex(&digest.0.finalize())
}

/// Feeds what is hashed to SHA-256.
struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("only the digest is asked for")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Loads a file of the cache; none if it is not there or not as it was written.
fn load_cached(engine: &Engine, file: &Path) -> Option<Component> {
    let code = File::open(file).ok()?;
    match verify(&code, file) {
        Ok(()) => {}
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "compiled code is not used");
            return None;
        }
    }
    // SAFETY: the file belongs to this user, nobody else may write it or its directory, its bytes
    // are those that `store` wrote, and its name says that this wasmtime with these settings made
    // them. It is never changed in place: `store` renames a new file over it.
    match unsafe { Component::deserialize_file(engine, file) } {
        Ok(component) => {
            // For `prune`: it was used just now.
            let _ = code.set_modified(SystemTime::now());
            Some(component)
        }
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "compiled code is not used");
            None
        }
    }
}

fn verify(mut code: &File, file: &Path) -> io::Result<()> {
    is_ours(&code.metadata()?)?;
    let expected = std::fs::read_to_string(file.with_extension(CHECKSUM_SUFFIX))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match code.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    match hex(&hasher.finalize()) == expected {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another")),
    }
}

/// Writes code and checksum, the code last: a file that is there is whole.
fn store(file: &Path, code: &[u8]) -> io::Result<()> {
    let checksum = hex(&Sha256::digest(code));
    write_renamed(&file.with_extension(CHECKSUM_SUFFIX), checksum.as_bytes())?;
    write_renamed(file, code)
}

fn write_renamed(file: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    temporary.as_file().set_permissions(Permissions::from_mode(0o600))?;
    temporary.write_all(contents)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        let mut config = wasmtime::Config::new();
        config.wasm_component_model(true);
        Engine::new(&config).expect("an engine")
    }

    fn code_files(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_none())
            .collect()
    }

    struct Site {
        directory: tempfile::TempDir,
        wasm: PathBuf,
    }

    impl Site {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let wasm = directory.path().join("a.wasm");
            let component = wat::parse_str("(component (core module))").expect("a component");
            std::fs::write(&wasm, component).expect("written");
            Self { directory, wasm }
        }

        fn cache(&self) -> PathBuf {
            self.directory.path().join("cache")
        }

        fn load(&self, engine: &Engine) -> Result<Component, CodeError> {
            CodeCache::new(&self.cache()).load(engine, &self.wasm)
        }
    }

    #[test]
    fn code_is_kept_once_for_each_component() {
        let (site, engine) = (Site::new(), engine());
        for _ in 0..2 {
            site.load(&engine).expect("loaded");
            assert_eq!(code_files(&site.cache()).len(), 1);
        }
        let other = wat::parse_str("(component (core module) (core module))").expect("a component");
        std::fs::write(&site.wasm, other).expect("written");
        site.load(&engine).expect("loaded");
        assert_eq!(code_files(&site.cache()).len(), 2);
    }

    #[test]
    fn what_was_not_used_the_longest_is_removed() {
        let (site, engine) = (Site::new(), engine());
        let old = |index: u64| {
            let file = site.cache().join(format!("{index:064}"));
            for file in [file.with_extension(CHECKSUM_SUFFIX), file] {
                let file = File::create(file).expect("created");
                let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(index);
                file.set_modified(time).expect("set");
            }
        };
        site.load(&engine).expect("loaded");
        let used = code_files(&site.cache()).remove(0);
        (0..CACHED_CODE_MAX as u64).for_each(old);
        CodeCache::new(&site.cache()).prune();
        let left = code_files(&site.cache());
        assert_eq!(left.len(), CACHED_CODE_MAX);
        assert!(left.contains(&used) && !site.cache().join(format!("{:064}", 0)).exists());
        assert_eq!(std::fs::read_dir(site.cache()).expect("a directory").count(), 2 * CACHED_CODE_MAX);
    }

    #[test]
    fn a_damaged_file_is_compiled_again() {
        let (site, engine) = (Site::new(), engine());
        site.load(&engine).expect("loaded");
        let file = code_files(&site.cache()).remove(0);
        let whole = std::fs::read(&file).expect("read");
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() / 2], b""] {
            std::fs::write(&file, damaged).expect("written");
            site.load(&engine).expect("loaded");
            assert!(std::fs::read(&file).expect("read") == whole, "written anew");
        }
    }

    #[test]
    fn code_that_others_could_write_is_not_used() {
        let (site, engine) = (Site::new(), engine());
        site.load(&engine).expect("loaded");
        let file = code_files(&site.cache()).remove(0);
        std::fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("set");
        assert!(load_cached(&engine, &file).is_none());
        std::fs::set_permissions(site.cache(), Permissions::from_mode(0o777)).expect("set");
        assert!(CodeCache::new(&site.cache()).directory.is_none());
        site.load(&engine).expect("compiled all the same");
    }

    #[test]
    fn what_is_no_component_is_refused_by_its_name() {
        let (site, engine) = (Site::new(), engine());
        std::fs::write(&site.wasm, "no component").expect("written");
        let error = site.load(&engine).expect_err("not a component").to_string();
        assert!(error.contains("a.wasm is not a component"), "{error}");
        std::fs::remove_file(&site.wasm).expect("removed");
        let error = site.load(&engine).expect_err("no file").to_string();
        assert!(error.contains("a.wasm cannot be read"), "{error}");
    }
}
