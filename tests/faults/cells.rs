//! What is played, which calls it makes, and how each of them may fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use slash_heroku::sandbox::fault::{Fault, Limit};
use slash_heroku::sandbox::script::Vendor;

use super::Outside;
use super::facts::Standing;

/// A conversation; its faults begin at the line `* FAULT`.
#[derive(Debug)]
pub struct Play {
    pub name: &'static str,
    pub text: &'static str,
    /// Whether every call fails for an hour too, or only those that no play before it makes.
    pub whole: bool,
    /// How many deploys are asked for after the faults began and before.
    pub asked: usize,
    pub repository: &'static str,
    pub app: &'static str,
    /// How its deploys end where what is typed after the faults began is refused.
    pub refused: &'static [Standing],
    /// What is typed with another code where one is wanted.
    pub again: Option<&'static str>,
    /// Whether people sign in: whoever has lost a login signs in again.
    pub signs_in: bool,
    /// What is typed after it all.
    pub next: &'static str,
}

const HUBOT: Play = Play {
    name: "",
    text: "",
    whole: false,
    asked: 1,
    repository: "acme/hubot",
    app: "hubot-staging",
    refused: &[],
    again: None,
    signs_in: false,
    next: "deploy hubot/feature/with/slash to staging",
};

pub const PLAYS: &[Play] = &[
    Play { name: "a deploy", text: "* FAULT\nana> deploy hubot to staging\n", whole: true, ..HUBOT },
    Play {
        name: "a second deploy",
        text: "ana> deploy hubot to staging\n~ 2m\n* FAULT\nana> deploy hubot/topic to staging\n",
        asked: 2,
        refused: &[Standing::Succeeded],
        ..HUBOT
    },
    Play {
        name: "out of the line",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
ana> deploy hubot/topic to staging
* FAULT
* let hubot-staging go
",
        whole: true,
        asked: 2,
        refused: &[Standing::Succeeded],
        ..HUBOT
    },
    Play {
        name: "a code",
        text: "* FAULT\nana> deploy vault/v1.0 to production 123456\n",
        repository: "acme/vault",
        app: "vault-production",
        again: Some("deploy vault/v1.0 to production 654321"),
        next: "deploy vault/feature/with/slash to production 777777",
        ..HUBOT
    },
    Play {
        name: "a release phase",
        text: "* FAULT\nana> deploy shop to staging\n",
        repository: "acme/shop",
        app: "shop-staging",
        next: "deploy shop/feature/with/slash to staging",
        ..HUBOT
    },
    Play {
        name: "a cancel",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
* FAULT
ana> cancel hubot
~ 2m
* let hubot-staging go
",
        whole: true,
        refused: &[Standing::Succeeded],
        ..HUBOT
    },
    Play {
        name: "a promotion",
        text: "* FAULT\nana> promote hubot\n",
        app: "hubot-production",
        next: "deploy hubot/feature/with/slash to production",
        ..HUBOT
    },
    Play {
        name: "a way back",
        text: "ana> deploy hubot to staging\n~ 2m\n* FAULT\nana> rollback hubot in staging to v2\n",
        asked: 2,
        refused: &[Standing::Succeeded],
        ..HUBOT
    },
    Play {
        name: "asked at its turn",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
ana> deploy hubot/topic to staging ask me
* FAULT
* let hubot-staging go
",
        asked: 2,
        refused: &[Standing::Succeeded],
        ..HUBOT
    },
    Play {
        name: "when green",
        text: "* FAULT\nana> deploy hubot/pending to staging when green\n* acme/hubot pending: ci/circleci passed\n",
        ..HUBOT
    },
    // What renews a login is good once.
    Play {
        name: "a renewal",
        text: "\
* people sign in
* heroku rotates refresh tokens
ana signs in
~ 7h 42m
* hold hubot-staging build
ana> deploy hubot to staging
~ 10m
* FAULT
* let hubot-staging go
~ 12m
",
        signs_in: true,
        ..HUBOT
    },
];

/// A call, by whom it goes to and a pattern of its path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// github, heroku or slack.
    pub to: &'static str,
    /// The HTTP method; of Slack, and of everything, any.
    pub method: Option<String>,
    pub path: String,
}

/// The ends of the paths to which orders go that cannot be undone: to build, promote or go back at Heroku, to record at GitHub.
const ORDERS: [&str; 4] = ["/builds$", "/deployments$", "/releases$", "/pipeline-promotions$"];

impl Call {
    /// Whether it orders what cannot be undone.
    pub fn is_order(&self) -> bool {
        self.method.as_deref() == Some("POST") && ORDERS.iter().any(|end| self.path.ends_with(end))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.to, self.method.as_deref().unwrap_or("*"), self.path)
    }
}

/// The calls that the services have seen and how often each, and each service as a whole.
pub fn calls(world: &Outside, since: (usize, usize, usize)) -> BTreeMap<Call, u32> {
    let mut calls = BTreeMap::new();
    let mut count = |call: Call| *calls.entry(call).or_default() += 1;
    for seen in world.github.requests().iter().skip(since.0) {
        count(Call { to: "github", method: Some(seen.method.clone()), path: pattern(&seen.path) });
    }
    for seen in world.heroku.requests().iter().skip(since.1) {
        count(Call { to: "heroku", method: Some(seen.method.clone()), path: pattern(&seen.path) });
    }
    for seen in world.slack.requests().iter().skip(since.2) {
        count(Call { to: "slack", method: None, path: seen.method.clone() });
    }
    calls.extend(["github", "heroku"].map(|to| (Call { to, method: None, path: "/".to_owned() }, 1)));
    calls
}

