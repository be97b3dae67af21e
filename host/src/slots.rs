//! What is limited in number, shared so that no client can have all of it: whoever sends or reads a
//! byte a minute would otherwise keep everybody else out with a handful of connections.
//!
//! One client may hold three quarters of the slots, and as much of the line before them. That is
//! nearly all for the one office behind one address, and leaves something for others beside it. Of
//! those behind one address, one may hold three quarters of that.

use crate::limits::LEFT_TO_OTHERS;
use futures::channel::oneshot;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

/// Who asks: a client, and which of those behind its address, as far as the request tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asker {
    pub client: Client,
    /// None: it cannot be told. Whoever asks can say what they like here, so it decides between the requests
    /// of one client alone.
    pub voice: Option<u64>,
}

/// Slots, those who hold them, and those who wait for one.
pub struct Slots {
    count: usize,
    /// How many may wait.
    line_max: usize,
    state: Mutex<State>,
}

/// A slot that is taken, until it is dropped.
pub struct Slot {
    /// None: it was never handed over.
    slots: Option<Arc<Slots>>,
    asker: Asker,
}

struct State {
    free: usize,
    held: HashMap<Client, usize>,
    /// Of that, by those who can be told apart.
    held_by_voice: HashMap<Asker, usize>,
    line: VecDeque<Waiting>,
}

struct Waiting {
    asker: Asker,
    sender: oneshot::Sender<Slot>,
}

impl Slots {
    pub fn new(count: usize, line_max: usize) -> Arc<Self> {
        let state =
            State { free: count, held: HashMap::new(), held_by_voice: HashMap::new(), line: VecDeque::new() };
        Arc::new(Self { count, line_max, state: Mutex::new(state) })
    }

    /// How many one client may hold.
    fn share(&self) -> usize {
        without_what_is_left(self.count)
    }

    /// Takes a slot if there is one for the asker now.
    pub fn try_take(self: &Arc<Self>, asker: Asker) -> Option<Slot> {
        let mut state = self.state();
        self.may_have(&state, asker).then(|| self.grant(&mut state, asker))
    }

    /// Takes a slot, and waits in line for it if that has a place and does not take longer than `wait_max`.
    pub async fn take(self: &Arc<Self>, asker: Asker, wait_max: Duration) -> Option<Slot> {
        let receiver = {
            let mut state = self.state();
            if self.may_have(&state, asker) {
                return Some(self.grant(&mut state, asker));
            }
            state.line.retain(|waiting| !waiting.sender.is_canceled());
            let of_client = state.line.iter().filter(|waiting| waiting.asker.client == asker.client).count();
            if state.line.len() >= self.line_max || of_client >= self.line_max * self.share() / self.count {
                return None;
            }
            let (sender, receiver) = oneshot::channel();
            state.line.push_back(Waiting { asker, sender });
            receiver
        };
        tokio::time::timeout(wait_max, receiver).await.ok()?.ok()
    }

    fn may_have(&self, state: &State, asker: Asker) -> bool {
        let share = self.share();
        let voice_share = asker.voice.map_or(share, |_| without_what_is_left(share));
        state.free > 0 && state.held(asker.client) < share && state.held_by_voice(asker) < voice_share
    }

    fn grant(self: &Arc<Self>, state: &mut State, asker: Asker) -> Slot {
        state.free -= 1;
        *state.held.entry(asker.client).or_default() += 1;
        *state.held_by_voice.entry(asker).or_default() += 1;
        Slot { slots: Some(self.clone()), asker }
    }

    fn release(self: &Arc<Self>, asker: Asker) {
        let mut state = self.state();
        state.release(asker);
        while let Some(next) = self.next(&state) {
            let Waiting { asker, sender } = state.line.remove(next).expect("it is at this position");
            let slot = self.grant(&mut state, asker);
            match sender.send(slot) {
                Ok(()) => return,
                Err(mut unwanted) => {
                    unwanted.slots = None;
                    state.release(asker);
                }
            }
        }
    }

