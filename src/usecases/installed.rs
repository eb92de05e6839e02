//! What the app speaks with in each workspace that has installed it: kept sealed, renewed ahead of its end, ended where the chat says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::account::{Freshness, Standing};
use crate::domain::installation::{Happened, Happening, Installation, Tenant};
use crate::domain::names::{DeliveryId, WorkspaceId};
use crate::ports::{
    BotGrant, BotScope, BotTokens, Clock, Done, Fault, Ids, InstallAt, InstallationBatch, InstallationStore, Installed, Installing, Lease,
    NotInstalled, PortError, Resealed, SealedThings, Service, Store, StoreError, Vault, VaultError, Work,
};

use super::orphans;

/// How long the claim on an installation is held: longer than a renewal may take.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long to wait between two looks while somebody else renews.
const LOOK: SignedDuration = SignedDuration::from_millis(250);
/// How long to leave a chat alone that could not renew something.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// How often to look, which is longer than the claim lasts.
const LOOKS: u32 = 300;
/// How often the chat is asked whether it still takes what the app speaks with, where nobody speaks.
const LOOKED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How often a record is saved again that others keep changing.
const SAVES: u32 = 5;

/// The installations of the app.
#[derive(Clone, Debug)]
pub struct InstalledBots {
    /// Whose work it is.
    pub store: Arc<dyn Store>,
    /// Where they are kept.
    pub kept: Arc<dyn InstallationStore>,
    /// What opens their tokens.
    pub vault: Arc<dyn Vault>,
    /// Where they come from.
    pub at: Arc<dyn InstallAt>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// When the chat was asked last whether it takes a token.
    pub looked: Looked,
}

/// When it was looked last whether the chat takes what the app speaks with, in this life of the process.
#[derive(Clone, Debug, Default)]
pub struct Looked(Arc<Mutex<BTreeMap<Tenant, Timestamp>>>);

impl Looked {
    /// Whether it is time to look. It counts as looked at from now on, and a token that was just given as well.
    fn is_due(&self, installation: &Installation, now: Timestamp) -> bool {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = looked.get(&installation.tenant).copied().unwrap_or(Timestamp::MIN).max(installation.granted_at);
        let due = now.duration_since(last) >= LOOKED_AFTER;
        if due {
            looked.insert(installation.tenant.clone(), now);
        }
        due
    }
}

