//! stub
use crate::domain::gate::Reason;
use crate::domain::message::*;
/// x
pub fn reason(_: &Reason) -> Vec<Line> {
    vec![]
}