    /// Whose turn it is: of those who may have a slot, the client that holds the fewest, of that whoever
    /// holds the fewest, and of those who came first.
    fn next(&self, state: &State) -> Option<usize> {
        let line = state.line.iter().enumerate();
        let allowed = line.filter(|(_, waiting)| self.may_have(state, waiting.asker));
        let next = allowed.min_by_key(|(index, Waiting { asker, .. })| {
            (state.held(asker.client), state.held_by_voice(*asker), *index)
        });
        next.map(|(index, _)| index)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many but for the part that is for others; never none.
fn without_what_is_left(count: usize) -> usize {
    (count - count.div_ceil(LEFT_TO_OTHERS)).max(1)
}

impl State {
    fn held(&self, client: Client) -> usize {
        self.held.get(&client).copied().unwrap_or(0)
    }

    fn held_by_voice(&self, asker: Asker) -> usize {
        self.held_by_voice.get(&asker).copied().unwrap_or(0)
    }

    fn release(&mut self, asker: Asker) {
        self.free += 1;
        one_less(&mut self.held, asker.client);
        one_less(&mut self.held_by_voice, asker);
    }
}

fn one_less<K: Eq + Hash>(held: &mut HashMap<K, usize>, holder: K) {
    let Entry::Occupied(mut entry) = held.entry(holder) else {
        unreachable!("whoever holds a slot is counted");
    };
    *entry.get_mut() -= 1;
    if *entry.get() == 0 {
        entry.remove();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.slots.take() {
            slots.release(self.asker);
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

    fn asker(address: &str) -> Asker {
        Asker { client: client(address), voice: None }
    }

    const WAIT: Duration = Duration::from_secs(5);

    const OPERATOR: Asker = Asker { client: Client::Operator, voice: None };

    #[test]
    fn one_client_leaves_a_quarter_to_others() {
        let slots = Slots::new(8, 0);
        let one = asker("192.0.2.1");
        let held: Vec<_> = std::iter::from_fn(|| slots.try_take(one)).collect();
        assert_eq!(held.len(), 6);
        let other = asker("192.0.2.2");
        let others: Vec<_> = std::iter::from_fn(|| slots.try_take(other)).collect();
        assert_eq!(others.len(), 2);
        assert!(slots.try_take(OPERATOR).is_none(), "there are none left");
        drop(held);
        assert!(slots.try_take(other).is_some());
        drop(others);
        assert!(slots.state().held.is_empty() && slots.state().free == 8);
    }

    #[test]
    fn a_single_slot_is_for_anybody() {
        let slots = Slots::new(1, 0);
        assert!(slots.try_take(OPERATOR).is_some());
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1:2:3"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn one_of_a_client_leaves_some_to_the_others_behind_the_same_address() {
        let slots = Slots::new(4, 0);
        let voice = |voice| Asker { voice: Some(voice), ..asker("192.0.2.1") };
        let held: Vec<_> = std::iter::from_fn(|| slots.try_take(voice(1))).collect();
        assert_eq!(held.len(), 2);
        let others: Vec<_> = std::iter::from_fn(|| slots.try_take(voice(2))).collect();
        assert_eq!(others.len(), 1, "the client has its share");
        assert!(slots.try_take(asker("192.0.2.2")).is_some());
        drop((held, others));
        assert!(slots.state().held_by_voice.is_empty() && slots.state().free == 4);
    }

    #[tokio::test]
    async fn whoever_holds_the_fewest_comes_first() {
        let slots = Slots::new(4, 100);
        let voice = |voice| Asker { voice: Some(voice), ..asker("192.0.2.1") };
        let (crawler, person, other) = (voice(1), voice(2), asker("192.0.2.2"));
        let mut held: Vec<_> = std::iter::from_fn(|| slots.try_take(crawler)).collect();
        held.extend([slots.try_take(other), slots.try_take(OPERATOR)].map(|slot| slot.expect("one is left")));
        let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(slots.take(crawler, WAIT))).collect();
        assert!(waiting.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        let mut of_person = Box::pin(slots.take(person, WAIT));
        let mut of_other = Box::pin(slots.take(other, WAIT));
        assert!((&mut of_person).now_or_never().is_none() && (&mut of_other).now_or_never().is_none());
        drop(held.pop());
        let of_other = of_other.now_or_never().flatten().expect("the other client holds one, the first two");
        drop(of_other);
        let of_person = of_person.now_or_never().flatten().expect("the crawler has its share");
        drop((held, of_person));
        let granted: Vec<_> =
            waiting.iter_mut().filter_map(|waiting| waiting.now_or_never().flatten()).collect();
        assert_eq!(granted.len(), 2);
    }

    #[tokio::test]
    async fn whoever_waits_is_served_in_turn_and_past_whoever_has_his_share() {
        let slots = Slots::new(4, 8);
        let (greedy, modest) = (asker("192.0.2.1"), asker("192.0.2.2"));
        let mut held: Vec<_> = std::iter::from_fn(|| slots.try_take(greedy)).collect();
        held.push(slots.try_take(modest).expect("a quarter is left"));
        let mut first = Box::pin(slots.take(greedy, WAIT));
        let mut gone = Box::pin(slots.take(modest, WAIT));
        let mut second = Box::pin(slots.take(modest, WAIT));
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
        let slots = Slots::new(1, 2);
        let _held = slots.try_take(OPERATOR);
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(slots.take(OPERATOR, WAIT))).collect();
        assert!(waiting.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        assert!(slots.take(OPERATOR, WAIT).await.is_none(), "there is no place");
        waiting.pop();
        assert!(slots.take(OPERATOR, WAIT).now_or_never().is_none(), "a place is free again");
    }
}
