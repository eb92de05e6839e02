//! `slash-heroku`: ship code from chat.
//!
//! The rings, from the inside: [`domain`] knows, [`ports`] say what is needed, [`usecases`] do, [`adapters`] talk to the
//! world, [`sandbox`] is a world to try it in. `ARCHITECTURE.md` is the map.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod counted;
pub mod domain;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
#[expect(clippy::panic, reason = "what does not hold at a door is told by a panic")]
pub mod fuzzing;
pub mod health;
pub mod logging;
pub mod metrics;
pub mod ports;
pub mod rehearsal;
pub mod run;
pub mod sandbox;
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usecases;
pub mod wiring;
pub mod workers;
