//! Turns at the processors: how many guests compute at once, and whose turn is next.
//!
//! Fifty pages that are made at once take fifty times as long each, and fifty instances' memory. So only a
//! few are, and the rest wait in a line that is fair between clients: a crawler with all its connections
//! waits for itself. What takes long goes on beside the others, a few at a time, so that short pages need
//! not wait for it; what waits itself, for a file, a network or another component, gives its turn back.
//!
//! Only requests without a body need a turn, and only until their response begins: after that the
//! client's pace decides.

use crate::limits::{TURN_WAIT_MAX, TURNS_PER_PROCESSOR};
use crate::slots::{Asker, Slot, Slots};
use std::sync::Arc;

pub struct Turns {
    /// How many there are for short work.
    count: usize,
    short: Arc<Slots>,
    /// For what takes longer.
    long: Arc<Slots>,
}

/// The turn of one guest, until it is dropped.
pub struct Turn {
    slot: Slot,
    asker: Asker,
    /// Where it may go on if it takes longer; none: it has.
    long: Option<Arc<Slots>>,
}

impl Turns {
    /// For that many processors.
    pub fn new(processors: usize) -> Self {
        // Whoever waits has a slot of a component, which limits the line. Three turns are the fewest that
        // leave one to others.
        let count = (processors * TURNS_PER_PROCESSOR).max(3);
        Self { count, short: Slots::new(count, usize::MAX >> 16), long: Slots::new(processors, 0) }
    }

    /// How many guests compute at once, what takes long left aside.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits for a turn; none if that takes too long.
    pub async fn take(&self, asker: Asker) -> Option<Turn> {
        let slot = self.short.take(asker, TURN_WAIT_MAX).await?;
        Some(Turn { slot, asker, long: Some(self.long.clone()) })
    }
}

impl Turn {
    /// Makes room for short work if the guest may go on beside it.
    pub fn lengthen(&mut self) {
        if let Some(long) = &self.long
            && let Some(slot) = long.try_take(self.asker)
        {
            self.slot = slot;
            self.long = None;
        }
    }

    pub fn is_long(&self) -> bool {
        self.long.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Client;
    use futures::FutureExt as _;

    fn asker(last: u8, voice: u64) -> Asker {
        Asker { client: Client::of([192, 0, 2, last].into()), voice: Some(voice) }
    }

    /// Takes all turns that an asker gets now.
    fn take_all(turns: &Turns, asker: Asker) -> Vec<Turn> {
        std::iter::from_fn(|| turns.take(asker).now_or_never().flatten()).collect()
    }

    #[tokio::test]
    async fn a_crawler_leaves_turns_to_those_beside_it_and_to_other_clients() {
        let turns = Turns::new(2);
        let crawler = take_all(&turns, asker(1, 1));
        let person = take_all(&turns, asker(1, 2));
        let other = take_all(&turns, asker(2, 1));
        assert_eq!((crawler.len(), person.len(), other.len()), (2, 1, 1));
    }

    #[tokio::test]
    async fn long_work_makes_room_for_short_work() {
        let turns = Turns::new(2);
        let mut crawler = take_all(&turns, asker(1, 1));
        crawler.iter_mut().for_each(Turn::lengthen);
        assert_eq!(crawler.iter().filter(|turn| turn.is_long()).count(), 1, "one is left to others");
        assert_eq!(take_all(&turns, asker(1, 1)).len(), 1);
        drop(crawler);
        assert_eq!(take_all(&turns, asker(1, 1)).len(), 2);
    }

    #[tokio::test]
    async fn one_processor_has_room_for_two_clients() {
        let turns = Turns::new(1);
        let (crawler, other) = (take_all(&turns, asker(1, 1)), take_all(&turns, asker(2, 1)));
        assert_eq!((crawler.len(), other.len()), (1, 1));
    }
}
