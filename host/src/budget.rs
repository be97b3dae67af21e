//! What clients have cost lately: a count for each, that falls with time.
//!
//! The host counts and knows nothing else: what an answer cost its component says, in a header that
//! goes no further, and whether a client that has used up its budget is refused is the component's
//! decision too, which alone knows who asks and for what.

use crate::limits::{BUDGET_MINUTES_KEPT, BUDGET_SETS, BUDGET_WAYS};
use crate::slots::Client;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The budgets of all clients, in a table whose size does not depend on how many there are.
pub struct Budgets {
    /// Points that a client may cost in a minute.
    per_minute: f32,
    /// With a secret of its own, so that nobody can choose whose place to take.
    hasher: RandomState,
    began: Instant,
    sets: Mutex<Vec<[Entry; BUDGET_WAYS]>>,
}

/// What a client has cost.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The digest of the client.
    key: u64,
    /// Points, as of `seconds`.
    spent: f32,
    /// Since the table was made.
    seconds: f32,
}

impl Budgets {
    /// Budgets of that many points a minute; none if there is no limit.
    pub fn new(per_minute: u32) -> Option<Self> {
        (per_minute > 0).then(|| Self {
            per_minute: per_minute as f32,
            hasher: RandomState::new(),
            began: Instant::now(),
            sets: Mutex::new(vec![[Entry::default(); BUDGET_WAYS]; BUDGET_SETS]),
        })
    }

    /// In how many seconds the client may ask for what costs something; 0 is now.
    pub fn wait_seconds(&self, client: Client) -> u32 {
        self.wait_at(client, self.now())
    }

    /// Counts what an answer has cost.
    pub fn charge(&self, client: Client, points: u32) {
        self.charge_at(client, points, self.now());
    }

    fn now(&self) -> f32 {
        self.began.elapsed().as_secs_f32()
    }

    /// What may be spent at once, by whoever has spent nothing lately.
    fn whole(&self) -> f32 {
        self.per_minute * BUDGET_MINUTES_KEPT
    }

    fn wait_at(&self, client: Client, now: f32) -> u32 {
        let key = self.key(client);
        let sets = self.sets();
        let entry = sets[set(key)].iter().find(|entry| entry.key == key && entry.spent > 0.0);
        let spent = entry.map_or(0.0, |entry| self.left_of(entry, now));
        let over = spent - self.whole();
        if over < 0.0 { 0 } else { (over * 60.0 / self.per_minute) as u32 + 1 }
    }

    fn charge_at(&self, client: Client, points: u32, now: f32) {
        let key = self.key(client);
        let mut sets = self.sets();
        let ways = &mut sets[set(key)];
        let own = ways.iter().position(|entry| entry.key == key);
        // Where there is no room, the one goes that has cost the least.
        let cheapest = || {
            let costs = ways.iter().map(|entry| self.left_of(entry, now)).enumerate();
            costs.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
        };
        let index = own.unwrap_or_else(cheapest);
        let before = own.map_or(0.0, |index| self.left_of(&ways[index], now));
        // What was under way at once may go past the budget, and no wait is longer than it takes to regain it.
        let spent = (before + points as f32).min(2.0 * self.whole());
        ways[index] = Entry { key, spent, seconds: now };
    }

    /// What of an entry's points is not forgotten yet.
    fn left_of(&self, entry: &Entry, now: f32) -> f32 {
        let forgotten = (now - entry.seconds).max(0.0) * self.per_minute / 60.0;
        (entry.spent - forgotten).max(0.0)
    }

    fn key(&self, client: Client) -> u64 {
        self.hasher.hash_one(client)
    }

    fn sets(&self) -> MutexGuard<'_, Vec<[Entry; BUDGET_WAYS]>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(key: u64) -> usize {
    key as usize % BUDGET_SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::of(address.parse().expect("an address"))
    }

    #[test]
    fn whoever_has_spent_his_budget_waits_until_some_is_regained() {
        let budgets = Budgets::new(60).expect("a limit");
        let (one, other) = (client("192.0.2.1"), client("192.0.2.2"));
        let whole = 60 * BUDGET_MINUTES_KEPT as u32;
        budgets.charge_at(one, whole - 1, 0.0);
        assert_eq!(budgets.wait_at(one, 0.0), 0);
        budgets.charge_at(one, 1, 0.0);
        assert_eq!((budgets.wait_at(one, 0.0), budgets.wait_at(other, 0.0)), (1, 0));
        assert_eq!(budgets.wait_at(one, 1.5), 0);
        budgets.charge_at(one, 31, 1.0);
        assert_eq!(budgets.wait_at(one, 1.0), 31);
        assert_eq!(budgets.wait_at(one, 60.0), 0);
    }

    #[test]
    fn no_wait_is_longer_than_it_takes_to_regain_the_budget() {
        let budgets = Budgets::new(60).expect("a limit");
        let one = client("192.0.2.1");
        (0..1_000).for_each(|_| budgets.charge_at(one, 1_000, 0.0));
        assert_eq!(budgets.wait_at(one, 0.0), 60 * BUDGET_MINUTES_KEPT as u32 + 1);
        assert_eq!(budgets.wait_at(one, 61.0 * BUDGET_MINUTES_KEPT), 0);
    }

    #[test]
    fn an_ipv6_subscriber_has_one_budget() {
        let budgets = Budgets::new(1).expect("a limit");
        budgets.charge_at(client("2001:db8::1"), 100, 0.0);
        assert_ne!(budgets.wait_at(client("2001:db8::2"), 0.0), 0);
        assert_eq!(budgets.wait_at(client("2001:db8:0:1::2"), 0.0), 0);
    }

    #[test]
    fn many_clients_take_no_more_room_and_the_one_that_cost_most_is_remembered() {
        let budgets = Budgets::new(600).expect("a limit");
        let greedy = client("192.0.2.1");
        budgets.charge_at(greedy, 10_000, 0.0);
        for number in 0..4 * (BUDGET_SETS * BUDGET_WAYS) as u32 {
            budgets.charge_at(Client::of(std::net::Ipv4Addr::from(number).into()), 1, 0.0);
        }
        assert_ne!(budgets.wait_at(greedy, 0.0), 0);
        assert_eq!(budgets.sets().len(), BUDGET_SETS);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        assert!(Budgets::new(0).is_none());
    }
}
