//! `slash-heroku`: ship code from chat.
//!
//! The rings, from the inside: [`domain`] knows, [`ports`] say what is needed, [`usecases`] do, [`adapters`] talk to the
//! world, [`sandbox`] is a world to try it in. `ARCHITECTURE.md` is the map.

pub mod adapters;

pub mod domain;
pub mod ports;
pub mod sandbox;
pub mod usecases;
