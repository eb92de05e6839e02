//! What the ports promise, as suites that run against every adapter of a port, and the treaties with the outside.

mod books;
mod broken;
mod chats;
mod clocks;
mod directories;
mod github;
mod heroku;
mod heroku_stage;
mod inboxes;
mod installs;
mod platforms;
mod recordings;
mod recordings_bodies;
mod recordings_calls;
mod recordings_live;
mod recordings_replay;
mod recordings_scrubbed;
mod recordings_simulated;
mod shapes;
mod sign_ins;
mod slack;
mod slack_inward;
mod slack_stage;
mod slack_states;
mod sources;
mod store;
pub mod traffic;
