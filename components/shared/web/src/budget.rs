//! What clients who are not signed in may cost: crawlers, which ask for everything that there is.
//!
//! A component says what an answer costs, in points of about ten milliseconds of a processor, and refuses what
//! costs something to whoever has used up a budget. The host counts (see its `budget`), where all instances
//! meet; where it does not, as under Spin, there is no limit.

use crate::answer::Answer;
use http::{HeaderMap, HeaderValue};
use lithe_forge::host_header;

/// In how many seconds the client may ask for what costs something; 0 is now. The host sets it.
const BUDGET: &str = "lithe-budget";

/// What an answer has cost. The host takes it away.
const COST: &str = "lithe-cost";

/// The budget of the client that makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// None: nobody counts.
    wait_seconds: Option<u32>,
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's budget is used up for {wait_seconds} seconds")]
pub struct Spent {
    pub wait_seconds: u32,
}

impl Budget {
    /// That of whoever makes the request. Who is signed in has none.
    pub fn of(headers: &HeaderMap, is_anonymous: bool) -> Self {
        let said = host_header(headers, BUDGET).filter(|_| is_anonymous);
        Self { wait_seconds: said.and_then(|seconds| seconds.parse().ok()) }
    }

    /// Fails if the client has to wait with what costs that many points.
    pub fn check(self, points: u32) -> Result<(), Spent> {
        match self.wait_seconds {
            Some(wait_seconds) if wait_seconds > 0 && points > 0 => Err(Spent { wait_seconds }),
            _ => Ok(()),
        }
    }

    /// Says what an answer has cost, where somebody counts.
    pub fn charge(self, answer: &mut Answer, points: u32) {
        if self.wait_seconds.is_some() && points > 0 {
            answer.headers_mut().insert(COST, HeaderValue::from(points));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer;
    use http::StatusCode;

    fn budget(seconds: Option<&'static str>, is_anonymous: bool) -> Budget {
        let headers =
            seconds.map(|seconds| (http::HeaderName::from_static(BUDGET), HeaderValue::from_static(seconds)));
        Budget::of(&headers.into_iter().collect(), is_anonymous)
    }

    #[test]
    fn whoever_has_spent_a_budget_waits_unless_signed_in_or_for_what_costs_nothing() {
        let cases = [
            (Some("7"), true, 1, Err(Spent { wait_seconds: 7 })),
            (Some("7"), true, 0, Ok(())),
            (Some("7"), false, 1, Ok(())),
            (Some("0"), true, 1, Ok(())),
            (Some("x"), true, 1, Ok(())),
            (None, true, 1, Ok(())),
        ];
        for (seconds, is_anonymous, points, expected) in cases {
            assert_eq!(
                budget(seconds, is_anonymous).check(points),
                expected,
                "{seconds:?} {is_anonymous} {points}"
            );
        }
    }

    #[test]
    fn only_whoever_counts_is_told_what_an_answer_cost() {
        for (seconds, is_anonymous, points, expected) in [
            (Some("0"), true, 5, true),
            (Some("0"), true, 0, false),
            (Some("0"), false, 5, false),
            (None, true, 5, false),
        ] {
            let mut answer = answer::text(StatusCode::OK, "x");
            budget(seconds, is_anonymous).charge(&mut answer, points);
            assert_eq!(answer.headers().contains_key(COST), expected, "{seconds:?} {is_anonymous} {points}");
        }
    }
}
