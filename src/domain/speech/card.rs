//! stub
#![allow(missing_docs, reason = "stub")]
use crate::domain::deployment::*;
use crate::domain::message::*;
use crate::domain::names::*;
use crate::domain::source::*;
use jiff::Timestamp;
#[derive(Debug)]
pub struct Pages {
    pub app: String,
    pub build: Option<String>,
    pub release: Option<String>,
}
#[derive(Debug)]
pub struct CardView<'a> {
    pub deployment: &'a Deployment,
    pub now: Timestamp,
    pub ahead: Option<usize>,
    pub pages: &'a Pages,
}
pub fn commit(_: &CommitSha, _: &CommitRef) -> Line {
    vec![]
}
pub fn change_lines(_: &Comparison) -> Vec<Line> {
    vec![]
}
pub fn age(_: Timestamp, _: Timestamp) -> String {
    String::new()
}
pub fn card(_: &CardView<'_>) -> Message {
    Message::new(Tone::Info, Audience::Asker, vec![])
}
pub fn ended(_: &CardView<'_>) -> Message {
    Message::new(Tone::Info, Audience::Asker, vec![])
}
pub fn needs_code(_: &CardView<'_>, _: &str) -> Message {
    Message::new(Tone::Info, Audience::Asker, vec![])
}
pub fn report_description(_: &Deployment) -> String {
    String::new()
}
pub fn announcement_description(_: &Deployment) -> String {
    String::new()
}
impl std::fmt::Display for crate::domain::command::Command {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