/// A path with its variable parts as `*`.
fn pattern(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_id = |part: &str| {
        let digits = part.len() > 3 && part.bytes().all(|byte| byte.is_ascii_digit());
        let range = part.contains("...");
        digits || range || (part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect();
    format!("{}$", parts.join("/"))
}

/// A fault, by its name.
type Named = (&'static str, fn() -> Fault);

/// How a call goes wrong.
pub const FAULTS: &[Named] = &[
    ("429", || Fault::RateLimited { retry_after: None, limit: Limit::SecondaryAs429 }),
    ("429 with Retry-After", || Fault::RateLimited { retry_after: Some(90), limit: Limit::SecondaryAs429 }),
    ("403 for bursts", || Fault::RateLimited { retry_after: None, limit: Limit::Secondary }),
    ("allowance used up", || Fault::RateLimited { retry_after: None, limit: Limit::Primary }),
    ("500", || Fault::status(500)),
    ("502 page", || Fault::page(502)),
    ("timed out before", || Fault::TimedOut { done: false }),
    ("timed out after", || Fault::TimedOut { done: true }),
    ("done late 40", || Fault::DoneLate(40)),
    ("done late 75", || Fault::DoneLate(75)),
    ("cut before", || Fault::CutBefore),
    ("cut after", || Fault::CutAfter),
    ("cut within", || Fault::CutWithin),
    ("truncated json", || Fault::TruncatedJson),
    ("other json", || Fault::OtherJson),
    ("not json", || Fault::NotJson),
    ("slow drip", || Fault::Drips),
    ("token refused", || Fault::TokenRefused),
];

/// Limits that GitHub has and the others have not.
const OF_GITHUB: [&str; 2] = ["403 for bursts", "allowance used up"];

/// One thing that goes wrong in one play.
#[derive(Clone, Debug)]
pub enum Strike {
    /// Once, and which time that this call is made, from 1; or every time for an hour.
    Call {
        call: Call,
        nth: u32,
        fault: usize,
        for_an_hour: bool,
    },
    Clock {
        of: Vendor,
        minutes: i64,
    },
}

impl Strike {
    /// The call that fails.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::Call { call, .. } => Some(call),
            Self::Clock { .. } => None,
        }
    }

    /// How it fails.
    pub fn way(&self) -> Option<&'static str> {
        match self {
            Self::Call { fault, .. } => Some(FAULTS[*fault].0),
            Self::Clock { .. } => None,
        }
    }

    /// Whether an order that cannot be undone fails, the first time that it is given.
    pub fn orders(&self) -> bool {
        match self {
            Self::Call { call, nth: 1, for_an_hour: false, .. } => call.is_order(),
            Self::Call { .. } | Self::Clock { .. } => false,
        }
    }

    /// Whether a clock is off.
    pub fn is_of_a_clock(&self) -> bool {
        matches!(self, Self::Clock { .. })
    }

    /// Whether a service may keep people waiting: then they are asked later.
    pub fn keeps_waiting(&self) -> bool {
        match self {
            Self::Call { fault, .. } => self.lasts() || matches!(FAULTS[*fault].1(), Fault::RateLimited { .. }),
            Self::Clock { .. } => false,
        }
    }

    /// Whether it is over after an hour only: an allowance that is used up is whole again by then.
    pub fn lasts(&self) -> bool {
        match self {
            Self::Call { for_an_hour: true, .. } => true,
            Self::Call { fault, .. } => matches!(FAULTS[*fault].1(), Fault::RateLimited { limit: Limit::Primary, .. }),
            Self::Clock { .. } => false,
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { call, fault, for_an_hour: true, .. } => write!(f, "{call} for an hour: {}", FAULTS[*fault].0),
            Self::Call { call, nth: 1, fault, .. } => write!(f, "{call} once: {}", FAULTS[*fault].0),
            Self::Call { call, nth, fault, .. } => write!(f, "{call} once, time {nth}: {}", FAULTS[*fault].0),
            Self::Clock { of, minutes } => write!(f, "the clock of {of:?} is off by {minutes} minutes"),
        }
    }
}

/// Which times of a call fail: of one that changes something each, of a look the first two and the last.
fn times_of(call: &Call, times: u32) -> BTreeSet<u32> {
    match call.method.as_deref() {
        Some("GET") => [1, 2.min(times), times].into(),
        _ => (1..=times).collect(),
    }
}

/// All that can go wrong in a play that makes these calls, so often each. `known` are those that plays before it make.
pub fn strikes(play: &Play, calls: &BTreeMap<Call, u32>, known: &BTreeSet<Call>) -> Vec<Strike> {
    let of_calls = calls.iter().flat_map(|(call, times)| {
        let lasting = (play.whole || !known.contains(call)).then_some((1, true));
        let ways: Vec<(u32, bool)> = times_of(call, *times).into_iter().map(|nth| (nth, false)).chain(lasting).collect();
        let there = (0..FAULTS.len()).filter(|fault| call.to == "github" || !OF_GITHUB.contains(&FAULTS[*fault].0));
        let each = there.flat_map(move |fault| ways.clone().into_iter().map(move |way| (fault, way)));
        each.map(|(fault, (nth, for_an_hour))| Strike::Call { call: call.clone(), nth, fault, for_an_hour })
    });
    let off = [(Vendor::Github, 25), (Vendor::Heroku, 25), (Vendor::Slack, 4)];
    of_calls.chain(off.into_iter().flat_map(|(of, by)| [by, -by].map(|minutes| Strike::Clock { of, minutes }))).collect()
}
