//! Numbers about the service, in the OpenMetrics text format. No label holds what a person chose: the sets are closed.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::domain::command::Verb;
use crate::domain::deployment::Phase;
use crate::domain::gate::Reason;
use crate::domain::request::Ask;
use crate::ports::{Fault, PortError, Service, Submitted, Tally};
use crate::usecases::Upkept;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Requests {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusals {
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endings {
    result: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Calls {
    service: &'static str,
    outcome: &'static str,
}

/// The numbers. Cheap to clone: clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    requests: Family<Requests, Counter>,
    refusals: Family<Refusals, Counter>,
    endings: Family<Endings, Counter>,
    calls: Family<Calls, Counter>,
    open: Gauge<i64, AtomicI64>,
    draining: Gauge<i64, AtomicI64>,
    store_failed: Gauge<i64, AtomicI64>,
    started: Counter<u64, AtomicU64>,
    settled: Gauge<i64, AtomicI64>,
    dropped: Gauge<i64, AtomicI64>,
    removed: Gauge<i64, AtomicI64>,
    removals_waiting: Gauge<i64, AtomicI64>,
    rewrite_since: Gauge<i64, AtomicI64>,
}

impl Metrics {
    /// Numbers that `registry` shows from now on.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("build", "What runs", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        registry.register(
            "requests",
            "Commands and presses from verified chats, by kind and by what became of them",
            metrics.requests.clone(),
        );
        registry.register("refusals", "Reasons why a deploy might not go out, by code", metrics.refusals.clone());
        registry.register("deployments_started", "Deployments that were recorded", metrics.started.clone());
        registry.register("deployments_ended", "Deployments that came to an end, by result", metrics.endings.clone());
        registry.register("outside_calls", "Calls to other services, by service and outcome", metrics.calls.clone());
        registry.register("deployments_open", "Deployments that are not over", metrics.open.clone());
        let upkeep = [
            (
                "privacy_settled_seconds",
                "When nothing was left that is older than the privacy page says, as seconds of the epoch; 0: not yet",
                &metrics.settled,
            ),
            ("privacy_deployments_dropped", "Deployments that have gone because their time was over", &metrics.dropped),
            ("privacy_people_removed", "People who were removed", &metrics.removed),
            ("privacy_removals_waiting", "People who are to be removed and are not yet", &metrics.removals_waiting),
            (
                "privacy_rewrite_since_seconds",
                "Since when something removed is still in the files, as seconds of the epoch; 0: nothing is",
                &metrics.rewrite_since,
            ),
        ];
        for (name, help, gauge) in upkeep {
            registry.register(name, help, gauge.clone());
        }
        registry.register("draining", "1 while the service stops", metrics.draining.clone());
        registry.register("store_failed", "1 once the store has failed: nothing is accepted until a restart", metrics.store_failed.clone());
        metrics
    }

    /// A request came in.
    pub fn request(&self, ask: &Ask, became: Submitted) {
        let outcome = match became {
            Submitted::Accepted => "accepted",
            Submitted::Repeated => "repeated",
            Submitted::Unavailable => "unavailable",
        };
        self.requests.get_or_create(&Requests { kind: kind(ask), outcome }).inc();
    }

    /// A call to another service came back.
    pub fn called<T>(&self, service: Service, outcome: &Result<T, PortError>) {
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(error) => fault(error.fault),
        };
        self.calls.get_or_create(&Calls { service: name(service), outcome }).inc();
    }

    /// What a round of upkeep has left.
    pub fn upkept(&self, kept: &Upkept) {
        let seconds = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_second);
        self.settled.set(seconds(kept.upkeep.settled_at));
        self.dropped.set(i64::try_from(kept.upkeep.dropped).unwrap_or(i64::MAX));
        self.removed.set(i64::try_from(kept.upkeep.removed).unwrap_or(i64::MAX));
        self.removals_waiting.set(i64::try_from(kept.waiting).unwrap_or(i64::MAX));
        self.rewrite_since.set(seconds(kept.upkeep.rewrite_since));
    }

    /// How many deployments are not over.
    pub fn open(&self, count: usize) {
        self.open.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The service stops.
    pub fn draining(&self) {
        self.draining.set(1);
    }

    /// The store has failed, for good.
    pub fn store_failed(&self) {
        self.store_failed.set(1);
    }

    /// How the service is, for whoever watches it.
    pub fn health(&self) -> Health {
        Health { store_failed: self.store_failed.get() != 0, open: self.open.get(), draining: self.draining.get() != 0 }
    }
}

impl Tally for Metrics {
    fn began(&self) {
        self.started.inc();
    }

    fn refused(&self, reasons: &[Reason]) {
        for reason in reasons {
            self.refusals.get_or_create(&Refusals { reason: reason.code() }).inc();
        }
    }

    fn ended(&self, how: &Phase) {
        let result = match how {
            Phase::Succeeded { .. } => "succeeded",
            Phase::Failed { .. } => "failed",
            Phase::Cancelled { .. } => "cancelled",
            Phase::Freed { .. } => "freed",
            Phase::Waiting(_)
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_) => return,
        };
        self.endings.get_or_create(&Endings { result }).inc();
    }
}

/// How the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The store has failed: nothing is accepted until a restart.
    pub store_failed: bool,
    /// Deployments that are not over.
    pub open: i64,
    /// The service stops.
    pub draining: bool,
}

/// Everything in `registry`, as text.
pub fn page(registry: &Registry) -> Result<String, fmt::Error> {
    let mut page = String::new();
    text::encode(&mut page, registry)?;
    Ok(page)
}

fn kind(ask: &Ask) -> &'static str {
    match ask {
        Ask::Press { .. } => "press",
        Ask::OnPage(_) => "press",
        Ask::Form(_) | Ask::Filled(_) | Ask::Reasoned { .. } | Ask::Ship(_) => "form",
        Ask::Command(command) => match command.verb() {
            Verb::Help => "help",
            Verb::Pipelines => "pipelines",
            Verb::Info => "info",
            Verb::Plan => "plan",
            Verb::Deploy => "deploy",
            Verb::Status => "status",
            Verb::Queue => "queue",
            Verb::Leave => "leave",
            Verb::Cancel => "cancel",
            Verb::Free => "free",
            Verb::Login => "login",
            Verb::Logout => "logout",
            Verb::WhoAmI => "whoami",
            Verb::Doctor => "doctor",
            Verb::Releases => "releases",
            Verb::Where => "where",
            Verb::Diff => "diff",
            Verb::Promote => "promote",
            Verb::Rollback => "rollback",
            Verb::Lock => "lock",
            Verb::Unlock => "unlock",
            Verb::Locks => "locks",
            Verb::Mute => "mute",
            Verb::Unmute => "unmute",
            Verb::Route => "route",
            Verb::Routes => "routes",
            Verb::Unroute => "unroute",
            Verb::History => "history",
            Verb::Rules => "rules",
            Verb::Privacy => "privacy",
        },
    }
}

fn name(service: Service) -> &'static str {
    match service {
        Service::Chat => "chat",
        Service::SourceControl => "source_control",
        Service::Platform => "platform",
    }
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::SignInLost => "sign_in_lost",
        Fault::Forbidden => "forbidden",
        Fault::NotFound => "not_found",
        Fault::Refused => "refused",
        Fault::RateLimited { .. } => "rate_limited",
        Fault::Unreachable => "unreachable",
        Fault::Unclear => "unclear",
        Fault::Nonsense => "nonsense",
    }
}

#[cfg(test)]
mod tests;
