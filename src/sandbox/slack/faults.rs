//! Making calls fail on purpose.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use jiff::{SignedDuration, Timestamp};

use super::{SlackWorkspace, api, hooks};
use crate::sandbox::fault::{Doing, Fault, FaultRule, Strikes, cut, skewed, spoil};

/// A call as it came in, of a method or of an answer address.
#[derive(Debug)]
pub(super) struct Called {
    /// A method of the Web API, or `response_url`.
    pub(super) method: String,
    pub(super) verb: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl SlackWorkspace {
    /// Makes the next `times` calls of a Web API method fail. The method `response_url` stands for the answer addresses.
    pub fn fail(&self, method: &str, times: u32, fault: Fault) -> Strikes {
        self.fail_by(FaultRule { method: None, path_contains: method.to_owned(), spared: 0, times, fault })
    }

    /// The same by a rule, whose path is a method's name. The rule that was added first and fits wins.
    pub fn fail_by(&self, rule: FaultRule) -> Strikes {
        self.change(|state| state.faults.add(rule))
    }

    /// Nothing fails on purpose any more.
    pub fn mend(&self) {
        self.change(|state| state.faults.clear());
    }

    /// Sets its clock: `ahead` of everybody's, or behind.
    pub fn set_clock(&self, ahead: SignedDuration) {
        self.change(|state| state.skew = ahead);
    }

    /// What its clock shows.
    pub(super) fn now(&self) -> Timestamp {
        skewed(self.clock.now(), self.state().skew)
    }

    /// Does what was asked for and is due only now.
    pub(super) fn carry_out(&self) {
        loop {
            let now = self.now();
            let Some((_, called)) = self.state().late.due(now) else { return };
            self.work(&called);
        }
    }

    /// Answers a call, or lets it fail where that was asked for.
    pub(super) async fn receive(&self, called: Called) -> Response<Body> {
        let fault = self.change(|state| {
            if called.method != hooks::NAME {
                state.addresses.push(called.uri.to_string());
            }
            state.faults.take("", &called.method)
        });
        let Some(fault) = fault else { return self.work(&called).map(Body::from) };
        match fault.doing() {
            Doing::Now => spoil(&fault, self.work(&called), &self.clock).await,
            Doing::Late(seconds) => {
                let now = self.now();
                self.change(|state| state.late.add(now, seconds, called));
                cut()
            }
            Doing::Never => {
                let refusal = self.refuse(&called, &fault);
                if fault == Fault::Hang {
                    return std::future::pending().await;
                }
                spoil(&fault, refusal, &self.clock).await
            }
        }
    }

    fn work(&self, called: &Called) -> Response<Bytes> {
        if called.method == hooks::NAME { hooks::use_up(self, called) } else { api::answer(self, called) }
    }

    /// Notes a call that is not done, and says what Slack itself says of it.
    fn refuse(&self, called: &Called, fault: &Fault) -> Response<Bytes> {
        let arguments = if called.method == hooks::NAME { hooks::seen(called) } else { api::arguments_of(called) };
        let seen = super::SeenRequest { method: called.method.clone(), arguments, error: Some(format!("{fault:?}")) };
        self.change(|state| state.requests.push(seen));
        if let Fault::RateLimited { retry_after, .. } = fault {
            return api::limited(*retry_after);
        }
        let name = if let Fault::Named(name) = fault { name } else { "invalid_auth" };
        if called.method == hooks::NAME { hooks::refusal(name) } else { api::refused(&called.method, name) }
    }
}
