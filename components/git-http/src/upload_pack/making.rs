//! How a pack is made: of what a walk selects, by a recipe that is written on the way, or by one that
//! somebody else writes meanwhile.

use super::remembered::{Memory, Recalled};
use super::turn::Turn;
use crate::limits::TURN_WAIT_MS_MAX;
use lithe_git::odb::{Error, Store};
use lithe_git::pack::Recipe;
use lithe_git::walk::{Request, Walk};
use std::time::{Duration, Instant};

/// How the pack is made.
pub enum Making {
    /// Of what this walk selects; the recipe is to be remembered, if it is said where.
    Walk(Box<Walk>, Option<Building>),
    /// As it was made before. Where it is remembered, in case that its checksum is not known yet.
    ByRecipe(Recipe, Memory),
    /// By the recipe that somebody else is writing.
    Wait(Box<Waiting>),
}

/// The turn to write a recipe.
pub struct Building {
    pub memory: Memory,
    pub turn: Turn,
}

/// A request that waits for a recipe.
pub struct Waiting {
    request: Request,
    memory: Memory,
    until: Instant,
}

impl Making {
    /// The way to make what is asked for; `memory` is where its recipe may be, if it is to have one.
    pub fn of(store: &Store, request: Request, memory: Option<Memory>) -> Result<Self, Error> {
        match memory {
            Some(memory) => {
                let until = Instant::now() + Duration::from_millis(TURN_WAIT_MS_MAX);
                Waiting { request, memory, until }.look(store)
            }
            None => Ok(Self::Walk(Box::new(Walk::new(store, request)?), None)),
        }
    }
}

impl Waiting {
    /// Goes on if there is a recipe by now, or nobody writes one any more, or it has waited long enough.
    pub fn look(self, store: &Store) -> Result<Making, Error> {
        let turn = match self.memory.recall(store) {
            Recalled::Nothing => self.memory.take_turn(),
            recalled => return self.by(store, recalled, None),
        };
        match turn {
            // Who had the turn before may have ended in between.
            Some(turn) => {
                let recalled = self.memory.recall(store);
                self.by(store, recalled, Some(turn))
            }
            None if Instant::now() < self.until => Ok(Making::Wait(Box::new(self))),
            None => self.by(store, Recalled::Nothing, None),
        }
    }

    fn by(self, store: &Store, recalled: Recalled, turn: Option<Turn>) -> Result<Making, Error> {
        let Self { request, memory, .. } = self;
        let building = match (recalled, turn) {
            (Recalled::Recipe(recipe), _) => return Ok(Making::ByRecipe(recipe, memory)),
            (Recalled::Nothing, Some(turn)) => Some(Building { memory, turn }),
            _ => None,
        };
        Ok(Making::Walk(Box::new(Walk::new(store, request)?), building))
    }
}
