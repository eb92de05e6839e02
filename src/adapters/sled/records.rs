//! The kinds of rows: in which tree they lie, under which key, and what finds them.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::deployment::Deployment;
use crate::domain::line::Line;
use crate::domain::names::{AppId, DeploymentId, OfferId, PipelineId};
use crate::domain::offer::Offer;
use crate::domain::request::Request;
use crate::ports::Work;

/// A tree of the store. Few on purpose: sled's cost grows with their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Requests, by delivery id.
    Requests,
    /// Deployments, by id: sorted by the time they were asked for.
    Deployments,
    /// Lines, by app id.
    Lines,
    /// Offers, by id.
    Offers,
    /// Linked logins, by person.
    Accounts,
    /// Visits to link logins, by id.
    SignIns,
    /// What privacy itself needs, by kind and what finds it.
    Privacy,
    /// Installations of the app, by what it is installed in.
    Installations,
    /// What the chat tells of them, by delivery id.
    Happenings,
    /// Locks, by pipeline.
    Locks,
    /// Leases, by work.
    Leases,
    /// What finds the others; holds nothing of its own.
    Index,
    /// One row: schema, totals, the last fence.
    Meta,
}

impl Shelf {
    /// All of them, in the order in which a transaction sees them.
    pub const ALL: [Self; 13] = [
        Self::Requests,
        Self::Deployments,
        Self::Lines,
        Self::Offers,
        Self::Accounts,
        Self::SignIns,
        Self::Privacy,
        Self::Installations,
        Self::Happenings,
        Self::Locks,
        Self::Leases,
        Self::Index,
        Self::Meta,
    ];

    /// Its name on disk.
    pub fn tree(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Deployments => "deployments",
            Self::Lines => "lines",
            Self::Offers => "offers",
            Self::Accounts => "accounts",
            Self::SignIns => "sign-ins",
            Self::Privacy => "privacy",
            Self::Installations => "installations",
            Self::Happenings => "happenings",
            Self::Locks => "locks",
            Self::Leases => "leases",
            Self::Index => "index",
            Self::Meta => "meta",
        }
    }

    /// Its place in [`Shelf::ALL`].
    pub fn place(self) -> usize {
        match self {
            Self::Requests => 0,
            Self::Deployments => 1,
            Self::Lines => 2,
            Self::Offers => 3,
            Self::Accounts => 4,
            Self::SignIns => 5,
            Self::Privacy => 6,
            Self::Installations => 7,
            Self::Happenings => 8,
            Self::Locks => 9,
            Self::Leases => 10,
            Self::Index => 11,
            Self::Meta => 12,
        }
    }
}

/// A kind of record with versions.
pub trait Record: Serialize + DeserializeOwned + Clone {
    /// Where it lies.
    const SHELF: Shelf;

    /// Under which key.
    fn key(&self) -> Vec<u8>;

    /// What people call it in an error.
    fn label(&self) -> String;

    /// Its version.
    fn version(&self) -> u64;

    /// The same with another version.
    #[must_use]
    fn at_version(&self, version: u64) -> Self;

