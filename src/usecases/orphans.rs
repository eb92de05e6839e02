//! People who leave, and deployments that are open: what is changed in those so that nobody who is gone stands in them.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::names::{DeploymentId, UserId, WorkspaceId};
use crate::domain::privacy::departed;
use crate::ports::{Batch, Clock, Ids, Store, StoreError, WakeKey};

/// How often a deployment is saved again that others keep changing.
const SAVES: u32 = 50;

/// Leaves a deployment with nobody behind it. Whoever drives it learns of that.
pub(super) async fn orphan(store: &dyn Store, clock: &dyn Clock, id: DeploymentId, name: &UserId) -> Result<(), StoreError> {
    change(store, clock, id, |one| one.orphaned(name, clock.now())).await
}

/// Takes a person out of a deployment of somebody else.
pub(super) async fn leave_out(
    store: &dyn Store,
    clock: &dyn Clock,
    id: DeploymentId,
    (person, name): (&Person, &UserId),
) -> Result<(), StoreError> {
    change(store, clock, id, |one| {
        let without = one.without(person, name).filter(|_| one.origin.person != *person);
        without.as_ref().unwrap_or(one).unnamed(&person.user).or(without)
    })
    .await
}

/// Leaves all open deployments of a workspace from before a moment with nobody behind them, as far as they have to be: those that the app
/// was installed for once more have nothing to do with them.
pub(super) async fn orphan_all(
    (store, clock, ids): (&dyn Store, &dyn Clock, &dyn Ids),
    (workspace, before): (&WorkspaceId, Timestamp),
    have_to: impl Fn(&Deployment) -> bool + Send + Sync,
) -> Result<(), StoreError> {
    for one in store.open_deployments().await? {
        if one.origin.person.workspace == *workspace && one.asked_at < before && !one.is_orphaned() && have_to(&one) {
            let seed = ids.fresh();
            let name = departed(seed).ok_or_else(|| StoreError::Conflict(seed.to_string()))?;
            orphan(store, clock, one.id, &name).await?;
            tracing::info!(deployment = %one.id, "a deployment is followed no more: whoever asked for it is gone");
        }
    }
    Ok(())
}

async fn change(
    store: &dyn Store,
    clock: &dyn Clock,
    id: DeploymentId,
    next: impl Fn(&Deployment) -> Option<Deployment> + Send + Sync,
) -> Result<(), StoreError> {
    for _ in 0..SAVES {
        let Some(deployment) = store.deployment(id).await? else { return Ok(()) };
        let Some(next) = next(&deployment) else { return Ok(()) };
        let lines = store.line(&next.target.app).await?.with(&next).into_iter().collect();
        match store.save(Batch { deployments: vec![next], lines, ..Batch::default() }).await {
            Ok(()) => {
                clock.wake(WakeKey::Deployment(id));
                clock.wake(WakeKey::Keeper);
                return Ok(());
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict(id.to_string()))
}
