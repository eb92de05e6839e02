//! The numbers, as their page shows them.

use std::collections::BTreeMap;

use super::*;
use crate::domain::command::Command;
use crate::testing::tally::{Stage, all};

/// Numbers, as their page shows them.
struct Shown {
    metrics: Metrics,
    registry: Registry,
}

impl Shown {
    fn new() -> Self {
        let mut registry = Registry::default();
        Self { metrics: Metrics::registered(&mut registry), registry }
    }

    /// The numbers of a name, by what their only label says.
    fn numbers(&self, name: &str) -> BTreeMap<String, u64> {
        let page = page(&self.registry).unwrap();
        let lines = page.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        lines.map(|(label, number)| (label.split('"').nth(1).unwrap_or_default().to_owned(), number.parse().unwrap())).collect()
    }
}

impl Stage for Shown {
    fn tally(&self) -> &dyn Tally {
        &self.metrics
    }

    fn began(&self) -> u64 {
        self.numbers("deployments_started_total")[""]
    }

    fn refused(&self) -> BTreeMap<String, u64> {
        self.numbers("refusals_total")
    }

    fn ended(&self) -> BTreeMap<String, u64> {
        self.numbers("deployments_ended_total")
    }

    fn shown(&self) -> String {
        page(&self.registry).unwrap()
    }
}

#[test]
fn they_keep_the_promises_of_a_tally() {
    all(Shown::new);
}

#[test]
fn everything_that_happens_is_counted() {
    let mut registry = Registry::with_prefix("slash_heroku");
    let metrics = Metrics::registered(&mut registry);
    metrics.request(&Ask::Command(Command::Pipelines), Submitted::Accepted);
    metrics.request(&Ask::Command(Command::Pipelines), Submitted::Accepted);
    metrics.called(Service::Platform, &Ok(()));
    metrics.called::<()>(Service::Chat, &Err(PortError::new(Service::Chat, Fault::Unclear, "")));
    metrics.open(3);
    let page = page(&registry).unwrap();
    for line in [
        "slash_heroku_requests_total{kind=\"pipelines\",outcome=\"accepted\"} 2",
        "slash_heroku_outside_calls_total{service=\"platform\",outcome=\"ok\"} 1",
        "slash_heroku_outside_calls_total{service=\"chat\",outcome=\"unclear\"} 1",
        "slash_heroku_deployments_open 3",
        "slash_heroku_store_failed 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
}
