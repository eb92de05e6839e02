//! What can be made to go wrong.

use super::Github;

/// Which requests go wrong, how often, and how.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// Only requests of this method; any, if `None`.
    pub method: Option<String>,
    /// Only requests whose path and query, as sent, contain this. Links to archives contain `legacy.tar.gz`.
    pub path_contains: String,
    /// How many requests; then the rule is over.
    pub times: u32,
    /// How they go wrong.
    pub fault: Fault,
}

/// How a request goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead of the real one; nothing is done.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body.
        body: String,
        /// Its media type.
        content_type: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// A rate limit is used up; nothing is done.
    RateLimited {
        /// Seconds to wait, told in `Retry-After`.
        retry_after: Option<u32>,
        /// The limit on bursts (403, allowance untouched) instead of the hourly one (403, nothing remains).
        secondary: bool,
    },
    /// The connection is closed without an answer and nothing is done.
    CutBefore,
    /// The work is done, then the connection is closed without an answer.
    CutAfter,
    /// No answer until [`Github::let_go_hanging`]; the work is done only then, and never if the caller has left.
    Hang,
    /// The work is done, and half the answer's body arrives before the connection is closed.
    TruncatedBody,
}

impl Github {
    /// Makes requests go wrong. The rule that was added first and fits wins.
    pub fn fail(&self, rule: FaultRule) {
        self.lock().faults.push(rule);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.lock().faults.clear();
    }
}

/// The fault of this request, if it has one; uses up one time of its rule.
pub(super) fn take(rules: &mut Vec<FaultRule>, method: &str, path: &str) -> Option<Fault> {
    let rule = rules.iter_mut().find(|rule| {
        rule.times > 0
            && rule.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.contains(&rule.path_contains)
    })?;
    rule.times = rule.times.saturating_sub(1);
    let fault = rule.fault.clone();
    rules.retain(|rule| rule.times > 0);
    Some(fault)
}
