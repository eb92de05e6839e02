//! Who was removed and what has left, remembered outside the store: a restore of a backup from before that leaves them out.
//!
//! A line per removal, with a digest of the person, or of what the app was removed from, under a salt of its own, so that the file names nobody. A line goes when no
//! backup from before it may be restored any more.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::adapters::clock::RandomIds;
use crate::domain::actor::Person;
use crate::domain::installation::Tenant;
use crate::domain::names::{UserId, WorkspaceId};
use crate::domain::privacy::pseudonym;
use crate::ports::Ids as _;

/// How old a backup may be that is restored.
pub const BACKUPS_LIVE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How much longer than that a removal is remembered, so that clocks may differ.
const LONGER: SignedDuration = SignedDuration::from_hours(5 * 24);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    salt: Uuid,
    digest: Vec<u8>,
}

/// What has gone.
#[derive(Clone, Copy, Debug)]
pub enum Gone<'g> {
    /// A person.
    Person(&'g Person),
    /// What the app was removed from.
    Tenant(&'g Tenant),
}

fn digest(salt: Uuid, gone: Gone<'_>) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    match gone {
        Gone::Person(person) => hash.update(super::accounts::person_key(person)),
        // No workspace's id begins so.
        Gone::Tenant(tenant) => {
            hash.update(b"\0");
            hash.update(super::installations::tenant_key(tenant));
        }
    }
    hash.finalize().to_vec()
}

fn read(path: &Path) -> io::Result<Vec<Line>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let lines = BufReader::new(file).lines();
    lines.map(|line| serde_json::from_str(&line?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))).collect()
}

/// Notes that somebody or something has gone; once, however often it is told. On disk when this returns, whole or not at all.
pub fn note(path: &Path, gone: Gone<'_>, at: Timestamp) -> io::Result<()> {
    let oldest = at.checked_sub(BACKUPS_LIVE).and_then(|at| at.checked_sub(LONGER)).unwrap_or(Timestamp::MIN);
    let mut lines: Vec<Line> = read(path)?.into_iter().filter(|line| line.at >= oldest).collect();
    if lines.iter().any(|line| line.at == at && line.digest == digest(line.salt, gone)) {
        return Ok(());
    }
    let salt = RandomIds.fresh();
    lines.push(Line { at, salt, digest: digest(salt, gone) });
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let half = Path::new(&name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(half)?;
    for line in lines {
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    fs::rename(half, path)?;
    super::opening::sync_parent(path)
}

/// Those who were removed since a backup was made, with the names that stand for them, and what has left since.
#[derive(Debug, Default)]
pub struct Removals {
    lines: Vec<(Line, Option<UserId>)>,
    known: HashMap<Person, Option<UserId>>,
    left: HashMap<Tenant, Option<Timestamp>>,
    /// In which workspaces that have left something was going on when the backup was made, and when they left.
    pub went_on: BTreeMap<WorkspaceId, Timestamp>,
}

impl Removals {
    /// Those who were removed since `made`; everybody who is remembered, where nobody knows when that was.
    pub fn since(path: &Path, made: Option<Timestamp>) -> io::Result<Self> {
        let lines = read(path)?.into_iter().filter(|line| made.is_none_or(|made| line.at >= made));
        let named = lines.map(|line| (line, pseudonym(RandomIds.fresh())));
        Ok(Self { lines: named.collect(), ..Self::default() })
    }

    /// The name that stands for a person who was removed; `None`: they were not.
    pub fn of(&mut self, person: &Person) -> Option<UserId> {
        if self.lines.is_empty() {
            return None;
        }
        if let Some(known) = self.known.get(person) {
            return known.clone();
        }
        let found =
            self.lines.iter().find(|(line, _)| digest(line.salt, Gone::Person(person)) == line.digest).and_then(|(_, name)| name.clone());
        self.known.insert(person.clone(), found.clone());
        found
    }

    /// When the app was removed there; `None`: it was not.
    pub fn left(&mut self, tenant: &Tenant) -> Option<Timestamp> {
        if self.lines.is_empty() {
            return None;
        }
        if let Some(known) = self.left.get(tenant) {
            return *known;
        }
        let gone = self.lines.iter().filter(|(line, _)| digest(line.salt, Gone::Tenant(tenant)) == line.digest);
        let found = gone.map(|(line, _)| line.at).max();
        self.left.insert(tenant.clone(), found);
        found
    }

    /// The same of a workspace.
    pub fn has_left(&mut self, workspace: &WorkspaceId) -> Option<Timestamp> {
        self.left(&Tenant::Workspace(workspace.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{at, person};
    use crate::testing::privacy::{never_seen, undeclared};

    #[test]
    fn every_field_of_a_line_is_declared() {
        let salt = Uuid::from_u128(7);
        let line = Line { at: Timestamp::UNIX_EPOCH, salt, digest: digest(salt, Gone::Person(&person("ana"))) };
        let line = serde_json::to_value(line).unwrap();
        assert!(undeclared("removals", &line).is_empty() && never_seen("removals", [&line]).is_empty());
    }

    #[test]
    fn a_removal_is_known_again_and_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("removals");
        note(&path, Gone::Person(&person("ana-lovelace")), at(0)).unwrap();
        note(&path, Gone::Person(&person("bo")), at(100)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("lovelace") && text.lines().count() == 2, "{text}");
        let mut all = Removals::since(&path, None).unwrap();
        assert!(all.of(&person("ana-lovelace")).is_some() && all.of(&person("bo")).is_some() && all.of(&person("cy")).is_none());
        assert_eq!(all.of(&person("bo")), all.of(&person("bo")));
        let mut later = Removals::since(&path, Some(at(50))).unwrap();
        assert!(later.of(&person("ana-lovelace")).is_none() && later.of(&person("bo")).is_some());
        note(&path, Gone::Person(&person("cy")), at(36 * 86_400)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1, "no backup from before the others may be restored");
    }

    #[test]
    fn what_has_left_is_known_again_and_is_not_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("removals");
        let of = |id: &str| WorkspaceId::parse(id).unwrap();
        let (t1, org) =
            (Tenant::Workspace(of("TACME1")), Tenant::Organisation(crate::domain::names::OrganisationId::parse("TACME2").unwrap()));
        for (tenant, second) in [(&t1, 100), (&t1, 100), (&t1, 200), (&org, 100)] {
            note(&path, Gone::Tenant(tenant), at(second)).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("TACME") && text.lines().count() == 3, "{text}");
        let mut all = Removals::since(&path, Some(at(50))).unwrap();
        assert_eq!((all.has_left(&of("TACME1")), all.left(&org)), (Some(at(200)), Some(at(100))));
        assert_eq!(
            (all.has_left(&of("TACME2")), all.of(&person("TACME1"))),
            (None, None),
            "an organisation is no workspace, and neither is a person"
        );
        assert_eq!(Removals::since(&path, Some(at(150))).unwrap().left(&org), None, "installed anew before the backup");
    }
}
