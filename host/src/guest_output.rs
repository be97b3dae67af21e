//! What guests print, as lines of the log.

use crate::limits::GUEST_LINE_BYTES_MAX;
use crate::manifest::Component as Declaration;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The most that a guest may write at once, in bytes.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Which of the two a guest prints to.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// An output of a guest. Each line becomes a line of the log, with the component's name.
#[derive(Clone)]
pub struct GuestOutput {
    declaration: Arc<Declaration>,
    stream: Stream,
    line: Vec<u8>,
}

impl GuestOutput {
    pub fn new(declaration: &Arc<Declaration>, stream: Stream) -> Self {
        Self { declaration: declaration.clone(), stream, line: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            let room = GUEST_LINE_BYTES_MAX.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if lines.peek().is_some() {
                self.log();
            }
        }
    }

    fn log(&mut self) {
        let text = printable(&self.line);
        self.line.clear();
        if text.is_empty() {
            return;
        }
        let component = &self.declaration.name;
        match self.stream {
            Stream::Stdout => tracing::info!(target: "guest", %component, "{text}"),
            Stream::Stderr => tracing::warn!(target: "guest", %component, "{text}"),
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        self.log();
    }
}

/// Text without control characters, which could forge lines of the log or steer a terminal.
fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end().chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_log_cannot_be_forged() {
        assert_eq!(printable(b"a\r\x1b[2Jb\tc\xff  "), "a\u{fffd}\u{fffd}[2Jb\tc\u{fffd}");
    }
}
