//! Futures that outlive whoever waits for them.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Where futures go on that are set apart; not set: where they are.
static APART: OnceLock<Handle> = OnceLock::new();

/// Has futures that are set apart go on in a runtime of their own, so that those which work long, or wait for a
/// disk, hold up nothing else. The first word on it counts.
pub fn go_apart_in(runtime: &Handle) {
    let _ = APART.set(runtime.clone());
}

/// A future that is polled where it is awaited, which spares a switch of tasks, and that goes on by
/// itself if whoever awaits it is gone before its end.
pub struct RunToEnd<T: Send + 'static>(State<T>);

enum State<T> {
    Here(Pin<Box<dyn Future<Output = T> + Send>>),
    Apart(JoinHandle<T>),
    Done,
}

impl<T: Send + 'static> RunToEnd<T> {
    pub fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(State::Here(Box::pin(future)))
    }

    /// Has the future go on in a task of its own, beside whoever awaits it.
    pub fn set_apart(&mut self) {
        // Without a runtime the process is about to end.
        if let (State::Here(_), Ok(here)) = (&self.0, Handle::try_current())
            && let State::Here(future) = std::mem::replace(&mut self.0, State::Done)
        {
            self.0 = State::Apart(APART.get().unwrap_or(&here).spawn(future));
        }
    }

    /// Whether the future has come to its end, and said so here.
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Takes the future a step further, unless it has a task of its own or is done.
    pub fn advance(&mut self, context: &mut Context<'_>) {
        if let State::Here(future) = &mut self.0
            && future.as_mut().poll(context).is_ready()
        {
            self.0 = State::Done;
        }
    }
}

impl<T: Send + 'static> Future for RunToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let output = match &mut self.0 {
            State::Here(future) => std::task::ready!(future.as_mut().poll(context)),
            State::Apart(task) => std::task::ready!(Pin::new(task).poll(context))
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())),
            State::Done => unreachable!("it is not polled after its end"),
        };
        self.0 = State::Done;
        Poll::Ready(output)
    }
}

impl<T: Send + 'static> Drop for RunToEnd<T> {
    fn drop(&mut self) {
        self.set_apart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::oneshot;

    #[tokio::test]
    async fn what_nobody_awaits_goes_on() {
        let (go, may_go) = oneshot::channel::<()>();
        let (say, said) = oneshot::channel();
        let mut work = RunToEnd::new(async {
            let _ = may_go.await;
            let _ = say.send("done");
        });
        std::future::poll_fn(|context| Poll::Ready(work.advance(context))).await;
        drop(work);
        go.send(()).expect("it waits");
        assert_eq!(said.await, Ok("done"));
    }

    #[tokio::test]
    async fn its_end_is_told_wherever_it_runs() {
        let here = RunToEnd::new(async { 1 });
        assert_eq!(here.await, 1);
        let mut apart = RunToEnd::new(async { 2 });
        apart.set_apart();
        assert_eq!(apart.await, 2);
    }

    #[tokio::test]
    async fn what_is_advanced_to_its_end_is_done() {
        let mut work = RunToEnd::new(async {});
        assert!(!work.is_done());
        std::future::poll_fn(|context| Poll::Ready(work.advance(context))).await;
        assert!(work.is_done());
    }
}
