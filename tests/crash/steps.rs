//! The kinds of steps of a deploy, and of what it does on its way, by name.

use slash_heroku::domain::deployment::Step;

use super::deadly::Event;

/// Names each kind once: a kind that is missing here does not compile.
macro_rules! kinds {
    ($($kind:ident),+ $(,)?) => {
        pub const KINDS: &[&str] = &[$(stringify!($kind)),+];

        pub fn kind(step: &Step) -> &'static str {
            match step {
                $(Step::$kind { .. } => stringify!($kind),)+
            }
        }
    };
}

kinds!(
    WaitForTurn,
    SeeChecks,
    WaitForSlot,
    WaitForAllowance,
    WaitForAnswer,
    WaitForCode,
    Judge,
    Announce,
    LookForAnnouncement,
    Upload,
    OrderBuild,
    LookForBuild,
    OrderReturn,
    LookForReturn,
    StopBuild,
    SeeBuild,
    SeeRelease,
    SeeDynos,
    Close,
);

/// What a deploy changes outside, and what it records beside itself: after each of them the service dies.
pub const EVENTS: &[Event] = &[
    Event::Call("say"),
    Event::Call("amend"),
    Event::Call("announce"),
    Event::Call("report"),
    Event::Call("spend_code"),
    Event::Call("upload"),
    Event::Call("start_build"),
    Event::Call("stop_build"),
    Event::Call("roll_back"),
    Event::Call("promote"),
    Event::Call("renew"),
    Event::Write("save"),
    Event::Write("save accounts"),
];
