//! A bounded cache of pieces of files.

use super::file::File;
use crate::limits::WINDOW_BYTES;
use lru::LruCache;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Names a file within the cache.
pub type FileNumber = u32;

/// A piece's file, and which of the file's pieces it is.
type Key = (FileNumber, u64);

/// Pieces of `WINDOW_BYTES` of any number of files, the least recently used of them dropped first.
pub struct Windows {
    windows: LruCache<Key, Arc<[u8]>>,
    latest: Option<(Key, Arc<[u8]>)>,
}

impl Windows {
    /// Holds so many bytes, but one piece at least.
    pub fn new(bytes_max: usize) -> Self {
        let count = NonZeroUsize::new(bytes_max / WINDOW_BYTES).unwrap_or(NonZeroUsize::MIN);
        Self { windows: LruCache::new(count), latest: None }
    }

    /// How many windows are held.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Returns the window that contains `offset`, and where in the window that is.
    ///
    /// Fails with `UnexpectedEof` at or past the end of the file.
    pub fn at(&mut self, number: FileNumber, file: &File, offset: u64) -> io::Result<(Arc<[u8]>, usize)> {
        if offset >= file.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let index = offset / WINDOW_BYTES as u64;
        let within = (offset % WINDOW_BYTES as u64) as usize;
        let key = (number, index);
        if let Some((latest, window)) = &self.latest
            && *latest == key
        {
            return Ok((window.clone(), within));
        }
        let window = match self.windows.get(&key) {
            Some(window) => window.clone(),
            None => {
                let window = load(file, index * WINDOW_BYTES as u64)?;
                self.windows.put(key, window.clone());
                window
            }
        };
        self.latest = Some((key, window.clone()));
        Ok((window, within))
    }

    /// Fills the whole buffer from `offset` on.
    pub fn read_exact(
        &mut self,
        number: FileNumber,
        file: &File,
        mut offset: u64,
        mut buffer: &mut [u8],
    ) -> io::Result<()> {
        while !buffer.is_empty() {
            let (window, within) = self.at(number, file, offset)?;
            let count = buffer.len().min(window.len() - within);
            buffer[..count].copy_from_slice(&window[within..within + count]);
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }
}

fn load(file: &File, start: u64) -> io::Result<Arc<[u8]>> {
    let len = (file.len() - start).min(WINDOW_BYTES as u64) as usize;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes.into())
}
