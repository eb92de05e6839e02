//! stub
use crate::domain::command::Verb;
use crate::domain::message::*;
/// x
pub fn help(_: Option<Verb>, _: &str, _: bool) -> Message {
    Message::new(Tone::Info, Audience::Asker, vec![])
}
