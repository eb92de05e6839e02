//! Where accepted requests lie until they are taken up: files that are only appended to, so that putting a request on disk costs
//! one write and its share of one sync, however busy the trees are.
//!
//! The store's head says up to which [`Place`] requests were taken up; files before it are removed. A request that is delivered
//! twice lies here twice, and is taken up once.

mod frame;
mod opening;
mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use opening::{Opened, open};
pub use reader::Reader;
pub use writer::{Intake, Writer};

/// A place in the intake: everything before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The number of the file.
    pub file: u64,
    /// The byte in it.
    pub at: u64,
}

impl Place {
    /// Where the first request lies.
    pub const FIRST: Self = Self { file: 1, at: 0 };

    /// The beginning of the next file.
    fn next_file(self) -> Self {
        Self { file: self.file.saturating_add(1), at: 0 }
    }
}

/// Up to where everything lies on disk.
#[derive(Clone, Debug)]
struct End(Arc<Mutex<Place>>);

impl End {
    fn at(place: Place) -> Self {
        Self(Arc::new(Mutex::new(place)))
    }

    fn get(&self) -> Place {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, place: Place) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

/// What the names of the files begin with.
const NAME: &str = "accepted-";

fn path(folder: &Path, file: u64) -> PathBuf {
    folder.join(format!("{NAME}{file}"))
}
