//! Numbers about what was decided, for whoever watches the service. No person, no name and no text.

use crate::domain::deployment::Phase;
use crate::domain::gate::Reason;

/// Counts. Never fails and never waits.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Tally: Send + Sync + std::fmt::Debug {
    /// A deployment was recorded.
    fn began(&self);

    /// A deploy was refused, when it was asked for or right before it began; each reason counts.
    fn refused(&self, reasons: &[Reason]);

    /// A deployment came to its end.
    fn ended(&self, how: &Phase);
}
