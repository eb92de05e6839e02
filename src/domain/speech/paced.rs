//! What we say when a service allows no more for now.

use crate::domain::deployment::{Deployment, Phase};
use crate::domain::fault::Service;
use crate::domain::message::{Line, Span, text};

use super::services::{HEROKU, service};

/// Why a deploy has not begun, and since when.
pub(super) fn allowance_wait(of: Service, since: Span) -> Line {
    let service = service(of);
    let why = "allows an account only so much in an hour, and what has begun is brought to its end first";
    vec![text(format!("{service} {why}. It has waited since ")), since, text(" and begins by itself.")]
}

/// That news come late, and why.
pub(super) fn slowed() -> Line {
    vec![text(format!("{HEROKU} allows this account few more requests for now, so news come later than usual."))]
}

/// The same on a card, where something is looked at.
pub(super) fn looked_at_less(slow: bool, deployment: &Deployment) -> Option<Line> {
    let looked_at = matches!(deployment.phase, Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. });
    (slow && looked_at).then(slowed)
}
