//! Upkeep of the running service: begun when somebody asks to be removed, and every hour.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::domain::privacy::NoteKind;
use crate::ports::{StoreError, Work};
use crate::usecases::{begin_upkeep, upkeep};

use super::{IDLING, Service, later};

/// How long upkeep is left to one instance, which may have much to do. Opening the store ends leases of those who are gone.
const LEASE: SignedDuration = SignedDuration::from_hours(6);

impl Service {
    /// Begins: what a former life was doing is gone on with at once.
    pub(super) async fn begin_privacy(&self, now: Timestamp) -> Result<(), StoreError> {
        let under_way = begin_upkeep(&self.0.ports).await?;
        *self.0.upkept_at.lock().unwrap_or_else(PoisonError::into_inner) = if under_way { Timestamp::MIN } else { now };
        Ok(())
    }

    /// Has upkeep done where it is due, beside everything else. Returns whether somebody waits to be removed.
    pub(super) async fn sweep_privacy(&self, now: Timestamp) -> Result<bool, StoreError> {
        let asked = !self.0.ports.privacy.keeping.notes(NoteKind::Removal).await?.is_empty();
        let due = now.duration_since(*self.0.upkept_at.lock().unwrap_or_else(PoisonError::into_inner)) >= IDLING;
        if (asked || due) && !self.is_draining() && !self.0.upkeeping.swap(true, Ordering::SeqCst) {
            *self.0.upkept_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
            let service = self.clone();
            self.spawn(async move {
                let done = service.do_upkeep(now).await;
                service.0.upkeeping.store(false, Ordering::SeqCst);
                match done {
                    Ok(()) => {}
                    Err(error @ (StoreError::Conflict(_) | StoreError::LeaseLost | StoreError::TooLarge { .. })) => {
                        tracing::warn!(%error, "upkeep was broken off; the next round goes on");
                    }
                    Err(error @ (StoreError::Damaged(_) | StoreError::Failed(_))) => service.store_failed(&error),
                }
            });
        }
        Ok(asked)
    }

    async fn do_upkeep(&self, now: Timestamp) -> Result<(), StoreError> {
        let ports = &self.0.ports;
        // Somebody else may be at it.
        let Some(lease) = ports.store.claim(&Work::Upkeep, now, later(now, LEASE)).await? else { return Ok(()) };
        let kept = upkeep(ports, &lease).await;
        ports.store.release(&lease).await?;
        self.0.metrics.upkept(&kept?);
        Ok(())
    }
}
