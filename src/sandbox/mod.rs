//! The simulated outside world: real HTTP servers on loopback, for tests and for people trying it.
//!
//! Simulators share no code with the adapters that speak to them. What they do not know they answer with 501 and the path.

pub mod answers;
pub mod browser;
pub mod clock;
pub mod company;
pub mod fault;
pub mod github;
pub mod heroku;
pub mod script;
pub mod secrets;
pub mod serve;
pub mod slack;
pub mod terminal;
pub mod world;