/// Why there is no token.
#[derive(Debug)]
enum NoToken {
    /// The app is not installed there, or was refused there.
    Nowhere(&'static str),
    /// The chat cannot renew it for the moment.
    Away(PortError),
    /// It cannot be opened or read here.
    Here(String),
}

impl From<StoreError> for NoToken {
    fn from(error: StoreError) -> Self {
        Self::Here(error.to_string())
    }
}

impl From<VaultError> for NoToken {
    fn from(error: VaultError) -> Self {
        Self::Here(error.to_string())
    }
}

impl From<NoToken> for PortError {
    fn from(none: NoToken) -> Self {
        match none {
            NoToken::Nowhere(why) => Self::new(Service::Chat, Fault::SignInLost, why),
            // Nothing was said to anybody, and whatever it was, it says nothing about the token: what is to be said is said later.
            NoToken::Away(error) => {
                let until = if let Fault::RateLimited { until } = error.fault { Some(until) } else { None };
                Self { fault: until.map_or(Fault::Unreachable, |until| Fault::RateLimited { until }), ..error }
            }
            NoToken::Here(why) => {
                tracing::error!(why, "what the app speaks with cannot be had");
                Self::new(Service::Chat, Fault::Unreachable, "no-token-here")
            }
        }
    }
}

fn broken(error: impl std::fmt::Display) -> NotInstalled {
    tracing::error!(%error, "an installation could not be kept");
    NotInstalled::Broken
}

#[async_trait]
impl SealedThings for InstalledBots {
    async fn reseal(&self) -> Result<Resealed, StoreError> {
        let mut all = Resealed::default();
        for mut installation in self.kept.installations().await? {
            for _ in 0..SAVES {
                if !self.vault.is_behind(&installation.tokens) {
                    break;
                }
                let again = self.vault.open_for(&installation.tokens, &installation.tenant);
                let tokens = match again.and_then(|tokens| self.vault.seal_for(&tokens, &installation.tenant)) {
                    Ok(tokens) => tokens,
                    Err(error) => {
                        all.add(0, vec![error]);
                        break;
                    }
                };
                match self.save(Installation { tokens, ..installation.clone() }).await {
                    Ok(()) => {
                        all.add(1, Vec::new());
                        break;
                    }
                    // Changed meanwhile, or gone.
                    Err(StoreError::Conflict(_)) => match self.kept.installation(&installation.tenant).await? {
                        Some(now) => installation = now,
                        None => break,
                    },
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(all)
    }
}

impl InstalledBots {
    /// Renews what is about to end, so that it is there when it is needed; also where nobody speaks for long. Says when there will be
    /// something to renew next.
    pub async fn renew_ahead(&self) -> Result<Option<Timestamp>, StoreError> {
        let good = |installation: &Installation| installation.standing == Standing::Good;
        for installation in self.kept.installations().await?.into_iter().filter(good) {
            let fresh = installation.life.at(self.clock.now());
            if matches!(fresh, Freshness::Ageing | Freshness::Stale)
                && let Err(none) = self.renewed(&installation.tenant).await
            {
                tracing::warn!(tenant = %installation.tenant, ?none, "what the app speaks with could not be renewed yet");
            }
        }
        let soon = later(self.clock.now(), AGAIN);
        let all = self.kept.installations().await?.into_iter().filter(good);
        Ok(all.filter_map(|installation| installation.life.ages_at()).min().map(|due| due.max(soon)))
    }

    /// Asks the chat once a day whether it still takes what the app speaks with: word of a removal may be lost, and where nobody speaks nothing
    /// else shows it. Only a refusal for good counts.
    pub async fn look_after(&self) -> Result<(), StoreError> {
        for installation in self.kept.installations().await? {
            if installation.standing != Standing::Good || !self.looked.is_due(&installation, self.clock.now()) {
                continue;
            }
            let Ok(access) = self.fit(&installation).await else { continue };
            match self.at.check(&access).await {
                Ok(()) => {}
                Err(error) if error.fault == Fault::SignInLost => {
                    self.withdraw(&installation, error.said.as_deref().unwrap_or("not-taken")).await?;
                }
                Err(error) => tracing::info!(%error, tenant = %installation.tenant, "whether the app is still installed is not known"),
            }
        }
        Ok(())
    }

    async fn found(&self, workspace: &WorkspaceId) -> Result<Installation, NoToken> {
        match self.kept.installation_for(workspace).await? {
            Some(installation) => Ok(installation),
            None => self.let_in(workspace).await?.ok_or(NoToken::Nowhere("not-installed")),
        }
    }

    /// Looks whether an organisation has let a workspace in and the word of that was lost.
    async fn let_in(&self, workspace: &WorkspaceId) -> Result<Option<Installation>, NoToken> {
        for installation in self.kept.installations().await? {
            if !matches!(installation.tenant, Tenant::Organisation(_)) || installation.standing != Standing::Good {
                continue;
            }
            let workspaces = self.workspaces(&self.fit(&installation).await?).await;
            if workspaces.contains(workspace) {
                let next = Installation { workspaces, ..installation.clone() };
                match self.save(next.clone()).await {
                    Ok(()) | Err(StoreError::Conflict(_)) => return Ok(self.kept.installation_for(workspace).await?),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(None)
    }

    /// The workspaces that an organisation has let in, as far as the chat tells.
    async fn workspaces(&self, access: &SecretString) -> BTreeSet<WorkspaceId> {
        self.at.workspaces(access).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "which workspaces of an organisation are let in is not known");
            BTreeSet::new()
        })
    }

    /// The token of an installation, renewed if it has to be.
    async fn fit(&self, installation: &Installation) -> Result<SecretString, NoToken> {
        if let Standing::Withdrawn { .. } = installation.standing {
            return Err(NoToken::Nowhere("refused-before"));
        }
        match installation.life.at(self.clock.now()) {
            Freshness::Fresh => self.opened(installation),
            Freshness::Over => Err(NoToken::Nowhere("ran-out")),
            Freshness::Ageing | Freshness::Stale => self.renewed(&installation.tenant).await,
        }
    }

    fn opened(&self, installation: &Installation) -> Result<SecretString, NoToken> {
        Ok(self.vault.open_for(&installation.tokens, &installation.tenant)?.access)
    }

    /// Renews under a claim: of two at once, one renews and the other takes what came of it.
    async fn renewed(&self, tenant: &Tenant) -> Result<SecretString, NoToken> {
        for _ in 0..LOOKS {
            let lease = self.claim(tenant).await?;
            let done = self.renewed_if_due(tenant, lease.is_some()).await;
            if let Some(lease) = lease {
                self.store.release(&lease).await?;
            }
            match done? {
                Some(access) => return Ok(access),
                None => self.clock.pause_until(later(self.clock.now(), LOOK)).await,
            }
        }
        Err(NoToken::Away(PortError::new(Service::Chat, Fault::Unreachable, "renewed-by-others")))
    }

    /// `None`: somebody else renews it, and it holds no more until they have.
    async fn renewed_if_due(&self, tenant: &Tenant, ours: bool) -> Result<Option<SecretString>, NoToken> {
        let installation = self.kept.installation(tenant).await?.ok_or(NoToken::Nowhere("not-installed"))?;
        if let Standing::Withdrawn { .. } = installation.standing {
            return Err(NoToken::Nowhere("refused-before"));
        }
        match (installation.life.at(self.clock.now()), ours) {
            (Freshness::Over, _) => Err(NoToken::Nowhere("ran-out")),
            (Freshness::Fresh, _) | (Freshness::Ageing, false) => self.opened(&installation).map(Some),
            (Freshness::Stale, false) => Ok(None),
            (Freshness::Stale, true) => self.renew_now(&installation).await.map(Some),
            (Freshness::Ageing, true) => match self.renew_now(&installation).await {
                // Still good: it is renewed the next time.
                Err(NoToken::Away(error)) => {
                    tracing::info!(%error, %tenant, "what the app speaks with is renewed later");
                    self.opened(&installation).map(Some)
                }
                done => done.map(Some),
            },
        }
    }

    async fn renew_now(&self, installation: &Installation) -> Result<SecretString, NoToken> {
        let tenant = &installation.tenant;
        let tokens = self.vault.open_for(&installation.tokens, tenant)?;
        let grant = match self.at.renew(&tokens).await {
            Ok(grant) => grant,
            Err(error) if error.fault == Fault::SignInLost => {
                let why = error.said.as_deref().unwrap_or("not-renewable");
                self.withdraw(installation, why).await?;
                return Err(NoToken::Nowhere("refused-before"));
            }
            Err(error) => return Err(NoToken::Away(error)),
        };
        let access = grant.tokens.access.clone();
        let BotGrant { tokens, life, at, scopes, rights } = grant;
        let tokens = self.vault.seal_for(&tokens, tenant)?;
        for _ in 0..SAVES {
            let Some(now) = self.kept.installation(tenant).await? else { break };
            // Installed anew meanwhile, which has its own tokens.
            if now.installed_at != installation.installed_at {
                return self.opened(&now);
            }
            // Where nothing is told of scopes, they are the same.
            let (scopes, rights) =
                if scopes.is_empty() { (now.scopes.clone(), now.rights.clone()) } else { (scopes.clone(), rights.clone()) };
            let next = Installation { life, granted_at: at, scopes, rights, tokens: tokens.clone(), ..now };
            match self.save(next).await {
                Err(StoreError::Conflict(_)) => {}
                saved => {
                    saved?;
                    return Ok(access);
                }
            }
        }
        // Removed meanwhile: what was just given is not left behind.
        self.end(&access).await;
        Err(NoToken::Nowhere("not-installed"))
    }

    async fn end(&self, access: &SecretString) {
        if let Err(error) = self.at.revoke(access).await {
            tracing::warn!(%error, "a token that nobody has could not be ended");
        }
    }

    /// The chat refuses its token for good.
    async fn withdraw(&self, installation: &Installation, why: &str) -> Result<(), StoreError> {
        tracing::error!(
            tenant = %installation.tenant, why,
            "the chat refuses what the app speaks with: nothing more is said there until the app is installed anew"
        );
        let mut now = installation.clone();
        for _ in 0..SAVES {
            match self.save(now.withdrawn(self.clock.now())).await {
                Err(StoreError::Conflict(_)) => match self.kept.installation(&installation.tenant).await? {
                    // Another token was given meanwhile, or it is gone.
                    Some(other) if other.granted_at != installation.granted_at => return Ok(()),
                    Some(other) => now = other,
                    None => return Ok(()),
                },
                saved => return saved,
            }
        }
        Ok(())
    }

    /// The installation of a workspace, if this is still what it speaks with.
    async fn with_token(&self, workspace: &WorkspaceId, token: &SecretString) -> Result<Result<Installation, SecretString>, NoToken> {
        let installation = self.found(workspace).await?;
        if self.vault.holds_for(&installation.tokens, token, &installation.tenant)? {
            Ok(Ok(installation))
        } else {
            Ok(Err(self.fit(&installation).await?))
        }
    }

    async fn another(&self, workspace: &WorkspaceId, token: &SecretString) -> Result<SecretString, NoToken> {
        for _ in 0..LOOKS {
            let installation = match self.with_token(workspace, token).await? {
                Ok(installation) => installation,
                Err(another) => return Ok(another),
            };
            let Some(lease) = self.claim(&installation.tenant).await? else {
                self.clock.pause_until(later(self.clock.now(), LOOK)).await;
                continue;
            };
            let done = self.renew_now(&installation).await;
            self.store.release(&lease).await?;
            return done;
        }
        Err(NoToken::Away(PortError::new(Service::Chat, Fault::Unreachable, "renewed-by-others")))
    }

    async fn keep(&self, installed: &Installed, workspaces: &BTreeSet<WorkspaceId>) -> Result<Done, NotInstalled> {
        let Installed { tenant, within, name, app, bot, by, grant } = installed;
        let tokens = self.vault.seal_for(&grant.tokens, tenant).map_err(broken)?;
        for _ in 0..SAVES {
            let before = self.kept.installation(tenant).await.map_err(broken)?;
            let installation = Installation {
                tenant: tenant.clone(),
                version: before.as_ref().map_or(0, |before| before.version),
                within: within.clone(),
                workspaces: workspaces.clone(),
                app: app.clone(),
                bot: bot.clone(),
                by: by.clone(),
                installed_at: grant.at,
                granted_at: grant.at,
                scopes: grant.scopes.clone(),
                rights: grant.rights.clone(),
                life: grant.life,
                standing: Standing::Good,
                tokens: tokens.clone(),
            };
            let again = before.as_ref().is_some_and(|before| before.standing == Standing::Good);
            let lacks = installation.lacks();
            if !again {
                // Before anybody can ask for anything: whoever comes back has nothing to do with what was begun then.
                self.leave_behind(&installation).await.map_err(broken)?;
            }
            // What was refused had ended: whoever comes back begins anew.
            let ended = before.filter(|_| !again).map(|before| self.ended(&before));
            let batch = InstallationBatch {
                installations: vec![installation],
                happenings: ended.into_iter().collect(),
                ..InstallationBatch::default()
            };
            match self.kept.save_installations(batch).await {
                Err(StoreError::Conflict(_)) => {}
                saved => {
                    saved.map_err(broken)?;
                    return Ok(Done { tenant: tenant.clone(), name: name.clone(), again, lacks });
                }
            }
        }
        Err(broken(StoreError::Conflict(tenant.to_string())))
    }

    /// What goes on in the workspaces of an installation that is new is from one that has ended.
    async fn leave_behind(&self, new: &Installation) -> Result<(), StoreError> {
        let now = self.clock.now();
        let outside = (self.store.as_ref(), self.clock.as_ref(), self.ids.as_ref());
        for workspace in new.serving() {
            // An organisation may let in what has an installation of its own.
            if self.kept.installation_for(&workspace).await?.is_none_or(|other| other.standing != Standing::Good) {
                orphans::orphan_all(outside, (&workspace, now), |_| true).await?;
            }
        }
        Ok(())
    }

    /// Word of our own that an installation has ended, of whose end no word came.
    pub fn ended(&self, installation: &Installation) -> Happening {
        let now = self.clock.now();
        Happening {
            id: DeliveryId::from(self.ids.fresh()),
            version: 0,
            tenant: installation.tenant.clone(),
            at: now,
            heard_at: now,
            what: Happened::Uninstalled,
            done: false,
        }
    }

    async fn save(&self, installation: Installation) -> Result<(), StoreError> {
        let batch = InstallationBatch { installations: vec![installation], ..InstallationBatch::default() };
        self.kept.save_installations(batch).await
    }

    async fn claim(&self, tenant: &Tenant) -> Result<Option<Lease>, StoreError> {
        let now = self.clock.now();
        self.store.claim(&Work::Installation(tenant.clone()), now, later(now, CLAIM)).await
    }
}

#[async_trait]
impl BotTokens for InstalledBots {
    async fn token(&self, workspace: &WorkspaceId) -> Result<SecretString, PortError> {
        let token = async { self.fit(&self.found(workspace).await?).await };
        token.await.map_err(PortError::from)
    }

    async fn ran_out(&self, workspace: &WorkspaceId, token: &SecretString) -> Result<SecretString, PortError> {
        self.another(workspace, token).await.map_err(PortError::from)
    }

    async fn refused(&self, workspace: &WorkspaceId, token: &SecretString, why: &str) {
        match self.with_token(workspace, token).await {
            Ok(Ok(installation)) => {
                if let Err(error) = self.withdraw(&installation, why).await {
                    tracing::error!(%error, "that the app was refused could not be recorded");
                }
            }
            // Another token was given meanwhile, or it is known.
            Ok(Err(_)) | Err(NoToken::Nowhere(_)) => {}
            Err(none) => tracing::error!(?none, "that the app was refused could not be recorded"),
        }
    }
}

#[async_trait]
impl Installing for InstalledBots {
    fn asks_for(&self) -> Vec<BotScope> {
        self.at.asks_for()
    }

    fn agree_at(&self, state: &SecretString) -> SecretString {
        self.at.agree_at(state)
    }

    async fn install(&self, code: SecretString) -> Result<Done, NotInstalled> {
        let installed = self.at.exchange(code).await.map_err(|error| {
            tracing::warn!(%error, "the app could not be installed");
            NotInstalled::Outside(error)
        })?;
        let workspaces = match &installed.tenant {
            Tenant::Organisation(_) => self.workspaces(&installed.grant.tokens.access).await,
            Tenant::Workspace(_) => BTreeSet::new(),
        };
        let kept = self.keep(&installed, &workspaces).await;
        match &kept {
            Ok(done) => tracing::info!(tenant = %done.tenant, again = done.again, "the app was installed"),
            Err(_) => self.end(&installed.grant.tokens.access).await,
        }
        kept
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}
