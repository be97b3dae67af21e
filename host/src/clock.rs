//! The clock that interrupts guests which compute without a pause, so that others come to their turn and limits of
//! time are kept. It stands still while none is at work: a server that nobody uses wakes no processor.

use crate::limits::EPOCH_PERIOD;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use wasmtime::Engine;

/// The clock of an engine. It ends when it is dropped.
pub struct Clock {
    thread: Thread,
    /// How many guests are at work.
    working: Arc<AtomicUsize>,
}

/// A guest is at work, until this is dropped.
pub struct Working(Arc<AtomicUsize>);

impl Clock {
    /// Starts the clock of an engine: at each tick, its epoch advances.
    pub fn start(engine: &Engine) -> io::Result<Self> {
        let engine = engine.weak();
        Self::ticking(move || engine.upgrade().map(|engine| engine.increment_epoch()).is_some())
    }

    /// Starts a clock that does something at each tick, until that returns false.
    fn ticking(tick: impl FnMut() -> bool + Send + 'static) -> io::Result<Self> {
        let working = Arc::default();
        let weak = Arc::downgrade(&working);
        let handle = thread::Builder::new().name("epoch".into()).spawn(move || run(&weak, tick))?;
        Ok(Self { thread: handle.thread().clone(), working })
    }

    /// Has the clock go for as long as what is returned is held.
    pub fn work(&self) -> Working {
        if self.working.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Working(self.working.clone())
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        // The thread that is woken finds nothing to work for.
        self.working = Arc::default();
        self.thread.unpark();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ticks every [`EPOCH_PERIOD`] while guests are at work.
fn run(working: &Weak<AtomicUsize>, mut tick: impl FnMut() -> bool) {
    while let Some(count) = working.upgrade().map(|working| working.load(Ordering::SeqCst)) {
        if count == 0 {
            // Who began since the look has left a token, and this returns at once.
            thread::park();
            continue;
        }
        thread::sleep(EPOCH_PERIOD);
        if !tick() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// Far longer than a tick takes, however busy the machine is.
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn the_clock_goes_while_a_guest_is_at_work_and_stands_still_otherwise() {
        let (sender, ticks) = mpsc::channel();
        let clock = Clock::ticking(move || sender.send(()).is_ok()).expect("a thread");
        for _ in 0..3 {
            assert!(ticks.recv_timeout(EPOCH_PERIOD * 20).is_err(), "nothing is at work");
            let (first, second) = (clock.work(), clock.work());
            for working in [first, second] {
                ticks.recv_timeout(LONG).expect("it goes");
                drop(working);
            }
            // One may be under way.
            let _ = ticks.recv_timeout(EPOCH_PERIOD * 20);
            while ticks.try_recv().is_ok() {}
        }
        drop(clock);
        assert_eq!(
            ticks.recv_timeout(LONG),
            Err(mpsc::RecvTimeoutError::Disconnected),
            "its thread has ended"
        );
    }

    #[test]
    fn a_clock_ends_with_the_last_work_that_is_left() {
        let (sender, ticks) = mpsc::channel();
        let clock = Clock::ticking(move || sender.send(()).is_ok()).expect("a thread");
        let working = clock.work();
        drop(clock);
        ticks.recv_timeout(LONG).expect("it goes for what is left");
        drop(working);
        while ticks.recv_timeout(LONG).is_ok() {}
        assert_eq!(ticks.recv(), Err(mpsc::RecvError));
    }
}
