//! One visit to link accounts: a link that works once and for a short while, a browser that it is bound to, the way to each
//! service and back, and a passcode by which the person in the chat says that it was them.
//!
//! The link proves nothing about whoever opens it: it may have been stolen, or sent to somebody else on purpose. So what a
//! browser has linked belongs to nobody until the person whom the visit is for types the passcode that this browser shows.
//! No secret is kept here, only digests; what a service needs to know that it is still the same browser is made anew from what
//! that browser brings along.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::account::{Login, Provider, Right};
use super::actor::Person;
use super::command::Command;
use super::names::{ScopeName, SignInId};

/// How long a link waits to be opened.
pub const LINK_LIVES: SignedDuration = SignedDuration::from_mins(10);
/// How long a visit may take, the passcode included, once the link was opened.
pub const VISIT_LIVES: SignedDuration = SignedDuration::from_mins(20);
/// How many passcodes may be typed, the right one included.
pub const TRIES: u8 = 3;
/// How long a command that was typed waits for the accounts that it needs, however many links are asked for meanwhile.
pub const KEPT_LIVES: SignedDuration = SignedDuration::from_mins(30);
/// How long it is tried to end a login that has to be ended, once its visit is over.
pub const ENDING_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// How long a service is left alone that could not end a login.
const ENDING_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What a secret is known by. It does not lead back to a secret that is long enough, and is told to nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Keeps a digest that was made elsewhere.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The link was given to the person and nobody has opened it.
    Offered,
    /// A browser has opened it.
    Open(Visit),
    /// It is over, and nothing of what it held is left.
    Over {
        /// How it ended.
        end: End,
        /// When.
        at: Timestamp,
    },
}

/// What a browser has done so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The browser, known by the secret in its cookie.
    pub browser: Digest,
    /// Where it has set out to and not come back from, each with the state that it has to bring back.
    pub ways: BTreeMap<Provider, Digest>,
    /// What it has linked.
    pub linked: BTreeMap<Provider, Login>,
    /// The passcode that it was shown, if it says that it is done.
    pub passcode: Option<Digest>,
    /// How many passcodes may still be typed in the chat.
    pub tries_left: u8,
}

/// A login that is nobody's any more and has to be ended at its service. Noted before that is tried, and forgotten after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Where.
    pub at: Provider,
    /// The login.
    pub login: Login,
}

/// A command that was typed and could not be run without the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It waits for them.
    Waits {
        /// The command.
        command: Command,
        /// Until when.
        until: Timestamp,
    },
    /// It has waited for as long as it does, and is run by nothing any more.
    RanOut(Command),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The person typed the passcode: what was linked is theirs.
    Confirmed,
    /// The person asked for another link.
    Replaced,
    /// Its time ran out.
    RanOut,
    /// Too many wrong passcodes were typed.
    WrongPasscodes,
    /// The browser that had opened it gave it up.
    GivenUp,
}

/// Why a step was not taken. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// The link was opened before.
    OpenedBefore,
    /// Its time has run out.
    RanOut,
    /// It is over.
    Over(End),
    /// This is not the browser that has opened it, or it was never opened.
    OtherBrowser,
    /// Whoever comes back did not set out, or came back before.
    NoSuchWay,
    /// Nothing was linked yet.
    NothingLinked,
}

/// What came of a passcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It is the right one: these logins are the person's now.
    Right(BTreeMap<Provider, Login>),
    /// It is wrong; so many may still be typed.
    Wrong {
        /// How many. None left: it is over.
        tries_left: u8,
    },
    /// There is no passcode to type: it is over, or the browser is not done.
    Not(Dead),
}

/// A scope that is asked for, with everything that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The scope, in the service's words, where it has some.
    pub scope: Option<ScopeName>,
    /// What it is for; nothing: so that the tokens end by themselves and can be renewed.
    pub rights: Vec<Right>,
}

/// One service on the page of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Which.
    pub at: Provider,
    /// Whether this visit has linked a login there.
    pub linked: bool,
    /// Whether the person has a good one from before.
    pub before: bool,
    /// What is asked for.
    pub asks: Vec<Asked>,
}

/// What the page of a visit shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Whom it is for.
    pub person: Person,
    /// The services, in order.
    pub legs: Vec<Leg>,
}

