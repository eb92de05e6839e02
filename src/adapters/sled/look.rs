//! The first look at a store: everything fits together, and is what the last process left, before anything is answered from it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ports::StoreError;

use super::audit::audit;
use super::desk::{Desk, Head, STORE_SCHEMA, Stop, Tx};
use super::history::History;
use super::intake::{self, Intake, Place};
use super::opening::{OpenError, Opening, remove_if_there};
use super::writer::{Disk, Notice};

/// Ours, written when the store is closed: what it held then. sled drops the end of its log without a word where it cannot read
/// it, and the intake takes a broken end for what a power cut left; what is left fits together and is too old.
const CLOSED: &str = "closed";

/// What is left word of.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    #[serde(flatten)]
    head: Head,
    /// Where the intake ended. Unknown to versions that had none.
    accepted: Option<Place>,
}

/// Leaves word of what there is, for the next opening.
pub fn leave_word(desk: &Desk, folder: &Path) -> io::Result<()> {
    let Ok(Some(head)) = desk.head() else { return Ok(()) };
    let half = folder.join("closed.new");
    let mut file = File::create(&half)?;
    let accepted = desk.intake.as_ref().map(intake::Reader::end);
    file.write_all(&serde_json::to_vec(&Closed { head, accepted })?)?;
    file.sync_all()?;
    fs::rename(half, folder.join(CLOSED))?;
    File::open(folder)?.sync_all()
}

/// From now on the store changes.
pub fn take_word_back(folder: &Path) -> io::Result<()> {
    remove_if_there(&folder.join(CLOSED))
}

/// A store that was looked at.
pub struct Begun {
    /// The trees.
    pub desk: Desk,
    /// Where requests are accepted.
    pub intake: Intake,
    /// Ends the intake.
    pub writer: intake::Writer,
    /// How many requests wait to be taken up.
    pub waiting: u64,
}

/// Looks at everything, and gives the desk what it lacks.
pub fn begin(mut desk: Desk, disk: &Disk, folder: &Path, begun: bool, opening: &Opening, notice: &Notice) -> Result<Begun, OpenError> {
    let damaged = |detail: String| OpenError::Damaged { folder: folder.to_owned(), detail };
    let told = |stop: Stop| match stop {
        Stop::Refused(StoreError::Damaged(detail)) | Stop::Broken(detail) => damaged(detail),
        Stop::Refused(error @ (StoreError::Conflict(_) | StoreError::LeaseLost | StoreError::TooLarge { .. } | StoreError::Failed(_))) => {
            damaged(error.to_string())
        }
    };
    let head = match desk.head().map_err(told)? {
        Some(head) => head,
        None if begun => return Err(damaged("it should have records and has none".to_owned())),
        None => Head::default(),
    };
    if head.schema > STORE_SCHEMA {
        return Err(OpenError::Newer { folder: folder.to_owned(), found: head.schema, known: STORE_SCHEMA });
    }
    audit(&desk, &head).map_err(told)?;
    let intake::Opened { reader, writer, intake, waiting } =
        intake::open(folder, head.taken.unwrap_or(Place::FIRST), opening.sync.clone(), notice.clone()).map_err(told)?;
    if let Ok(then) = fs::read(folder.join(CLOSED)) {
        let then: Option<Closed> = serde_json::from_slice(&then).ok();
        let fits = |then: &Closed| then.head == head && then.accepted.is_none_or(|accepted| accepted == reader.end());
        if !then.as_ref().is_some_and(fits) {
            return Err(damaged("its last changes are missing".to_owned()));
        }
    }
    (desk.fences_before, desk.intake) = (head.fence, Some(reader));
    let history = History::open(folder, opening.sync.clone(), head.history, opening.thorough).map_err(told)?;
    // A move that was cut short: its rows are in both places, and will be moved again.
    let ahead = history.mark().map_err(told)?.filter(|mark| head.history.unwrap_or_default() != *mark);
    desk.history = Arc::new(history);
    if head.taken.is_none() || ahead.is_some() {
        let remember = |tx: &Tx<'_>| {
            ahead.into_iter().for_each(|mark| tx.history_is(mark));
            tx.taken_until(head.taken.unwrap_or(Place::FIRST));
            Ok(())
        };
        desk.transact(remember).map_err(told)?;
    }
    // What the last process wrote and never synced has just been read, and will be answered from: it has to be on disk.
    desk.take_changed();
    disk.commit(&desk).map_err(told)?;
    Ok(Begun { desk, intake, writer, waiting })
}
