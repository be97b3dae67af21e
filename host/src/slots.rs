//! What is limited in number, shared so that no client can have all of it: whoever sends or reads a
//! byte a minute would otherwise keep everybody else out with a handful of connections.
//!
//! One client may hold three quarters of the slots, and as much of the line before them. That is
//! nearly all for the one office behind one address, and leaves something for others beside it.

use crate::limits::{LEFT_TO_OTHERS, QUEUE_FACTOR_MAX, QUEUE_WAIT_MAX};
use futures::channel::oneshot;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Somebody who counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Whoever runs the server.
    Operator,
    /// An address, as far as it tells one subscriber from the other: of IPv6, the first 64 bits.
    Network(IpAddr),
}

impl Client {
    pub fn of(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
            address => address,
        })
    }
}

/// Slots, those who hold them, and those who wait for one.
pub struct Slots {
    count: usize,
    state: Mutex<State>,
}

/// A slot that is taken, until it is dropped.
pub struct Slot {
    /// None: it was never handed over.
    slots: Option<Arc<Slots>>,
    client: Client,
}

struct State {
    free: usize,
    held: HashMap<Client, usize>,
    line: VecDeque<Waiting>,
}

struct Waiting {
    client: Client,
    sender: oneshot::Sender<Slot>,
}

impl Slots {
    pub fn new(count: usize) -> Arc<Self> {
        let state = State { free: count, held: HashMap::new(), line: VecDeque::new() };
        Arc::new(Self { count, state: Mutex::new(state) })
    }

    /// How many one client may hold.
    fn share(&self) -> usize {
        self.count - self.count / LEFT_TO_OTHERS
    }

    /// Takes a slot if there is one for the client now.
    pub fn try_take(self: &Arc<Self>, client: Client) -> Option<Slot> {
        let mut state = self.state();
        self.may_have(&state, client).then(|| self.grant(&mut state, client))
    }

    /// Takes a slot, and waits in line for it if that has a place and does not take too long.
    pub async fn take(self: &Arc<Self>, client: Client) -> Option<Slot> {
        let receiver = {
            let mut state = self.state();
            if self.may_have(&state, client) {
                return Some(self.grant(&mut state, client));
            }
            state.line.retain(|waiting| !waiting.sender.is_canceled());
            let of_client = state.line.iter().filter(|waiting| waiting.client == client).count();
            let is_full = state.line.len() >= self.count * QUEUE_FACTOR_MAX
                || of_client >= self.share() * QUEUE_FACTOR_MAX;
            if is_full {
                return None;
            }
            let (sender, receiver) = oneshot::channel();
            state.line.push_back(Waiting { client, sender });
            receiver
        };
        tokio::time::timeout(QUEUE_WAIT_MAX, receiver).await.ok()?.ok()
    }

    fn may_have(&self, state: &State, client: Client) -> bool {
        state.free > 0 && state.held.get(&client).is_none_or(|held| *held < self.share())
    }

    fn grant(self: &Arc<Self>, state: &mut State, client: Client) -> Slot {
        state.free -= 1;
        *state.held.entry(client).or_default() += 1;
        Slot { slots: Some(self.clone()), client }
    }

    fn release(self: &Arc<Self>, client: Client) {
        let mut state = self.state();
        state.release(client);
        // The first in line who may have it and still wants it.
        while let Some(next) = state.line.iter().position(|waiting| self.may_have(&state, waiting.client)) {
            let Waiting { client, sender } = state.line.remove(next).expect("it is at this position");
            let slot = self.grant(&mut state, client);
            match sender.send(slot) {
                Ok(()) => return,
                Err(mut unwanted) => {
                    unwanted.slots = None;
                    state.release(client);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&mut self, client: Client) {
        self.free += 1;
        let held = self.held.get_mut(&client).expect("whoever holds a slot is counted");
        *held -= 1;
        if *held == 0 {
            self.held.remove(&client);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.slots.take() {
            slots.release(self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn client(address: &str) -> Client {
        Client::of(address.parse().expect("an address"))
    }

    #[test]
    fn one_client_leaves_a_quarter_to_others() {
        let slots = Slots::new(8);
        let one = client("192.0.2.1");
        let held: Vec<_> = std::iter::from_fn(|| slots.try_take(one)).collect();
        assert_eq!(held.len(), 6);
        let other = client("192.0.2.2");
        let others: Vec<_> = std::iter::from_fn(|| slots.try_take(other)).collect();
        assert_eq!(others.len(), 2);
        assert!(slots.try_take(Client::Operator).is_none(), "there are none left");
        drop(held);
        assert!(slots.try_take(other).is_some());
        drop(others);
        assert!(slots.state().held.is_empty() && slots.state().free == 8);
    }

    #[test]
    fn a_single_slot_is_for_anybody() {
        let slots = Slots::new(1);
        assert!(slots.try_take(Client::Operator).is_some());
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1:2:3"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[tokio::test]
    async fn whoever_waits_is_served_in_turn_and_past_whoever_has_his_share() {
        let slots = Slots::new(4);
        let (greedy, modest) = (client("192.0.2.1"), client("192.0.2.2"));
        let mut held: Vec<_> = std::iter::from_fn(|| slots.try_take(greedy)).collect();
        held.push(slots.try_take(modest).expect("a quarter is left"));
        let mut first = Box::pin(slots.take(greedy));
        let mut gone = Box::pin(slots.take(modest));
        let mut second = Box::pin(slots.take(modest));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut gone).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(gone);
        // The slot of the modest goes past the greedy, who has his share, and past who has left.
        drop(held.pop());
        assert!((&mut first).now_or_never().is_none());
        let second = second.now_or_never().flatten().expect("it is his turn");
        drop(held.pop());
        assert!(first.now_or_never().flatten().is_some());
        drop((held, second));
        assert!(slots.state().held.is_empty() && slots.state().free == 4);
    }

    #[tokio::test]
    async fn the_line_ends_somewhere() {
        let slots = Slots::new(1);
        let _held = slots.try_take(Client::Operator);
        let mut waiting: Vec<_> =
            (0..QUEUE_FACTOR_MAX).map(|_| Box::pin(slots.take(Client::Operator))).collect();
        assert!(waiting.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        assert!(slots.take(Client::Operator).await.is_none(), "there is no place");
        waiting.pop();
        assert!(slots.take(Client::Operator).now_or_never().is_none(), "a place is free again");
    }
}