    /// The index rows that find it; most are found by their key alone.
    fn found_by(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

impl Record for Request {
    const SHELF: Shelf = Shelf::Requests;

    fn key(&self) -> Vec<u8> {
        self.id.as_str().as_bytes().to_vec()
    }

    fn label(&self) -> String {
        format!("request {}", self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn found_by(&self) -> Vec<Vec<u8>> {
        if self.answered { Vec::new() } else { vec![unanswered_key(self.received_at, self.id.as_str())] }
    }
}

impl Record for Deployment {
    const SHELF: Shelf = Shelf::Deployments;

    fn key(&self) -> Vec<u8> {
        deployment_key(self.id)
    }

    fn label(&self) -> String {
        format!("deployment {}", self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn found_by(&self) -> Vec<Vec<u8>> {
        let mut keys = vec![with_id(of_app(&self.target.app), self.id.0), with_id(of_pipeline(&self.target.pipeline), self.id.0)];
        if self.is_open() {
            keys.push(with_id(OPEN.to_vec(), self.id.0));
        }
        keys
    }
}

impl Record for Line {
    const SHELF: Shelf = Shelf::Lines;

    fn key(&self) -> Vec<u8> {
        line_key(&self.app)
    }

    fn label(&self) -> String {
        format!("the line of app {}", self.app)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Record for Offer {
    const SHELF: Shelf = Shelf::Offers;

    fn key(&self) -> Vec<u8> {
        offer_key(self.id)
    }

    fn label(&self) -> String {
        format!("offer {}", self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

/// A lease as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRow {
    /// Its fence.
    pub fence: u64,
    /// When it ends.
    pub until: Timestamp,
    /// It was given back.
    pub released: bool,
}

/// The index rows of open deployments begin with this.
pub const OPEN: &[u8] = b"o";
/// The index rows of unanswered requests begin with this.
pub const UNANSWERED: &[u8] = b"u";
/// The length of an id at the end of an index row.
const ID: usize = 16;
/// What comes before the delivery id in an index row of an unanswered request: the letter and the time.
const BEFORE_DELIVERY: usize = 17;

/// The key of a deployment.
pub fn deployment_key(id: DeploymentId) -> Vec<u8> {
    id.0.as_bytes().to_vec()
}

/// The key of an offer.
pub fn offer_key(id: OfferId) -> Vec<u8> {
    id.0.as_bytes().to_vec()
}

/// The key of a line.
pub fn line_key(app: &AppId) -> Vec<u8> {
    app.as_str().as_bytes().to_vec()
}

/// The key of a lease.
pub fn lease_key(work: &Work) -> Vec<u8> {
    match work {
        Work::Request(id) => [b"r", id.as_str().as_bytes()].concat(),
        Work::Deployment(id) => [b"d".as_slice(), id.0.as_bytes()].concat(),
        Work::Account(person) => [b"a".as_slice(), &super::accounts::person_key(person)].concat(),
        Work::Upkeep => b"u".to_vec(),
        Work::Locks => b"l".to_vec(),
        Work::Installation(tenant) => [b"i".as_slice(), &super::installations::tenant_key(tenant)].concat(),
    }
}

/// The index rows of an app's deployments begin with this. Ids of the outside hold no zero byte.
pub fn of_app(app: &AppId) -> Vec<u8> {
    [b"a", app.as_str().as_bytes(), b"\0"].concat()
}

/// The index rows of a pipeline's deployments begin with this.
pub fn of_pipeline(pipeline: &PipelineId) -> Vec<u8> {
    [b"p", pipeline.as_str().as_bytes(), b"\0"].concat()
}

/// The index row that an open deployment has, by its key.
pub fn open_key(deployment: &[u8]) -> Vec<u8> {
    [OPEN, deployment].concat()
}

fn with_id(mut prefix: Vec<u8>, id: Uuid) -> Vec<u8> {
    prefix.extend_from_slice(id.as_bytes());
    prefix
}

/// Behind all index rows that begin with a prefix and end with an id.
pub fn behind(prefix: &[u8]) -> Vec<u8> {
    [prefix, [u8::MAX; ID].as_slice(), b"\0"].concat()
}

fn unanswered_key(received_at: Timestamp, delivery: &str) -> Vec<u8> {
    // The sign is turned round so that bytes sort as times do.
    let time = received_at.as_nanosecond().cast_unsigned() ^ (1 << 127);
    [UNANSWERED, &time.to_be_bytes(), delivery.as_bytes()].concat()
}

/// The deployment's key at the end of an index row.
pub fn deployment_found_by(index: &[u8]) -> Option<&[u8]> {
    index.last_chunk::<ID>().map(<[u8; ID]>::as_slice)
}

/// The request's key at the end of an index row.
pub fn request_found_by(index: &[u8]) -> Option<&[u8]> {
    index.get(BEFORE_DELIVERY..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::privacy::RECORD_KINDS;
    use crate::testing::privacy::{never_seen, undeclared};

    #[test]
    fn shelves_are_where_they_say() {
        for (place, shelf) in Shelf::ALL.iter().enumerate() {
            assert_eq!(shelf.place(), place);
        }
    }

    #[test]
    fn every_tree_with_records_is_told_in_the_privacy_table() {
        let told: Vec<&str> = RECORD_KINDS.iter().map(|kind| kind.tree).collect();
        for shelf in Shelf::ALL {
            let holds_records = !matches!(shelf, Shelf::Index | Shelf::Meta);
            assert_eq!(told.contains(&shelf.tree()), holds_records, "{shelf:?}");
        }
    }

    #[test]
    fn every_field_of_a_lease_is_declared() {
        let row = serde_json::to_value(LeaseRow { fence: 1, until: Timestamp::UNIX_EPOCH, released: true }).unwrap();
        assert!(undeclared("leases", &row).is_empty() && never_seen("leases", [&row]).is_empty());
    }

    #[test]
    fn unanswered_requests_sort_by_time() {
        let key = |seconds| unanswered_key(Timestamp::from_second(seconds).unwrap(), "x");
        assert!(key(-5) < key(-1) && key(-1) < key(0) && key(0) < key(1) && key(1) < key(70_000_000));
        assert_eq!(request_found_by(&key(9)), Some(b"x".as_slice()));
    }

    #[test]
    fn leases_of_the_first_schema_are_read() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../../../fixtures/store/v1/lease.json")).unwrap();
        for lease in file["records"].as_array().unwrap() {
            let read: LeaseRow = super::super::codec::read("leases", 1, lease.to_string().as_bytes()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), *lease);
        }
    }
}
