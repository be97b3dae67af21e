//! A connection that does not wait for its peer without end.

use crate::limits::{BODY_STALL_MAX, HEADER_READ_MAX};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream whose first byte, and whose writes, have to come to pass in time.
///
/// What is between the first byte and the last header, and idling between requests, is the HTTP
/// server's to limit; request bodies have a limit of their own.
pub struct Connection<S> {
    stream: S,
    first_byte_max: Duration,
    write_max: Duration,
    clock: Pin<Box<Sleep>>,
    waits: Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    ForFirstByte,
    ForWrite,
    No,
}

impl<S> Connection<S> {
    pub fn new(stream: S) -> Self {
        Self::with_limits(stream, HEADER_READ_MAX, BODY_STALL_MAX)
    }

    fn with_limits(stream: S, first_byte_max: Duration, write_max: Duration) -> Self {
        let clock = Box::pin(tokio::time::sleep(first_byte_max));
        Self { stream, first_byte_max, write_max, clock, waits: Waits::ForFirstByte }
    }

    /// Passes on what a write said, and fails when one has been stuck for too long.
    fn limit_write<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.waits = Waits::No;
            return poll;
        }
        if self.waits != Waits::ForWrite {
            self.waits = Waits::ForWrite;
            self.clock.as_mut().reset(Instant::now() + self.write_max);
        }
        self.expired(context, self.write_max).map(Err)
    }

    fn expired(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<io::Error> {
        self.clock.as_mut().poll(context).map(|()| {
            let text = format!("the peer did nothing for {} s", limit.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, text)
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.waits == Waits::ForFirstByte {
            if poll.is_pending() {
                return this.expired(context, this.first_byte_max).map(Err);
            }
            this.waits = Waits::No;
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.limit_write(context, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.limit_write(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_flush(context);
        this.limit_write(context, poll)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_shutdown(context);
        this.limit_write(context, poll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_cut() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let error = Connection::with_limits(ours, SHORT, LONG).read_u8().await.expect_err("nothing came");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_idles_after_its_first_byte_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut ours = Connection::with_limits(ours, SHORT, LONG);
        theirs.write_u8(1).await.expect("written");
        ours.read_u8().await.expect("a byte");
        tokio::time::timeout(SHORT * 2, ours.read_u8()).await.expect_err("still waiting");
    }

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_cut() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut ours = Connection::with_limits(ours, LONG, SHORT);
        let error = ours.write_all(&[0; 17]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
