//! Counting requests at the simulators.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use slash_heroku::sandbox::github::Github;
use slash_heroku::sandbox::heroku::{Heroku, Host};
use slash_heroku::sandbox::world::World;

/// On which account a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    Heroku,
    GitHub,
    /// Nothing had changed.
    Unchanged,
    /// A page of a list beyond its first.
    FurtherPage,
    /// Which repository is linked to a pipeline.
    Link,
    /// Storage, streams, archives.
    Beside,
}

/// Requests by account, method and path.
#[derive(Debug, Default)]
pub struct Bill(BTreeMap<(Account, String), usize>);

impl Bill {
    fn add(&mut self, account: Account, what: String) {
        *self.0.entry((account, what)).or_default() += 1;
    }

    /// How many stand on an account.
    pub fn of(&self, account: Account) -> usize {
        self.0.iter().filter(|((of, _), _)| *of == account).map(|(_, times)| times).sum()
    }

    /// How many Heroku charges.
    pub fn heroku(&self) -> usize {
        self.of(Account::Heroku)
    }

    /// How many both charge.
    pub fn charged(&self) -> usize {
        self.heroku() + self.github()
    }

    /// How many came in all.
    pub fn of_all(&self) -> usize {
        self.0.values().sum()
    }

    /// What is charged, and how often.
    pub fn charged_each(&self) -> impl Iterator<Item = (&str, usize)> {
        let charged = self.0.iter().filter(|((account, _), _)| matches!(account, Account::Heroku | Account::GitHub));
        charged.map(|((_, what), times)| (what.as_str(), *times))
    }

    /// How many GitHub charges.
    pub fn github(&self) -> usize {
        self.of(Account::GitHub)
    }
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts = [Account::Heroku, Account::GitHub, Account::Link, Account::FurtherPage, Account::Unchanged, Account::Beside];
        for account in accounts {
            writeln!(f, "{account:?}: {}", self.of(account))?;
            for ((_, what), times) in self.0.iter().filter(|((of, _), _)| *of == account) {
                writeln!(f, "  {times:3} {what}")?;
            }
        }
        Ok(())
    }
}

/// How many requests had come to each service.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize);

/// Counts.
#[derive(Debug)]
pub struct Counter {
    heroku: Arc<Heroku>,
    github: Arc<Github>,
}

impl Counter {
    pub fn of(world: &World) -> Self {
        Self { heroku: Arc::clone(&world.heroku), github: Arc::clone(&world.github) }
    }

    pub fn now(&self) -> Mark {
        Mark(self.heroku.requests().len(), self.github.requests().len())
    }

    /// What was asked since.
    pub fn since(&self, mark: Mark) -> Bill {
        let mut bill = Bill::default();
        let mut unfinished = None;
        for request in self.heroku.requests().into_iter().skip(mark.0) {
            let what = format!("{} {}", request.method, readable(&request.path));
            let goes_on =
                unfinished.replace((request.method.clone(), request.path.clone())) == Some((request.method.clone(), request.path.clone()));
            if request.status != 206 {
                unfinished = None;
            }
            let link = request.path.ends_with("/repo") || request.path.starts_with("/account/features/");
            let account = match request.host {
                Host::Storage | Host::Streams | Host::Id => Account::Beside,
                _ if request.status == 304 => Account::Unchanged,
                Host::Link => Account::Link,
                Host::Api if link => Account::Link,
                Host::Api if goes_on => Account::FurtherPage,
                Host::Api => Account::Heroku,
            };
            bill.add(account, what);
        }
        for request in self.github.requests().into_iter().skip(mark.1) {
            let page = request.path.split(['?', '&']).find_map(|part| part.strip_prefix("page="));
            let account = match page {
                _ if request.status == 304 => Account::Unchanged,
                _ if !request.charged => Account::Beside,
                Some(page) if page != "1" => Account::FurtherPage,
                _ => Account::GitHub,
            };
            bill.add(account, format!("{} {} {}", request.method, request.status, readable(&request.path)));
        }
        bill
    }
}

/// A path with its ids shortened.
fn readable(path: &str) -> String {
    let hex = |part: &str| part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    path.split('/')
        .map(|part| part.split("...").map(|part| if hex(part) { &part[..8] } else { part }).collect::<Vec<_>>().join("..."))
        .collect::<Vec<_>>()
        .join("/")
}
