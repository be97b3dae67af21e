//! A dependency: it counts, and works.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

spin_sdk::wit_bindgen::generate!({
    path: "wit",
    world: "keeper",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

struct Keeper;
export!(Keeper);

static SUM: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);

fn compute(milliseconds: u64) {
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

impl exports::test::kit::counter::Guest for Keeper {
    fn add(amount: u64) -> u64 {
        SUM.fetch_add(amount, Relaxed) + amount
    }

    fn echo(
        thing: exports::test::kit::counter::Thing,
        fail: bool,
    ) -> Result<exports::test::kit::counter::Thing, String> {
        if fail { Err(thing.name) } else { Ok(thing) }
    }

    fn fail() {
        panic!("as asked");
    }

    fn hang() {
        compute(u64::MAX / 2);
    }

    fn mark(milliseconds: u64) {
        compute(milliseconds);
        std::fs::write("/db/mark", "done").expect("a writable mount");
    }
}

impl exports::test::kit::labour::Guest for Keeper {
    fn work(milliseconds: u64) -> u64 {
        compute(milliseconds);
        CALLS.fetch_add(1, Relaxed) + 1
    }
}

impl exports::test::kit::trial::Guest for Keeper {
    fn attempt(how: String) -> Result<String, String> {
        match how.as_str() {
            "error" => return Err("an error".to_owned()),
            "trap" => panic!("as asked"),
            "hang" => compute(u64::MAX / 2),
            "memory" => drop(std::hint::black_box(vec![1_u8; 512 << 20])),
            _ => {}
        }
        Ok(how)
    }
}

impl exports::test::kit::operator::Guest for Keeper {
    fn token() -> Result<String, String> {
        Ok("the-operator".to_owned())
    }

    fn first_administrator() -> Result<Option<exports::test::kit::operator::OneTimePassword>, String> {
        Ok(None)
    }
}
