//! What is played, which calls it makes, and how each of them may fail.

use std::collections::BTreeSet;
use std::fmt;

use slash_heroku::sandbox::fault::Fault;
use slash_heroku::sandbox::script::Vendor;

use super::Outside;

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
    next: "deploy hubot/feature/with/slash to staging",
};

pub const PLAYS: &[Play] = &[
    Play { name: "a deploy", text: "* FAULT\nana> deploy hubot to staging\n", whole: true, ..HUBOT },
    Play {
        name: "a second deploy",
        text: "ana> deploy hubot to staging\n~ 2m\n* FAULT\nana> deploy hubot/topic to staging\n",
        asked: 2,
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
        ..HUBOT
    },
    Play {
        name: "a code",
        text: "* FAULT\nana> deploy vault/v1.0 to production 123456\n",
        repository: "acme/vault",
        app: "vault-production",
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

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.to, self.method.as_deref().unwrap_or("*"), self.path)
    }
}

/// The calls that the services have seen, and each service as a whole.
pub fn calls(world: &Outside, since: (usize, usize, usize)) -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for seen in world.github.requests().iter().skip(since.0) {
        calls.insert(Call { to: "github", method: Some(seen.method.clone()), path: pattern(&seen.path) });
    }
    for seen in world.heroku.requests().iter().skip(since.1) {
        calls.insert(Call { to: "heroku", method: Some(seen.method.clone()), path: pattern(&seen.path) });
    }
    for seen in world.slack.requests().iter().skip(since.2) {
        calls.insert(Call { to: "slack", method: None, path: seen.method.clone() });
    }
    calls.extend(["github", "heroku"].map(|to| Call { to, method: None, path: "/".to_owned() }));
    calls
}

/// A path with its variable parts as `*`.
fn pattern(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_id = |part: &str| {
        let digits = part.len() > 3 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits || (part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect();
    format!("{}$", parts.join("/"))
}

/// A fault, by its name.
type Named = (&'static str, fn() -> Fault);

/// How a call goes wrong.
pub const FAULTS: &[Named] = &[
    ("429", || Fault::RateLimited { retry_after: None, secondary: true }),
    ("429 with Retry-After", || Fault::RateLimited { retry_after: Some(90), secondary: true }),
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

/// One thing that goes wrong in one play.
#[derive(Clone, Debug)]
pub enum Strike {
    Call { call: Call, fault: usize, for_an_hour: bool },
    Clock { of: Vendor, minutes: i64 },
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { call, fault, for_an_hour } => {
                write!(f, "{call} {}: {}", if *for_an_hour { "for an hour" } else { "once" }, FAULTS[*fault].0)
            }
            Self::Clock { of, minutes } => write!(f, "the clock of {of:?} is off by {minutes} minutes"),
        }
    }
}

/// All that can go wrong in a play that makes these calls. `known` are those that plays before it make.
pub fn strikes(play: &Play, calls: BTreeSet<Call>, known: &BTreeSet<Call>) -> Vec<Strike> {
    let of_calls = calls.into_iter().flat_map(|call| {
        let for_an_hour = play.whole || !known.contains(&call);
        let lasting = if for_an_hour { &[false, true][..] } else { &[false][..] };
        let each = (0..FAULTS.len()).flat_map(|fault| lasting.iter().map(move |for_an_hour| (fault, *for_an_hour)));
        each.map(move |(fault, for_an_hour)| Strike::Call { call: call.clone(), fault, for_an_hour })
    });
    let off = [(Vendor::Github, 25), (Vendor::Heroku, 25), (Vendor::Slack, 4)];
    of_calls.chain(off.into_iter().flat_map(|(of, by)| [by, -by].map(|minutes| Strike::Clock { of, minutes }))).collect()
}
