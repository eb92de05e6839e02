//! The logins that people have linked, made fit for use: opened, renewed ahead of their ends, ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::account::{Account, Freshness, Login, Missing, Obstacle, Provider, Standing, Unlinked};
use crate::domain::actor::Person;
use crate::domain::command::Needs;
use crate::domain::sign_in::{SignIn, Stage};
use crate::ports::{
    AccountBatch, AccountStore, Accounts, Clock, Credentials, Extent, Fault, Forgets as _, Granted, Lease, NoCredentials, PortError,
    Resealed, Revoked, SealedThings, SignInAt, Store, StoreError, Tokens, Vault, VaultError, Work,
};

use super::memories::Memories;

/// How long the claim on an account is held: longer than a renewal may take.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long to wait between two looks while somebody else renews.
const LOOK: SignedDuration = SignedDuration::from_millis(250);
/// How often to look, which is longer than the claim lasts.
const LOOKS: u32 = 300;
/// How often a record is saved again that others keep changing.
const SAVES: u32 = 5;

/// Why a login cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Only its owner can help: by linking it.
    #[error("a login at {:?} is missing: {:?}", .0.provider, .0.why)]
    Missing(Missing),
    /// It has run out, and the service that renews it is away. It stays linked.
    #[error("a login could not be renewed for now: {0}")]
    Away(PortError),
    /// Its tokens cannot be opened.
    #[error(transparent)]
    Sealed(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The logins that people have linked.
#[derive(Clone, Debug)]
pub struct LinkedAccounts {
    /// Whose work it is.
    pub store: Arc<dyn Store>,
    /// Where they are kept.
    pub accounts: Arc<dyn AccountStore>,
    /// What opens them.
    pub vault: Arc<dyn Vault>,
    /// What remembers things that were read with them.
    pub memories: Memories,
    /// Where they are renewed and ended.
    pub services: BTreeMap<Provider, Arc<dyn SignInAt>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Accounts for LinkedAccounts {
    async fn credentials(&self, person: &Person) -> Result<Credentials, NoCredentials> {
        let source = self.access(person, Provider::SourceControl).await;
        // Both are asked for in any case: people are told at once of everything that is missing.
        let platform = self.access(person, Provider::Platform).await;
        match (source, platform) {
            (Ok(source), Ok(platform)) => Ok(Credentials { source, platform }),
            (Err(Denied::Missing(one)), Err(Denied::Missing(other))) => Err(NoCredentials::Missing(vec![one, other])),
            (Err(Denied::Missing(one)), _) | (_, Err(Denied::Missing(one))) => Err(NoCredentials::Missing(vec![one])),
            (Err(denied), _) | (_, Err(denied)) => {
                tracing::warn!(%denied, "a login cannot be used");
                Err(match denied {
                    Denied::Away(error) => NoCredentials::Away(error),
                    Denied::Missing(missing) => NoCredentials::Missing(vec![missing]),
                    Denied::Sealed(_) | Denied::Store(_) => NoCredentials::Locked,
                })
            }
        }
    }

    async fn token(&self, person: &Person, at: Provider) -> Option<SecretString> {
        self.access(person, at).await.inspect_err(|denied| tracing::debug!(%denied, "a login cannot be used")).ok()
    }

    async fn refused(&self, person: &Person, at: Provider, token: &SecretString) -> bool {
        match self.doubt(person, at, token).await {
            Ok(another) => another,
            Err(denied) => {
                tracing::warn!(%denied, "whether a login was withdrawn could not be found out");
                false
            }
        }
    }
}

#[async_trait]
impl SealedThings for LinkedAccounts {
    async fn reseal(&self) -> Result<Resealed, StoreError> {
        let mut all = Resealed::default();
        for account in self.accounts.accounts().await? {
            self.reseal_account(account, &mut all).await?;
        }
        for sign_in in self.accounts.open_sign_ins().await? {
            self.reseal_visit(sign_in, &mut all).await?;
        }
        Ok(all)
    }
}

impl LinkedAccounts {
    /// A token that is taken now, renewed if it has to be.
    pub async fn access(&self, person: &Person, at: Provider) -> Result<SecretString, Denied> {
        let account = self.accounts.account(person).await?;
        let login = self.usable(&account, at)?;
        match login.life.at(self.clock.now()) {
            Freshness::Fresh | Freshness::Over => Ok(self.vault.open(&login.tokens, person, at)?.access),
            Freshness::Ageing | Freshness::Stale => self.renewed(person, at).await,
        }
    }

    /// The service has refused an access that should be good: the login is tried once more by renewing it, and is withdrawn if
    /// that is refused too, or if there is nothing to renew it with. Whether there is another access now, by us or by somebody who
    /// was faster.
    pub async fn doubt(&self, person: &Person, at: Provider, access: &SecretString) -> Result<bool, Denied> {
        let Some(lease) = self.claim_in_time(person).await? else { return Ok(false) };
        let found = self.doubt_claimed(person, at, access).await;
        self.store.release(&lease).await?;
        match found {
            Err(Denied::Missing(_)) => Ok(false),
            found => found,
        }
    }

    async fn doubt_claimed(&self, person: &Person, at: Provider, access: &SecretString) -> Result<bool, Denied> {
        let account = self.accounts.account(person).await?;
        let Some(login) = account.logins.get(&at).filter(|login| login.standing == Standing::Good) else { return Ok(false) };
        if !self.vault.holds(&login.tokens, access, person, at)? {
            return Ok(true);
        }
        self.renew_now(person, at, login).await.map(|_| true)
    }

    /// Unlinks every login of a person: ends them at their services, as far as what we hold allows it, and forgets them in any case.
    pub async fn unlink(&self, person: &Person) -> Result<BTreeMap<Provider, Unlinked>, Denied> {
        // Whoever renews now would bring back what is ended here.
        let lease = self.claim_in_time(person).await?;
        let account = self.accounts.account(person).await?;
        let mut became = BTreeMap::new();
        for (at, login) in &account.logins {
            became.insert(*at, self.end(person, *at, login).await);
        }
        let read_with: Vec<Tokens> =
            account.logins.iter().filter_map(|(at, login)| self.vault.open(&login.tokens, person, *at).ok()).collect();
        self.forget(person, &account).await?;
        read_with.iter().for_each(|tokens| self.memories.forget_credential(&tokens.access));
        if let Some(lease) = lease {
            self.store.release(&lease).await?;
        }
        Ok(became)
    }

    /// Ends what was granted, without touching the records.
    pub async fn end(&self, person: &Person, at: Provider, login: &Login) -> Unlinked {
        let Some(service) = self.services.get(&at) else { return Unlinked::Unclear { page: String::new() } };
        let unclear = || Unlinked::Unclear { page: service.ended_by_hand_at() };
        let tokens = match self.vault.open(&login.tokens, person, at) {
            Ok(tokens) => tokens,
            Err(error) => {
                tracing::warn!(%error, "a login cannot be ended at its service");
                return unclear();
            }
        };
        let extent = match self.extent(at, login).await {
            Ok(Some(extent)) => extent,
            Ok(None) => return Unlinked::WithAnother,
            Err(error) => {
                tracing::warn!(%error, "whether a login may be ended at its service cannot be seen");
                return unclear();
            }
        };
        match service.revoke(&tokens, login.grant.clone(), extent).await {
            Ok(Revoked::Gone) => Unlinked::Revoked,
            Ok(Revoked::OnlyByHand { page }) => Unlinked::OnlyByHand { page },
            Err(error) => {
                tracing::warn!(%error, "a login could not be ended at its service");
                unclear()
            }
        }
    }

    /// How much may end with a login: what somebody else is linked with now, or the same person by another consent, stays good.
    /// `None`: nothing, as another hangs on the same consent.
    async fn extent(&self, at: Provider, login: &Login) -> Result<Option<Extent>, StoreError> {
        let linked = self.accounts.accounts().await?.into_iter().filter_map(|mut account| account.logins.remove(&at));
        let about_to_be = self.accounts.open_sign_ins().await?.into_iter().filter_map(|sign_in| sign_in.held().remove(&at));
        let others: Vec<Login> = linked.chain(about_to_be).filter(|other| other.id == login.id && other != login).collect();
        if login.grant.is_some() && others.iter().any(|other| other.grant == login.grant) {
            return Ok(None);
        }
        Ok(Some(if others.is_empty() { Extent::Everything } else { Extent::TheseTokens }))
    }

    /// Forgets what was read with a login that is in use no more.
    pub(super) fn forget_read_with(&self, person: &Person, at: Provider, login: &Login) {
        if let Ok(tokens) = self.vault.open(&login.tokens, person, at) {
            self.memories.forget_credential(&tokens.access);
        }
    }

    /// Seals logins again that were not sealed with the newest key; those that cannot be opened stay as they are and are told.
    fn resealed<'a>(
        &self,
        person: &Person,
        logins: impl IntoIterator<Item = (Provider, &'a mut Login)>,
        left: &mut Vec<VaultError>,
    ) -> u64 {
        let mut sealed = 0_u64;
        for (at, login) in logins.into_iter().filter(|(_, login)| self.vault.is_behind(&login.tokens)) {
            let again = self.vault.open(&login.tokens, person, at).and_then(|tokens| self.vault.seal(&tokens, person, at));
            match again {
                Ok(tokens) => {
                    login.tokens = tokens;
                    sealed = sealed.saturating_add(1);
                }
                Err(error) => left.push(error),
            }
        }
        sealed
    }

    async fn reseal_account(&self, account: Account, all: &mut Resealed) -> Result<(), StoreError> {
        let mut now = account;
        for _ in 0..SAVES {
            let (mut next, mut left) = (now.clone(), Vec::new());
            let sealed = self.resealed(&now.person, next.logins.iter_mut().map(|(at, login)| (*at, login)), &mut left);
            let saved = if sealed == 0 { Ok(()) } else { self.save(next).await };
            match saved {
                Ok(()) => {
                    all.add(sealed, left);
                    return Ok(());
                }
                // Renewed meanwhile, which has sealed it with the newest key; or changed in another way.
                Err(StoreError::Conflict(_)) => now = self.accounts.account(&now.person).await?,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict(now.person.user.to_string()))
    }

    /// What a visit holds until it is confirmed, or ended at its service, is sealed as well.
    async fn reseal_visit(&self, sign_in: SignIn, all: &mut Resealed) -> Result<(), StoreError> {
        let mut now = Some(sign_in);
        for _ in 0..SAVES {
            let Some(before) = now else { return Ok(()) };
            let mut left = Vec::new();
            let mut next = before.clone();
            let held = match &mut next.stage {
                Stage::Open(visit) => Some(&mut visit.linked),
                Stage::Offered | Stage::Over { .. } => None,
            };
            let held = held.into_iter().flatten().map(|(at, login)| (*at, login));
            let logins = held.chain(next.leaving.iter_mut().map(|leaving| (leaving.at, &mut leaving.login)));
            let sealed = self.resealed(&before.person, logins, &mut left);
            let batch = AccountBatch { accounts: Vec::new(), sign_ins: vec![next] };
            let saved = if sealed == 0 { Ok(()) } else { self.accounts.save_accounts(batch).await };
            match saved {
                Ok(()) => {
                    all.add(sealed, left);
                    return Ok(());
                }
                Err(StoreError::Conflict(_)) => now = self.accounts.sign_in(before.id).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A login of what was granted, sealed.
    pub fn login(&self, person: &Person, at: Provider, id: crate::domain::names::LoginId, granted: Granted) -> Result<Login, VaultError> {
        let tokens = self.vault.seal(&granted.tokens, person, at)?;
        let Granted { tokens: _, life, scopes, rights, grant } = granted;
        Ok(Login { id, scopes, rights, grant, linked_at: self.clock.now(), life, standing: Standing::Good, tokens })
    }

    fn usable<'a>(&self, account: &'a Account, at: Provider) -> Result<&'a Login, Denied> {
        let missing = account.missing(Needs::BothAccounts, self.clock.now()).into_iter().find(|missing| missing.provider == at);
        if let Some(missing) = missing {
            return Err(Denied::Missing(missing));
        }
        account.logins.get(&at).ok_or(Denied::Missing(Missing { provider: at, why: Obstacle::NeverLinked }))
    }

    /// Renews under the person's claim: of two at once, one renews and the other takes what came of it.
    async fn renewed(&self, person: &Person, at: Provider) -> Result<SecretString, Denied> {
        for _ in 0..LOOKS {
            if let Some(lease) = self.claim(person).await? {
                let done = self.renewed_claimed(person, at).await;
                // Also where it came to nothing: whoever links the login again is not to wait for it.
                self.store.release(&lease).await?;
                return done;
            }
            let account = self.accounts.account(person).await?;
            let login = self.usable(&account, at)?;
            match login.life.at(self.clock.now()) {
                Freshness::Fresh | Freshness::Ageing | Freshness::Over => return Ok(self.vault.open(&login.tokens, person, at)?.access),
                Freshness::Stale => self.clock.pause_until(later(self.clock.now(), LOOK)).await,
            }
        }
        let error = PortError::new(at.service(), Fault::Unreachable, "renewed-by-others");
        Err(Denied::Away(error))
    }

    async fn renewed_claimed(&self, person: &Person, at: Provider) -> Result<SecretString, Denied> {
        let account = self.accounts.account(person).await?;
        let login = self.usable(&account, at)?;
        let open = || Ok(self.vault.open(&login.tokens, person, at)?.access);
        match login.life.at(self.clock.now()) {
            Freshness::Fresh | Freshness::Over => open(),
            Freshness::Ageing => match self.renew_now(person, at, login).await {
                // Still good: it is renewed the next time.
                Err(Denied::Away(error)) => {
                    tracing::info!(%error, "a login is renewed later");
                    open()
                }
                done => done,
            },
            Freshness::Stale => self.renew_now(person, at, login).await,
        }
    }

    async fn renew_now(&self, person: &Person, at: Provider, login: &Login) -> Result<SecretString, Denied> {
        let tokens = self.vault.open(&login.tokens, person, at)?;
        let Some(service) = self.services.get(&at) else {
            return Err(Denied::Missing(Missing { provider: at, why: Obstacle::NeverLinked }));
        };
        match service.renew(&tokens).await {
            Ok(granted) => {
                let access = granted.tokens.access.clone();
                // What hung on the old tokens goes on: a service that does not name it again has not changed it.
                let grant = granted.grant.clone().or_else(|| login.grant.clone());
                let next = Login { linked_at: login.linked_at, grant, ..self.login(person, at, login.id.clone(), granted)? };
                self.replace(person, at, login, next).await?;
                self.memories.forget_credential(&tokens.access);
                Ok(access)
            }
            Err(error) if error.fault == Fault::SignInLost => {
                let since = self.clock.now();
                tracing::info!(%error, "a login was withdrawn");
                self.replace(person, at, login, login.withdrawn(since)).await?;
                Err(Denied::Missing(Missing { provider: at, why: Obstacle::Withdrawn { since } }))
            }
            Err(error) => Err(Denied::Away(error)),
        }
    }

    /// Puts a login in the place of the one that it was made from, if that is still there: what was unlinked or linked anew
    /// meanwhile stays so, and what was just granted then ends.
    async fn replace(&self, person: &Person, at: Provider, from: &Login, next: Login) -> Result<(), Denied> {
        for _ in 0..SAVES {
            let account = self.accounts.account(person).await?;
            // Sealing again changes the seal and nothing else.
            let same = |now: &Login| Login { tokens: from.tokens.clone(), ..now.clone() } == *from;
            if !account.logins.get(&at).is_some_and(same) {
                if next.standing == Standing::Good {
                    self.end(person, at, &next).await;
                }
                return Err(Denied::Missing(Missing { provider: at, why: Obstacle::NeverLinked }));
            }
            match self.save(account.with(at, next.clone())).await {
                Err(StoreError::Conflict(_)) => {}
                saved => return Ok(saved?),
            }
        }
        Err(Denied::Store(StoreError::Conflict(person.user.to_string())))
    }

    /// Forgets logins that were ended. What was linked meanwhile was not, and stays.
    pub(super) async fn forget(&self, person: &Person, ended: &Account) -> Result<(), Denied> {
        let mut now = ended.clone();
        for _ in 0..SAVES {
            let mut next = now.clone();
            let is_ended = |at: &Provider, login: &Login| {
                ended.logins.get(at).is_some_and(|gone| gone.linked_at == login.linked_at && gone.id == login.id)
            };
            next.logins.retain(|at, login| !is_ended(at, login));
            match self.save(next).await {
                Err(StoreError::Conflict(_)) => now = self.accounts.account(person).await?,
                saved => return Ok(saved?),
            }
        }
        Err(Denied::Store(StoreError::Conflict(person.user.to_string())))
    }

    async fn save(&self, account: Account) -> Result<(), StoreError> {
        self.accounts.save_accounts(AccountBatch { accounts: vec![account], sign_ins: Vec::new() }).await
    }

    async fn claim(&self, person: &Person) -> Result<Option<Lease>, StoreError> {
        let now = self.clock.now();
        self.store.claim(&Work::Account(person.clone()), now, later(now, CLAIM)).await
    }

    /// Claims, waiting for whoever has the claim. `None`: they have had it for longer than it lasts.
    async fn claim_in_time(&self, person: &Person) -> Result<Option<Lease>, StoreError> {
        for _ in 0..LOOKS {
            match self.claim(person).await? {
                Some(lease) => return Ok(Some(lease)),
                None => self.clock.pause_until(later(self.clock.now(), LOOK)).await,
            }
        }
        Ok(None)
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}
