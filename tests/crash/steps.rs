//! The kinds of steps of a deploy, by name.

use slash_heroku::domain::deployment::Step;

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
