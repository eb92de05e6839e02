//! What can be asked to be so in a script.

use super::directives::{Row, Vendor};
use super::shapes::Places;
use super::table::{number, vendor};

/// Something that can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tally {
    /// The builds of an app, by their states.
    Builds(String),
    /// The releases of an app, by their states.
    Releases(String),
    /// The deployment records of a repository, by their last states.
    Deployments(String),
    /// What a person allows apps at the platform.
    Authorizations(String),
    /// The calls that one of the services got, by the statuses they were answered with.
    Requests {
        /// Who got them.
        vendor: Vendor,
        /// The HTTP method, or Slack's method.
        method: String,
        /// What their path contains.
        path: String,
    },
}

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// There are so many, and if states are given, these, in order.
    Count(Tally, usize, Option<Vec<String>>),
    /// Nobody did what should never be done.
    NoViolations,
    /// These words were never shown to anybody.
    NeverSaid(String),
}

/// Everything that can be asked to be so.
pub const CHECKS: &[Row<Check>] = &[
    Row { shape: "no violations", means: "nobody did what should never be done", build: |_| Ok(Check::NoViolations) },
    Row { shape: "never said: {words...}", means: "words that no message ever showed", build: |p| Ok(Check::NeverSaid(p.own("words"))) },
    Row {
        shape: "builds of {app}: {count...}",
        means: "how many builds, and their states: `2, succeeded, failed`",
        build: |p| count(p, Tally::Builds(p.own("app"))),
    },
    Row {
        shape: "releases of {app}: {count...}",
        means: "how many releases, and their states",
        build: |p| count(p, Tally::Releases(p.own("app"))),
    },
    Row {
        shape: "github deployments of {repo}: {count...}",
        means: "how many deployment records, and their last states",
        build: |p| count(p, Tally::Deployments(p.own("repo"))),
    },
    Row {
        shape: "authorizations of {person}: {count...}",
        means: "how many apps somebody allows at Heroku to act for them",
        build: |p| count(p, Tally::Authorizations(p.own("person"))),
    },
    Row {
        shape: "requests to slack {method}: {count...}",
        means: "how many calls of a Slack method, and what they were answered with (`ok` or an error)",
        build: |p| count(p, Tally::Requests { vendor: Vendor::Slack, method: p.own("method"), path: String::new() }),
    },
    Row {
        shape: "requests to {vendor} {method} {path}: {count...}",
        means: "how many calls with that method and a path that contains it, and their statuses",
        build: |p| count(p, Tally::Requests { vendor: vendor(p.get("vendor"))?, method: p.own("method"), path: p.own("path") }),
    },
];

fn count(p: &Places, tally: Tally) -> Result<Check, String> {
    let mut words = p.get("count").split(',').map(str::trim);
    let many = number(words.next().unwrap_or_default())? as usize;
    let states: Vec<String> = words.map(str::to_owned).collect();
    Ok(Check::Count(tally, many, (!states.is_empty()).then_some(states)))
}

#[cfg(test)]
mod tests {
    use super::super::directives::read;
    use super::*;

    #[test]
    fn checks_are_read() {
        let check = |line: &str| read(CHECKS, line).unwrap();
        assert_eq!(check("no violations"), Check::NoViolations);
        assert_eq!(check("builds of hubot: 1"), Check::Count(Tally::Builds("hubot".into()), 1, None));
        assert_eq!(
            check("github deployments of acme/hubot: 2, failure, success"),
            Check::Count(Tally::Deployments("acme/hubot".into()), 2, Some(vec!["failure".into(), "success".into()]))
        );
    }
}
