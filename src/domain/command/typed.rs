//! Commands as they would be typed.

use std::fmt;

use super::{Because, Command, Hold, Limit, LockWish, MoveWish, PrivacyWish, RouteWish, Seek, Spot, Stretch, Where, Wish, rules};
use crate::domain::parse::{is_code, split_code, unquoted};
use crate::domain::pipeline::PipelineKey;
use crate::domain::source::AskedRef;

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pipeline(f, &self.pipeline, &self.what, self.to.is_none())?;
        self.to.iter().try_for_each(|place| write!(f, " to {place}"))
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pipeline(f, &self.pipeline, &AskedRef::Default, self.place.is_none())?;
        self.place.iter().try_for_each(|place| write!(f, " in {place}"))
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Nth(place) => place.fmt(f),
        }
    }
}

impl fmt::Display for MoveWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pipeline(f, &self.pipeline, &self.what, false)?;
        self.place.iter().try_for_each(|place| write!(f, " in {place}"))?;
        write!(f, " {}", self.to)
    }
}

impl fmt::Display for Seek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipeline(pipeline) => write_pipeline(f, pipeline, &AskedRef::Default, true),
            Self::InPipeline { pipeline, what } => write_pipeline(f, pipeline, what, true),
            // Wherever that is read: only what stands behind the host counts.
            Self::Change { what: AskedRef::Pull(number), repository: Some(name) } => write!(f, "https://…/{name}/pull/{number}"),
            Self::Change { what, repository: Some(name) } => {
                let what = what.to_string();
                let hash = (7..=64).contains(&what.len()) && what.bytes().all(|byte| byte.is_ascii_hexdigit());
                write!(f, "https://…/{name}/{}/{what}", if hash { "commit" } else { "tree" })
            }
            Self::Change { what: what @ AskedRef::Pull(_), .. } => write!(f, "{what}"),
            Self::Change { what, .. } if is_code(&what.to_string()) => write!(f, "\"{what}\""),
            Self::Change { what, .. } => write!(f, "{what}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Ref(what) if is_code(&what.to_string()) => write!(f, "\"{what}\""),
            Self::Ref(what) => what.fmt(f),
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.from.is_none() && self.to.is_none();
        write_pipeline(f, &self.pipeline, &AskedRef::Default, last)?;
        self.from.iter().try_for_each(|place| write!(f, " from {place}"))?;
        self.to.iter().try_for_each(|limit| write!(f, " to {limit}"))
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pipeline(f, &self.pipeline, &AskedRef::Default, self.environment.is_none())?;
        self.environment.iter().try_for_each(|environment| write!(f, " in {environment}"))
    }
}

impl fmt::Display for LockWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.branch.clone().map_or(AskedRef::Default, AskedRef::Named);
        write_pipeline(f, &self.on.pipeline, &what, self.on.environment.is_none())?;
        self.on.environment.iter().try_for_each(|environment| write!(f, " in {environment}"))?;
        f.write_str(if self.anyway { " anyway" } else { "" })?;
        self.end.iter().try_for_each(|end| write!(f, " {end}"))?;
        self.because.iter().try_for_each(|because| write_because(f, because))
    }
}

impl fmt::Display for RouteWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pipeline(f, &self.pipeline, &AskedRef::Default, false)?;
        write!(f, " to #{}", self.to)?;
        f.write_str(if self.only.failures { " only failures" } else { "" })?;
        f.write_str(if self.only.environments.is_empty() { "" } else { " only" })?;
        self.only.environments.iter().try_for_each(|environment| write!(f, " {environment}"))
    }
}

/// A name at the end that looks like a one-time code is quoted, so that nobody takes it for one.
fn write_pipeline(f: &mut fmt::Formatter<'_>, pipeline: &PipelineKey, what: &AskedRef, last: bool) -> fmt::Result {
    match what {
        AskedRef::Default if last && is_code(&pipeline.to_string()) => write!(f, "\"{pipeline}\""),
        AskedRef::Default => write!(f, "{pipeline}"),
        AskedRef::Pull(number) => write!(f, "{pipeline}#{number}"),
        AskedRef::Named(_) | AskedRef::Pinned { .. } => write!(f, "{pipeline}/{what}"),
    }
}

