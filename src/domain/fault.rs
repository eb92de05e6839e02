//! What can go wrong outside: a half that may be shown and a half for the log.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A service outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// The chat.
    Chat,
    /// The source control.
    SourceControl,
    /// The platform.
    Platform,
}

/// What went wrong, as far as it matters for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The credential is not accepted any more: sign in again.
    SignInLost,
    /// The credential is good, and not enough.
    Forbidden,
    /// There is no such thing, or it is hidden from this person.
    NotFound,
    /// The request was refused as it is; asking again would not help.
    Refused,
    /// Too many requests.
    RateLimited {
        /// When it may be tried again, if the service said so.
        until: Option<Timestamp>,
    },
    /// The request certainly had no effect: it never left, or was turned away at the door.
    Unreachable,
    /// The request may have had an effect: no answer, or one that says nothing.
    Unclear,
    /// The answer was clear and makes no sense to us.
    Nonsense,
}

/// A call to the outside that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    /// Who.
    pub service: Service,
    /// What, for deciding.
    pub fault: Fault,
    /// What the service said, cleaned of secrets and cut to 300 characters. May be shown.
    pub said: Option<String>,
    /// A page on which the person can mend it (a sign-on page, for one). For that person only.
    pub mend_at: Option<String>,
    /// For the log: which call, what came back. Holds no secret, no body and no link.
    pub detail: String,
}

impl PortError {
    /// A fault with a detail for the log and nothing to show.
    pub fn new(service: Service, fault: Fault, detail: impl Into<String>) -> Self {
        Self { service, fault, said: None, mend_at: None, detail: detail.into() }
    }

    /// Adds what the service said.
    #[must_use]
    pub fn saying(mut self, said: impl Into<String>) -> Self {
        self.said = Some(said.into());
        self
    }

    /// Whether asking again later may help.
    pub fn is_temporary(&self) -> bool {
        match self.fault {
            Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => true,
            Fault::SignInLost | Fault::Forbidden | Fault::NotFound | Fault::Refused => false,
        }
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?} ({})", self.service, self.fault, self.detail)
    }
}

impl std::error::Error for PortError {}