/// One visit to link accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Its id. No secret.
    pub id: SignInId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// Whom it is for: nobody else can ever confirm it.
    pub person: Person,
    /// What the link is known by.
    pub link: Digest,
    /// The command that was typed and could not be run without the accounts.
    pub kept: Option<Command>,
    /// Until when that waits, counted from when it was typed.
    #[serde(default)]
    pub kept_until: Option<Timestamp>,
    /// When this stage is over if nothing happens; where it is over and logins are left to be ended, when that is tried again.
    pub until: Timestamp,
    /// How far it has come.
    pub stage: Stage,
    /// Logins that are left to be ended at their services: those that this visit has linked in vain, and those that it has replaced.
    #[serde(default)]
    pub leaving: Vec<Leaving>,
}

impl SignIn {
    /// A link for a person, to be opened soon. `kept`: the command that waits for it, and until when.
    pub fn offered(id: SignInId, person: Person, link: Digest, kept: Option<(Command, Timestamp)>, now: Timestamp) -> Self {
        let (kept, kept_until) = kept.unzip();
        let until = later(now, LINK_LIVES);
        Self { id, version: 0, person, link, kept, kept_until, until, stage: Stage::Offered, leaving: Vec::new() }
    }

    /// Until when a command waits that is typed at `now`.
    pub fn keeps_until(now: Timestamp) -> Timestamp {
        later(now, KEPT_LIVES)
    }

    /// The command that waits for the accounts, or has waited too long.
    pub fn kept_at(&self, now: Timestamp) -> Option<Kept> {
        let command = self.kept.clone()?;
        // Of one that was kept before anybody counted it is known only that the visit was not over.
        let until = self.kept_until.unwrap_or(self.until);
        Some(if now < until { Kept::Waits { command, until } } else { Kept::RanOut(command) })
    }

