//! What operators do with people's records, recorded before it is done.

use async_trait::async_trait;

use crate::domain::actor::Person;
use crate::domain::privacy::{Did, Note, NoteKind, Noted, OperatorAsks, Wanted};
use crate::domain::speech::operators;
use crate::ports::{NoteBatch, Operating, StoreError};

use super::{Ports, privacy};

/// The operators' side of the service.
#[derive(Clone, Debug)]
pub struct OperatorsDesk(pub Ports);

impl OperatorsDesk {
    async fn record(&self, did: Did, about: Option<&Person>, asks: &OperatorAsks, system_user: u32) -> Result<(), StoreError> {
        let save = vec![Noted::new(asks.on_record(did, about, system_user, self.0.clock.now(), self.0.ids.fresh()))];
        self.0.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await
    }
}

#[async_trait]
impl Operating for OperatorsDesk {
    async fn asked(&self, asks: &OperatorAsks, system_user: u32) -> Result<String, StoreError> {
        let keeping = &self.0.privacy.keeping;
        match &asks.wanted {
            Wanted::Look(person) => {
                self.record(Did::Looked, Some(person), asks, system_user).await?;
                Ok(operators::how_much(&keeping.how_much(person).await?))
            }
            Wanted::Export(person) => {
                self.record(Did::Exported, Some(person), asks, system_user).await?;
                keeping.everything(person).await
            }
            Wanted::Remove(person) => {
                self.record(Did::Removed, Some(person), asks, system_user).await?;
                privacy::begin_removal(&self.0, person).await.map(operators::removal_begun)
            }
            Wanted::Backup => {
                self.record(Did::BackedUp, None, asks, system_user).await?;
                Ok(String::new())
            }
            Wanted::List => {
                let deeds = keeping.notes(NoteKind::Deed).await?;
                let deeds = deeds.iter().filter_map(|noted| if let Note::Deed(deed) = &noted.note { Some(deed) } else { None });
                Ok(operators::deeds(deeds))
            }
            Wanted::State => {
                let (upkeep, waiting) = privacy::upkeep_state(&self.0).await?;
                let counts = keeping.notes(NoteKind::Counts).await?;
                let counts = counts.iter().filter_map(|noted| if let Note::Counts(counts) = &noted.note { Some(counts) } else { None });
                Ok(operators::state(&upkeep, waiting, counts))
            }
        }
    }
}

#[cfg(test)]
mod tests;
