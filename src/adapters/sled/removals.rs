//! Who was removed, remembered outside the store: a restore of a backup from before that removes them again.
//!
//! A line per removal, with a digest of the person under a salt of its own, so that the file names nobody. A line goes when no
//! backup from before it may be restored any more.

use std::collections::HashMap;
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
use crate::domain::names::UserId;
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

fn digest(salt: Uuid, person: &Person) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update(super::accounts::person_key(person));
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

/// Notes that a person was removed. On disk when this returns, whole or not at all.
pub fn note(path: &Path, person: &Person, at: Timestamp) -> io::Result<()> {
    let oldest = at.checked_sub(BACKUPS_LIVE).and_then(|at| at.checked_sub(LONGER)).unwrap_or(Timestamp::MIN);
    let mut lines: Vec<Line> = read(path)?.into_iter().filter(|line| line.at >= oldest).collect();
    let salt = RandomIds.fresh();
    lines.push(Line { at, salt, digest: digest(salt, person) });
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

/// Those who were removed since a backup was made, and the names that stand for them.
#[derive(Debug, Default)]
pub struct Removals {
    lines: Vec<(Line, Option<UserId>)>,
    known: HashMap<Person, Option<UserId>>,
}

impl Removals {
    /// Those who were removed since `made`; everybody who is remembered, where nobody knows when that was.
    pub fn since(path: &Path, made: Option<Timestamp>) -> io::Result<Self> {
        let lines = read(path)?.into_iter().filter(|line| made.is_none_or(|made| line.at >= made));
        let named = lines.map(|line| (line, pseudonym(RandomIds.fresh())));
        Ok(Self { lines: named.collect(), known: HashMap::new() })
    }

    /// The name that stands for a person who was removed; `None`: they were not.
    pub fn of(&mut self, person: &Person) -> Option<UserId> {
        if self.lines.is_empty() {
            return None;
        }
        if let Some(known) = self.known.get(person) {
            return known.clone();
        }
        let found = self.lines.iter().find(|(line, _)| digest(line.salt, person) == line.digest).and_then(|(_, name)| name.clone());
        self.known.insert(person.clone(), found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{at, person};

    #[test]
    fn a_removal_is_known_again_and_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("removals");
        note(&path, &person("ana-lovelace"), at(0)).unwrap();
        note(&path, &person("bo"), at(100)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("lovelace") && text.lines().count() == 2, "{text}");
        let mut all = Removals::since(&path, None).unwrap();
        assert!(all.of(&person("ana-lovelace")).is_some() && all.of(&person("bo")).is_some() && all.of(&person("cy")).is_none());
        assert_eq!(all.of(&person("bo")), all.of(&person("bo")));
        let mut later = Removals::since(&path, Some(at(50))).unwrap();
        assert!(later.of(&person("ana-lovelace")).is_none() && later.of(&person("bo")).is_some());
        note(&path, &person("cy"), at(36 * 86_400)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1, "no backup from before the others may be restored");
    }
}
