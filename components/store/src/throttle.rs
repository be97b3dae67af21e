//! Slows guessing down, and nobody else.
//!
//! An attempt counts as failed from its start, until it succeeds, so that many at once are no way
//! around the limit. Three counters say how long the next attempt has to wait:
//!
//! - of the address at this login: the guesser alone is slowed;
//! - of the address at any login: against one password tried at many accounts;
//! - of the login from any address: against many addresses. Addresses that the user has signed in
//!   from before do not wait for this one, nor for the second, so a stranger locks nobody out.
//!
//! Kept in memory and bounded: what does not fit is what was quiet the longest.

use crate::limits::REGISTRATIONS_PER_HOUR_MAX;
use crate::secret;
use crate::types::Timestamp;
use std::collections::HashMap;

/// How often a counter lets somebody try at once before they have to wait, and how long at most.
struct Rule {
    free: u32,
    wait_seconds_max: u32,
}

const PAIR: Rule = Rule { free: 10, wait_seconds_max: 300 };
const ADDRESS: Rule = Rule { free: 50, wait_seconds_max: 300 };
const LOGIN: Rule = Rule { free: 30, wait_seconds_max: 60 };

/// After how many quiet seconds a counter is forgotten.
const QUIET_SECONDS: i64 = 3_600;
/// How many counters there are at the most.
const COUNTERS_MAX: usize = 60_000;

/// A counter's key: a keyed hash, so that no login makes a long key.
type Key = [u8; 32];

struct Counter {
    attempts: u32,
    last: Timestamp,
}

/// The counters.
pub struct Throttle {
    counters: HashMap<Key, Counter>,
    hash_key: [u8; 32],
}

impl Throttle {
    /// No attempts so far.
    pub fn new() -> Self {
        Self { counters: HashMap::new(), hash_key: secret::random() }
    }

    /// Begins an attempt at `login` from `address`, or says how many seconds it has to wait.
    /// `is_known`: whether the login's user has signed in from there before.
    pub fn begin(&mut self, login: &str, address: &str, is_known: bool, now: Timestamp) -> Result<(), u32> {
        let [pair, by_address, by_login] = self.keys(login, address);
        let mut wait = self.wait(&pair, &PAIR, now);
        if !is_known {
            wait = wait.max(self.wait(&by_address, &ADDRESS, now)).max(self.wait(&by_login, &LOGIN, now));
        }
        if wait > 0 {
            return Err(wait);
        }
        self.make_room(now);
        for key in [pair, by_address, by_login] {
            let counter = self.counters.entry(key).or_insert(Counter { attempts: 0, last: now });
            counter.attempts = counter.attempts.saturating_add(1);
            counter.last = now;
        }
        Ok(())
    }

    /// Begins a registration from `address`, or says how many seconds until there may be another:
    /// so many within the hour that began with the first.
    pub fn begin_registration(&mut self, address: &str, now: Timestamp) -> Result<(), u32> {
        let key = secret::keyed_hash(&self.hash_key, &[b"registration", network(address).as_bytes()]);
        self.make_room(now);
        let counter = self.counters.entry(key).or_insert(Counter { attempts: 0, last: now });
        if counter.is_quiet(now) {
            *counter = Counter { attempts: 0, last: now };
        }
        if counter.attempts >= REGISTRATIONS_PER_HOUR_MAX {
            let wait = counter.last.saturating_add(QUIET_SECONDS + 1).saturating_sub(now);
            return Err(u32::try_from(wait).unwrap_or(1));
        }
        counter.attempts += 1;
        Ok(())
    }

    /// Takes an attempt back that has succeeded, and forgets the failures of this address at this login.
    pub fn succeed(&mut self, login: &str, address: &str) {
        let [pair, by_address, by_login] = self.keys(login, address);
        let forgiven = self.counters.remove(&pair).map_or(0, |counter| counter.attempts);
        for key in [by_address, by_login] {
            if let Some(counter) = self.counters.get_mut(&key) {
                counter.attempts = counter.attempts.saturating_sub(forgiven);
            }
        }
    }

    fn keys(&self, login: &str, address: &str) -> [Key; 3] {
        let login = login.to_lowercase();
        let network = network(address);
        let key = |kind: &[u8], login: &str, address: &str| {
            secret::keyed_hash(&self.hash_key, &[kind, login.as_bytes(), address.as_bytes()])
        };
        [key(b"pair", &login, &network), key(b"address", "", &network), key(b"login", &login, "")]
    }

    /// The seconds until the next attempt may begin.
    fn wait(&self, key: &Key, rule: &Rule, now: Timestamp) -> u32 {
        let Some(counter) = self.counters.get(key).filter(|counter| !counter.is_quiet(now)) else {
            return 0;
        };
        let Some(excess) = counter.attempts.checked_sub(rule.free) else {
            return 0;
        };
        let pause = 1_u32.checked_shl(excess.min(31)).unwrap_or(u32::MAX).min(rule.wait_seconds_max);
        let waited = u32::try_from(now.saturating_sub(counter.last)).unwrap_or(0);
        pause.saturating_sub(waited)
    }

    /// Makes room for the counters of one attempt.
    fn make_room(&mut self, now: Timestamp) {
        if self.counters.len() + 3 <= COUNTERS_MAX {
            return;
        }
        self.counters.retain(|_, counter| !counter.is_quiet(now));
        if self.counters.len() + 3 <= COUNTERS_MAX {
            return;
        }
        // An eighth at a time, so that this is rare.
        let mut times: Vec<_> = self.counters.values().map(|counter| counter.last).collect();
        let (_, &mut oldest_kept, _) = times.select_nth_unstable(COUNTERS_MAX / 8);
        let mut surplus = COUNTERS_MAX / 8;
        self.counters.retain(|_, counter| {
            let is_dropped = surplus > 0 && counter.last <= oldest_kept;
            surplus -= usize::from(is_dropped);
            !is_dropped
        });
    }
}

