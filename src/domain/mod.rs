//! What the product knows: pure, synchronous rules about apps, environments, pipelines and deployments.
//!
//! Nothing here waits, reads a clock or takes an id from the world: both come in as arguments.

pub mod account;
pub mod actor;
pub mod allowance;
pub mod checks;
pub mod checkup;
pub mod command;
pub mod deployment;
pub mod doubt;
pub mod fault;
pub mod form;
pub mod gate;
pub mod installation;
pub mod line;
pub mod lock;
pub mod message;
pub mod names;
pub mod notice;
pub mod offer;
pub mod page;
pub mod parse;
pub mod pipeline;
pub mod privacy;
pub mod release;
pub mod request;
pub mod rights;
pub mod route;
pub mod secret;
pub mod sign_in;
pub mod source;
pub mod speech;
