//! The form by which something ships: what is known before, what may be put in, and what it asks for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::command::{Command, Terms, Wish};
use crate::domain::names::RepoName;
use crate::domain::parse;
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::Ask;
use crate::domain::source::AskedRef;
use crate::domain::speech;

use super::{FieldName, Filled, ForeignForm, Objection, Suggestion, reason};

/// The most that is offered at a time.
const OFFERED: usize = 100;
/// Stands for what is not known; nothing that can be known may be called so.
const NOTHING: &str = "~";

/// What is known of something to ship before anything is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<AskedRef>,
    /// The repository that it belongs to, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RepoName>,
    /// All that was found, where it was looked for in somebody's words: one is what ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Vec<Change>>,
}

/// A commit or a pull request that somebody mentioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What.
    pub what: AskedRef,
    /// Its repository, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RepoName>,
}

impl Draft {
    /// What was found in somebody's words: ships if it is one thing.
    pub fn of_found(found: Vec<Change>) -> Self {
        let (what, of) = match found.as_slice() {
            [only] => (Some(only.what.clone()), only.of.clone()),
            _ => (None, None),
        };
        Self { what, of, found: Some(found) }
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.as_ref().map(ToString::to_string).filter(|what| !what.is_empty());
        let of = self.of.as_ref().map_or(NOTHING, RepoName::as_str);
        write!(f, "{of} {}", what.as_deref().unwrap_or(NOTHING))
    }
}

impl FromStr for Draft {
    type Err = ForeignForm;

    fn from_str(text: &str) -> Result<Self, ForeignForm> {
        let (of, what) = text.split_once(' ').ok_or(ForeignForm)?;
        let known = |text: &str| text != NOTHING;
        let of = Some(of).filter(|of| known(of)).map(RepoName::parse).transpose().map_err(|_| ForeignForm)?;
        let what = match what {
            NOTHING => None,
            what => Some(parse::ref_alone(what).ok_or(ForeignForm)?),
        };
        Ok(Self { what, of, found: None })
    }
}

/// What to do about checks that are not green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checks {
    /// Ship nothing then.
    #[default]
    Heeded,
    /// Wait until they are.
    Awaited,
    /// Ship all the same.
    Passed,
}

impl Checks {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Heeded, Self::Awaited, Self::Passed];

    /// As it is called between a chat and us.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heeded => "heed",
            Self::Awaited => "wait",
            Self::Passed => "pass",
        }
    }

    /// What was chosen.
    fn chosen(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// What to do at one's turn, where others are first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// Ship.
    #[default]
    Ships,
    /// Ask whether to.
    Asks,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ships, Self::Asks];

    /// As it is called between a chat and us.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ships => "ship",
            Self::Asks => "ask",
        }
    }

    /// What was chosen.
    fn chosen(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// What the fields beside the pipeline ask for, or everything that is wrong with them.
pub(super) fn filled<'a>(pipeline: &PipelineKey, value: impl Fn(FieldName) -> Option<&'a str>) -> Result<Filled, Vec<Objection>> {
    let mut form = Reading { value, wrong: Vec::new() };
    // Whatever is shaped like a code may be one in the wrong field, and is neither kept nor repeated.
    let what = form.read(FieldName::Ref, |given| match parse::ref_alone(given) {
        _ if parse::is_code(given) => Err(speech::code_in_another_field()),
        Some(what) => Ok(what),
        None => Err(speech::no_ref_shape()),
    });
    let to = form.read(FieldName::Place, |given| parse::place_alone(given).ok_or_else(speech::no_place_shape));
    let checks = form.read(FieldName::Checks, |given| Checks::chosen(given).ok_or_else(speech::no_choice)).unwrap_or_default();
    let turn = form.read(FieldName::Turn, |given| Turn::chosen(given).ok_or_else(speech::no_choice)).unwrap_or_default();
    let because = form.read(FieldName::Because, reason);
    let code = form.read(FieldName::Code, |given| parse::code_alone(given).ok_or_else(speech::no_code_shape));
    if checks == Checks::Passed && because.is_none() && form.wrong.iter().all(|one| one.field != FieldName::Because) {
        form.wrong.push(Objection::new(FieldName::Because, speech::reason_to_pass_checks()));
    }
    if !form.wrong.is_empty() {
        return Err(form.wrong);
    }
    let wish = Wish { pipeline: pipeline.clone(), what: what.unwrap_or(AskedRef::Default), to };
    let terms = Terms { when_green: checks == Checks::Awaited, ask_first: turn == Turn::Asks, ..Terms::default() };
    Ok(Filled { ask: Ask::Filled(Command::Deploy { wish, passing_checks: checks == Checks::Passed, because, terms }), code })
}

/// A form that is being read.
struct Reading<V> {
    value: V,
    wrong: Vec<Objection>,
}

impl<'a, V: Fn(FieldName) -> Option<&'a str>> Reading<V> {
    /// What stands in a field; `None`: nothing, or nothing that can be read.
    fn read<T>(&mut self, field: FieldName, read: impl FnOnce(&'a str) -> Result<T, &'static str>) -> Option<T> {
        let given = (self.value)(field).map(str::trim).filter(|given| !given.is_empty())?;
        match read(given) {
            Ok(read) => Some(read),
            Err(words) => {
                self.wrong.push(Objection::new(field, words));
                None
            }
        }
    }
}

/// What is offered for a field into which something was typed, of all that there is: what begins with it before what has it somewhere, and
/// at last what was typed itself, where that will do.
pub fn offered(field: FieldName, typed: &str, all: Vec<Suggestion>) -> Vec<Suggestion> {
    let typed = typed.trim();
    let lower = typed.to_lowercase();
    let has = |one: &Suggestion| one.label.to_lowercase().contains(&lower);
    let begins = |one: &Suggestion| one.label.to_lowercase().starts_with(&lower);
    let (first, others): (Vec<_>, Vec<_>) = all.into_iter().filter(has).partition(begins);
    let mut offered: Vec<Suggestion> = first.into_iter().chain(others).collect();
    let own = match field {
        FieldName::Ref if !parse::is_code(typed) => parse::ref_alone(typed).is_some(),
        // One that is not listed is not there: only where nothing could be listed it may be.
        FieldName::Pipeline => offered.is_empty() && parse::pipeline_alone(typed).is_some(),
        FieldName::Ref | FieldName::Place | FieldName::Checks | FieldName::Turn | FieldName::Because | FieldName::Code => false,
    };
    let own = own && !typed.is_empty() && offered.iter().all(|one| one.value != typed);
    offered.truncate(if own { OFFERED - 1 } else { OFFERED });
    offered.extend(own.then(|| Suggestion::plain(typed)));
    offered
}