impl Counter {
    fn is_quiet(&self, now: Timestamp) -> bool {
        // A counter from the future is left from before the clock was set back.
        !(0..=QUIET_SECONDS).contains(&now.saturating_sub(self.last))
    }
}

/// What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, which is what
/// one customer gets.
pub fn network(address: &str) -> String {
    match address.parse::<std::net::IpAddr>().map(|address| address.to_canonical()) {
        Ok(std::net::IpAddr::V6(address)) => format!("{:x?}", &address.segments()[..4]),
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_000_000;

    /// Tries until it has to wait, and returns how often it did not.
    fn exhaust(throttle: &mut Throttle, login: &str, address: &str, is_known: bool) -> (u32, u32) {
        for tries in 0..1_000 {
            if let Err(wait) = throttle.begin(login, address, is_known, NOW) {
                return (tries, wait);
            }
        }
        panic!("it was never throttled");
    }

    #[test]
    fn guessing_at_one_login_waits_longer_and_longer() {
        let mut throttle = Throttle::new();
        assert_eq!(exhaust(&mut throttle, "anna", "192.0.2.1", false), (10, 1));
        let (mut now, mut waits) = (NOW, Vec::new());
        for _ in 0..11 {
            let wait = throttle.begin("anna", "192.0.2.1", false, now).expect_err("it waits");
            waits.push(wait);
            now += i64::from(wait);
            assert_eq!(throttle.begin("anna", "192.0.2.1", false, now - 1), Err(1));
            throttle.begin("Anna", "192.0.2.1", false, now).expect("the time is over");
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(throttle.begin("anna", "192.0.2.1", false, now + QUIET_SECONDS + 1), Ok(()));
    }

    #[test]
    fn a_stranger_locks_nobody_out() {
        let mut throttle = Throttle::new();
        exhaust(&mut throttle, "anna", "192.0.2.1", false);
        assert_eq!(throttle.begin("anna", "192.0.2.2", false, NOW), Ok(()), "another address");
        for n in 0..4 {
            exhaust(&mut throttle, "anna", &format!("198.51.100.{n}"), false);
        }
        assert!(throttle.begin("anna", "192.0.2.3", false, NOW).is_err(), "an address never seen");
        assert_eq!(throttle.begin("anna", "192.0.2.3", true, NOW), Ok(()), "an address signed in from");
    }

    #[test]
    fn one_password_at_many_logins_is_slowed() {
        let mut throttle = Throttle::new();
        let tries =
            (0..1_000).take_while(|n| throttle.begin(&format!("user{n}"), "192.0.2.1", false, NOW).is_ok());
        assert_eq!(tries.count(), 50);
        assert_eq!(throttle.begin("bert", "192.0.2.1", true, NOW), Ok(()), "bert is known there");
        assert_eq!(throttle.begin("bert", "192.0.2.9", false, NOW), Ok(()));
    }

    #[test]
    fn success_forgives() {
        let mut throttle = Throttle::new();
        for _ in 0..100 {
            assert_eq!(throttle.begin("anna", "192.0.2.1", false, NOW), Ok(()));
            throttle.succeed("anna", "192.0.2.1");
        }
        exhaust(&mut throttle, "anna", "192.0.2.1", false);
        throttle.succeed("ANNA", "192.0.2.1");
        assert_eq!(exhaust(&mut throttle, "anna", "192.0.2.1", false), (10, 1));
        throttle.succeed("never seen", "192.0.2.77");
    }

    #[test]
    fn an_ipv6_customer_is_one_address() {
        let mut throttle = Throttle::new();
        exhaust(&mut throttle, "anna", "2001:db8::1", false);
        assert!(throttle.begin("anna", "2001:db8::ffff:1", false, NOW).is_err());
        assert!(throttle.begin("anna", "2001:db8:0:1::1", false, NOW).is_ok());
        exhaust(&mut throttle, "bert", "192.0.2.1", false);
        assert!(throttle.begin("bert", "::ffff:192.0.2.1", false, NOW).is_err());
    }

    #[test]
    fn registrations_are_counted_by_the_hour() {
        let mut throttle = Throttle::new();
        for n in 0..REGISTRATIONS_PER_HOUR_MAX {
            assert_eq!(throttle.begin_registration("192.0.2.1", NOW + i64::from(n)), Ok(()));
        }
        assert_eq!(throttle.begin_registration("192.0.2.1", NOW + 10), Err(3_591));
        assert_eq!(throttle.begin_registration("192.0.2.2", NOW + 10), Ok(()));
        assert_eq!(throttle.begin_registration("192.0.2.1", NOW + 10 + 3_591), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::new();
        for n in 0..60_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(n).to_string();
            let _ = throttle.begin(&n.to_string(), &address, false, NOW + i64::from(n / 1_000));
            assert!(throttle.counters.len() <= COUNTERS_MAX);
        }
        assert!(throttle.counters.len() > COUNTERS_MAX / 2);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut throttle = Throttle::new();
        exhaust(&mut throttle, "anna", "192.0.2.1", false);
        assert_eq!(throttle.begin("anna", "192.0.2.1", false, NOW - 10_000), Ok(()));
    }
}
