//! What somebody wants of the rules of a workspace.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Because;
use super::typed::write_because;
use crate::domain::rights::{Change, Party, Places, Rule, Who};

/// What somebody wants of the rules of their workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RulesWish {
    /// To see them.
    Show,
    /// To change them.
    Change {
        /// How.
        change: Change,
        /// Why.
        because: Option<Because>,
    },
}

/// As it would be typed behind `rules`; people, groups and conversations by their ids.
pub(super) fn write(f: &mut fmt::Formatter<'_>, wish: &RulesWish) -> fmt::Result {
    let RulesWish::Change { change, because } = wish else { return Ok(()) };
    match change {
        Change::Reset(matter) => write!(f, " reset {matter}")?,
        Change::Set(rule) => {
            write!(f, " {}", rule.matter())?;
            write_rule(f, rule)?;
        }
    }
    because.iter().try_for_each(|because| write_because(f, because))
}

fn write_rule(f: &mut fmt::Formatter<'_>, rule: &Rule) -> fmt::Result {
    match rule {
        Rule::Use(who) | Rule::Deploy { who, to: _ } | Rule::Override(who) => match who {
            Who::Everyone => f.write_str(" everyone"),
            Who::Only(party) if party.is_empty() => f.write_str(" nobody"),
            Who::Only(Party { people, groups }) => {
                f.write_str(" only")?;
                people.iter().try_for_each(|user| write!(f, " @{user}"))?;
                groups.iter().try_for_each(|group| write!(f, " group:{}/{}", group.id, group.name))
            }
        },
        Rule::Channels(Places::Everywhere) => f.write_str(" everywhere"),
        Rule::Channels(Places::Only(channels)) => {
            f.write_str(" only")?;
            channels.iter().try_for_each(|channel| write!(f, " #{channel}"))
        }
        Rule::Guests { welcome } | Rule::Outsiders { welcome } => f.write_str(if *welcome { " yes" } else { " no" }),
    }
}
