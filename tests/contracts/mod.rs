//! What the ports promise, as suites that run against every adapter of a port, and the treaties with the outside.

mod github;
mod heroku;
mod heroku_stage;
mod recordings;
mod recordings_replay;
mod recordings_simulated;
mod shapes;
mod store;