    /// Whether it is over, or should be: its time has run out.
    pub fn is_over(&self, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Over { .. }) || now >= self.until
    }

    /// Whether something has to be done about it by itself: it should be over, or holds what can be tried to be ended now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        now >= self.until && self.goes_on()
    }

    /// Whether the link may still be opened. Asking changes nothing.
    pub fn may_open(&self, now: Timestamp) -> Result<(), Dead> {
        match &self.stage {
            Stage::Over { end, .. } => Err(Dead::Over(*end)),
            Stage::Offered | Stage::Open(_) if now >= self.until => Err(Dead::RanOut),
            Stage::Open(_) => Err(Dead::OpenedBefore),
            Stage::Offered => Ok(()),
        }
    }

    /// A browser opens the link: from now on it works for no other.
    pub fn open(&self, browser: Digest, now: Timestamp) -> Result<Self, Dead> {
        self.may_open(now)?;
        let visit = Visit { browser, ways: BTreeMap::new(), linked: BTreeMap::new(), passcode: None, tries_left: TRIES };
        Ok(Self { until: later(now, VISIT_LIVES), stage: Stage::Open(visit), ..self.clone() })
    }

    /// The visit, if it is this browser's and its time has not run out.
    pub fn visit_of(&self, browser: &Digest, now: Timestamp) -> Result<&Visit, Dead> {
        match &self.stage {
            Stage::Over { end, .. } => Err(Dead::Over(*end)),
            Stage::Offered | Stage::Open(_) if now >= self.until => Err(Dead::RanOut),
            Stage::Offered => Err(Dead::OtherBrowser),
            Stage::Open(visit) if visit.browser != *browser => Err(Dead::OtherBrowser),
            Stage::Open(visit) => Ok(visit),
        }
    }

    /// The browser sets out to a service, to come back with `state`. Whoever is still under way there comes back in vain.
    pub fn set_out(&self, browser: &Digest, to: Provider, state: Digest, now: Timestamp) -> Result<Self, Dead> {
        self.changed(browser, now, |visit| {
            visit.ways.insert(to, state);
        })
    }

    /// The browser comes back, once: says from where.
    pub fn come_back(&self, browser: &Digest, state: &Digest, now: Timestamp) -> Result<(Self, Provider), Dead> {
        let ways = &self.visit_of(browser, now)?.ways;
        let (from, _) = ways.iter().find(|(_, awaited)| *awaited == state).ok_or(Dead::NoSuchWay)?;
        let from = *from;
        let back = self.changed(browser, now, |visit| {
            visit.ways.remove(&from);
        })?;
        Ok((back, from))
    }

    /// A login was linked, in place of the one that this visit had linked there before.
    pub fn linked(&self, browser: &Digest, at: Provider, login: Login, now: Timestamp) -> Result<Self, Dead> {
        let mut replaced = None;
        // What was shown before was shown for something else.
        let linked = self.changed(browser, now, |visit| {
            replaced = visit.linked.insert(at, login);
            visit.passcode = None;
        })?;
        Ok(linked.leaving(replaced.map(|login| (at, login))))
    }

    /// The browser says that it is done and is shown a passcode.
    pub fn done(&self, browser: &Digest, passcode: Digest, now: Timestamp) -> Result<Self, Dead> {
        if self.visit_of(browser, now)?.linked.is_empty() {
            return Err(Dead::NothingLinked);
        }
        self.changed(browser, now, |visit| {
            // A new one gives no new tries.
            visit.passcode = Some(passcode);
        })
    }

    /// The person types a passcode in the chat.
    #[must_use]
    pub fn typed(&self, passcode: &Digest, now: Timestamp) -> (Self, Typed) {
        let visit = match &self.stage {
            Stage::Over { end, .. } => return (self.clone(), Typed::Not(Dead::Over(*end))),
            Stage::Offered | Stage::Open(_) if now >= self.until => return (self.clone(), Typed::Not(Dead::RanOut)),
            Stage::Offered => return (self.clone(), Typed::Not(Dead::NothingLinked)),
            Stage::Open(visit) => visit,
        };
        let Some(shown) = &visit.passcode else { return (self.clone(), Typed::Not(Dead::NothingLinked)) };
        if shown == passcode {
            return (self.over(End::Confirmed, now), Typed::Right(visit.linked.clone()));
        }
        let tries_left = visit.tries_left.saturating_sub(1);
        if tries_left == 0 {
            return (self.over(End::WrongPasscodes, now), Typed::Wrong { tries_left });
        }
        let visit = Visit { tries_left, ..visit.clone() };
        (Self { stage: Stage::Open(visit), ..self.clone() }, Typed::Wrong { tries_left })
    }

    /// What it holds that is nobody's before it is confirmed.
    pub fn held(&self) -> BTreeMap<Provider, Login> {
        match &self.stage {
            Stage::Open(visit) => visit.linked.clone(),
            Stage::Offered | Stage::Over { .. } => BTreeMap::new(),
        }
    }

    /// It is over. What is over stays as it ended, and what it kept goes unless its time has run out; what was linked and not confirmed is left to be ended.
    #[must_use]
    pub fn over(&self, end: End, at: Timestamp) -> Self {
        let in_vain = if end == End::Confirmed { BTreeMap::new() } else { self.held() };
        // Whoever was late and comes back is told what has become of their command, or goes on with it.
        let (kept, kept_until) = if end == End::RanOut { (self.kept.clone(), self.kept_until) } else { (None, None) };
        match &self.stage {
            Stage::Over { .. } => Self { kept, kept_until, ..self.clone() },
            Stage::Offered | Stage::Open(_) => {
                Self { kept, kept_until, until: at, stage: Stage::Over { end, at }, ..self.clone() }.leaving(in_vain)
            }
        }
    }

    /// Whether anything is to become of it yet by itself.
    pub fn goes_on(&self) -> bool {
        !self.leaving.is_empty() || !matches!(self.stage, Stage::Over { .. })
    }

    /// With more logins that are left to be ended.
    #[must_use]
    pub fn leaving(mut self, logins: impl IntoIterator<Item = (Provider, Login)>) -> Self {
        self.leaving.extend(logins.into_iter().map(|(at, login)| Leaving { at, login }));
        self
    }

    /// Of the logins that were left to be ended only these are left, to be tried again in a while.
    #[must_use]
    pub fn left_with(&self, leaving: Vec<Leaving>, now: Timestamp) -> Self {
        let until = match &self.stage {
            // Once it is over nothing happens to it but that.
            Stage::Over { .. } if !leaving.is_empty() => later(now, ENDING_AGAIN),
            Stage::Over { at, .. } => *at,
            Stage::Offered | Stage::Open(_) => self.until,
        };
        Self { leaving, until, ..self.clone() }
    }

    /// Whether it is tried no more to end what is left: it could not be done for long.
    pub fn gives_up_ending(&self, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Over { at, .. } if now >= later(at, ENDING_LIVES))
    }

    fn changed(&self, browser: &Digest, now: Timestamp, change: impl FnOnce(&mut Visit)) -> Result<Self, Dead> {
        let mut visit = self.visit_of(browser, now)?.clone();
        change(&mut visit);
        Ok(Self { stage: Stage::Open(visit), ..self.clone() })
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

#[cfg(test)]
mod tests;