/// As it would be typed. Reads back as the same command, but for a pinned commit, which reads back as the commit named.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb().word())?;
        match self {
            Self::Help { about } => about.iter().try_for_each(|verb| write!(f, " {}", verb.word())),
            Self::Login | Self::Logout | Self::WhoAmI | Self::Pipelines | Self::Locks | Self::Unmute | Self::Routes | Self::Doctor => {
                Ok(())
            }
            Self::Route(wish) => write!(f, " {wish}"),
            Self::Unroute { pipeline, from } => {
                f.write_str(" ")?;
                write_pipeline(f, pipeline, &AskedRef::Default, from.is_none())?;
                from.iter().try_for_each(|from| write!(f, " from #{from}"))
            }
            Self::Mute { end } => end.iter().try_for_each(|end| write!(f, " {end}")),
            Self::Info { pipeline } => write_one(f, Some(pipeline)),
            Self::Status { pipeline } | Self::History { pipeline, before: None } => write_one(f, pipeline.as_ref()),
            Self::History { pipeline, before: Some(before) } => {
                f.write_str(" ")?;
                pipeline.iter().try_for_each(|pipeline| {
                    write_pipeline(f, pipeline, &AskedRef::Default, false)?;
                    f.write_str(" ")
                })?;
                write!(f, "before {before}")
            }
            Self::Rules { wish } => rules::write(f, wish),
            Self::Plan(wish) => write!(f, " {wish}"),
            Self::Deploy { wish, passing_checks, because, terms } => {
                f.write_str(if *passing_checks { "! " } else { " " })?;
                write!(f, "{wish}{}{}", if terms.when_green { " when green" } else { "" }, if terms.ask_first { " ask me" } else { "" })?;
                because.iter().try_for_each(|because| write_because(f, because))
            }
            Self::Queue(place) | Self::Releases(place) => write!(f, " {place}"),
            Self::Cancel { place, because } => {
                write!(f, " {place}")?;
                because.iter().try_for_each(|because| write_because(f, because))
            }
            Self::Free { place, because } => {
                write!(f, " {place}")?;
                write_because(f, because)
            }
            Self::QueueMove(wish) => write!(f, " move {wish}"),
            Self::Where(seek) => write!(f, " {seek}"),
            Self::Diff(stretch) => write!(f, " {stretch}"),
            Self::Promote { pipeline, from, to, passing_checks, because, terms: _ } => {
                f.write_str(if *passing_checks { "! " } else { " " })?;
                write_pipeline(f, pipeline, &AskedRef::Default, from.is_none() && to.is_none())?;
                from.iter().try_for_each(|place| write!(f, " from {place}"))?;
                to.iter().try_for_each(|place| write!(f, " to {place}"))?;
                because.iter().try_for_each(|because| write_because(f, because))
            }
            Self::Rollback { place, to, because, terms: _ } => {
                write!(f, " {place}")?;
                to.iter().try_for_each(|version| write!(f, " to v{version}"))?;
                because.iter().try_for_each(|because| write_because(f, because))
            }
            Self::Lock(wish) => write!(f, " {wish}"),
            Self::Unlock { on: None, .. } => f.write_str(" all"),
            Self::Unlock { on: Some(on), anyway, because } => {
                write!(f, " {on}{}", if *anyway { " anyway" } else { "" })?;
                because.iter().try_for_each(|because| write_because(f, because))
            }
            Self::Leave { line } => line.iter().try_for_each(|line| write!(f, " {line}")),
            Self::Privacy { wish } => f.write_str(match wish {
                PrivacyWish::Show => "",
                PrivacyWish::Export => " export",
                PrivacyWish::Delete { sure: false } => " delete",
                PrivacyWish::Delete { sure: true } => " delete yes",
            }),
        }
    }
}

fn write_one(f: &mut fmt::Formatter<'_>, pipeline: Option<&PipelineKey>) -> fmt::Result {
    let Some(pipeline) = pipeline else { return Ok(()) };
    f.write_str(" ")?;
    write_pipeline(f, pipeline, &AskedRef::Default, true)
}

/// Quoted where it would not be read back as it is: it ends like a code, or stands in quotes itself.
pub(super) fn write_because(f: &mut fmt::Formatter<'_>, because: &Because) -> fmt::Result {
    let words = because.as_str();
    if split_code(words).1.is_some() || unquoted(words) != words {
        write!(f, " because \"{words}\"")
    } else {
        write!(f, " because {words}")
    }
}
