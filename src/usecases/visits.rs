//! Visits to link logins: offered in the chat, made in a browser, confirmed in the chat.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::account::{Account, Provider, Unlinked};
use crate::domain::actor::Person;
use crate::domain::command::{Command, Needs};
use crate::domain::names::{SignInId, WorkspaceId};
use crate::domain::sign_in::{Asked, Dead, End, Kept, LINK_LIVES, Leaving, Leg, SignIn, Stage, Typed, VISIT_LIVES, View};
use crate::ports::{AccountBatch, Extent, Ids, NoVisit, Secrets, StoreError, VaultError, Visits};

use super::linked::{Denied, LinkedAccounts};

/// What each secret is used for: one is never taken for another.
const LINK: &str = "link";
const BROWSER: &str = "browser";
const STATE: &str = "state";
const PASSCODE: &str = "passcode";
/// How long a visit that is over is remembered, so that a dead link says why.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// How often a record is saved again that others keep changing.
const SAVES: u32 = 5;

/// What is done about a login that could not be ended at its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// It is kept and tried again.
    Some,
    /// It is forgotten in any case.
    None,
}

/// What came of a passcode that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// These are linked now, and this command was waiting for that.
    Linked {
        /// Where.
        at: Vec<Provider>,
        /// The command.
        kept: Option<Box<Kept>>,
        /// What became of the logins that were linked there before.
        before: Vec<(Provider, Unlinked)>,
    },
    /// It is wrong; so many may still be typed.
    Wrong {
        /// How many.
        tries_left: u8,
    },
    /// This person has no visit that waits for a passcode.
    NoneWaits,
}

/// Visits, with what they need.
#[derive(Clone, Debug)]
pub struct SignIns {
    /// The logins.
    pub linked: LinkedAccounts,
    /// What makes secrets.
    pub secrets: Arc<dyn Secrets>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// What the address of a link begins with; the link's secret ends it.
    pub pages: Arc<str>,
}

fn broken(error: impl std::fmt::Display) -> NoVisit {
    tracing::error!(%error, "a visit could not go on");
    NoVisit::Broken
}

impl From<StoreError> for NoVisit {
    fn from(error: StoreError) -> Self {
        broken(error)
    }
}

impl From<VaultError> for NoVisit {
    fn from(error: VaultError) -> Self {
        broken(error)
    }
}

impl SignIns {
    /// A new link for a person. Whatever link they had before is dead, and what was linked by it ended; a command that waited for that
    /// one waits for this one, no longer than it would have, unless another does now: see [`SignIns::kept_for`].
    pub async fn offer(&self, person: &Person, kept: Option<Command>) -> Result<SecretString, Denied> {
        let kept = match kept {
            Some(kept) => Some((kept, SignIn::keeps_until(self.linked.clock.now()))),
            None => match self.kept_for(person).await? {
                Some(Kept::Waits { command, until }) => Some((command, until)),
                Some(Kept::RanOut(_)) | None => None,
            },
        };
        for before in self.linked.accounts.sign_ins_of(person).await? {
            if !matches!(before.stage, Stage::Over { .. }) {
                self.end(before, End::Replaced, Patience::Some).await?;
            } else if before.kept.is_some() {
                // What it kept is told, or waits for this one. What could not be ended before is tried again in its own time.
                match self.save(None, before.over(End::Replaced, self.linked.clock.now())).await {
                    Ok(()) | Err(StoreError::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let link = self.secrets.fresh()?;
        let digest = self.secrets.digest(LINK, &link);
        let sign_in = SignIn::offered(SignInId(self.ids.fresh()), person.clone(), digest, kept, self.linked.clock.now());
        self.save(None, sign_in).await?;
        Ok(link)
    }

    /// The command that waits for a person to link their logins, or has waited too long.
    pub async fn kept_for(&self, person: &Person) -> Result<Option<Kept>, Denied> {
        let now = self.linked.clock.now();
        // Of a link that has run out as well: the command waits from when it was typed.
        let last = self.linked.accounts.sign_ins_of(person).await?.into_iter().rfind(|sign_in| sign_in.kept.is_some());
        Ok(last.and_then(|sign_in| sign_in.kept_at(now)))
    }

    /// The address of a link. Holds its secret: for the person only.
    pub fn address_of(&self, link: &SecretString) -> String {
        self.secrets.address(&self.pages, link)
    }

    /// Ends whatever a person has begun and not confirmed, and what is left of theirs to be ended at its services: for the last time,
    /// as nothing is kept of it after that. Says what became of it.
    pub async fn give_up(&self, person: &Person) -> Result<Vec<(Provider, Unlinked)>, StoreError> {
        let mut became = Vec::new();
        for before in self.linked.accounts.sign_ins_of(person).await? {
            became.extend(self.end(before, End::GivenUp, Patience::None).await?);
        }
        Ok(became)
    }

    /// The person types a passcode in the chat: what their visit has linked is theirs, or not.
    pub async fn typed(&self, person: &Person, passcode: &SecretString) -> Result<Confirmed, Denied> {
        let digest = self.secrets.digest(PASSCODE, passcode);
        for _ in 0..SAVES {
            let now = self.linked.clock.now();
            // A new link ends the one before: there is one at most.
            let open = self.linked.accounts.sign_ins_of(person).await?.into_iter().rfind(|sign_in| !sign_in.is_over(now));
            let Some(before) = open else { return Ok(Confirmed::NoneWaits) };
            let (after, typed) = before.typed(&digest, now);
            let (account, after, tries_left) = match typed {
                Typed::Not(_) => return Ok(Confirmed::NoneWaits),
                Typed::Wrong { tries_left } => (None, after, tries_left),
                Typed::Right(logins) => {
                    let account = self.linked.accounts.account(person).await?;
                    let replaced = account.logins.iter().filter(|(at, _)| logins.contains_key(at)).map(|(at, login)| (*at, login.clone()));
                    let after = after.leaving(replaced.collect::<Vec<_>>());
                    (Some(logins.into_iter().fold(account, |account, (at, login)| account.with(at, login))), after, 0)
                }
            };
            let at: Vec<Provider> = before.held().into_keys().collect();
            let linked = account.is_some();
            match self.save(account, after.clone()).await {
                Err(StoreError::Conflict(_)) => {}
                saved => {
                    saved?;
                    let became = self.end_leaving(after.id, Patience::Some).await?;
                    return Ok(if linked {
                        Confirmed::Linked { at, kept: before.kept_at(now).map(Box::new), before: became }
                    } else {
                        Confirmed::Wrong { tries_left }
                    });
                }
            }
        }
        Err(Denied::Store(StoreError::Conflict(person.user.to_string())))
    }

    /// Ends the visits whose time has run out, with what they linked, and goes on to end what is left of those that are over.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        for sign_in in self.linked.accounts.open_sign_ins().await? {
            if sign_in.is_due(self.linked.clock.now()) {
                self.end(sign_in, End::RanOut, Patience::Some).await?;
            }
        }
        Ok(())
    }

    /// Forgets visits that ended long ago.
    pub async fn forget(&self) -> Result<(), StoreError> {
        let now = self.linked.clock.now();
        self.linked.accounts.forget_sign_ins(now.checked_sub(REMEMBERED).unwrap_or(now)).await?;
        Ok(())
    }

    /// Ends what a person has linked, and what they are about to link.
    pub async fn leave(&self, person: &Person) -> Result<(), StoreError> {
        self.give_up(person).await?;
        match self.linked.unlink(person).await {
            Ok(_) => Ok(()),
            Err(Denied::Store(error)) => Err(error),
            Err(denied) => {
                tracing::warn!(%denied, "what a person has linked could not be ended");
                Ok(())
            }
        }
    }

    /// Ends all visits of people in a workspace that were offered before a moment.
    pub async fn end_all_in(&self, workspace: &WorkspaceId, before: Timestamp) -> Result<(), StoreError> {
        for sign_in in self.linked.accounts.open_sign_ins().await? {
            let lives = if matches!(sign_in.stage, Stage::Open(_)) { VISIT_LIVES } else { LINK_LIVES };
            if sign_in.person.workspace == *workspace && sign_in.until < before.checked_add(lives).unwrap_or(before) {
                self.end(sign_in, End::GivenUp, Patience::None).await?;
            }
        }
        Ok(())
    }

    /// Ends a visit that was not confirmed: nothing that it linked stays good. One that is over has what is left of it ended.
    async fn end(&self, sign_in: SignIn, end: End, patience: Patience) -> Result<Vec<(Provider, Unlinked)>, StoreError> {
        let over = sign_in.over(end, self.linked.clock.now());
        // What has to be ended is on record before it is tried.
        if over != sign_in {
            match self.save(None, over.clone()).await {
                // Confirmed or ended by somebody else meanwhile.
                Err(StoreError::Conflict(_)) => return Ok(Vec::new()),
                saved => saved?,
            }
        }
        self.end_leaving(sign_in.id, patience).await
    }

    /// Ends at their services the logins that a visit leaves, and takes down which are ended. Safe to repeat, and to be cut short
    /// anywhere.
    async fn end_leaving(&self, id: SignInId, patience: Patience) -> Result<Vec<(Provider, Unlinked)>, StoreError> {
        let Some(sign_in) = self.linked.accounts.sign_in(id).await? else { return Ok(Vec::new()) };
        let (mut became, mut done) = (Vec::new(), Vec::new());
        for leaving in &sign_in.leaving {
            let Leaving { at, login } = leaving;
            self.linked.forget_read_with(&sign_in.person, *at, login);
            let ended = self.linked.end(&sign_in.person, *at, login).await;
            if !ended.is_open() || patience == Patience::None || sign_in.gives_up_ending(self.linked.clock.now()) {
                done.push(leaving);
            }
            became.push((*at, ended));
        }
        let mut before = sign_in.clone();
        for _ in 0..SAVES {
            // Sealing again changes the seal and nothing else.
            let same = |one: &Leaving, other: &Leaving| {
                (one.at, &one.login.id, one.login.linked_at) == (other.at, &other.login.id, other.login.linked_at)
            };
            let left = before.leaving.iter().filter(|one| !done.iter().any(|other| same(one, other))).cloned().collect();
            let after = before.left_with(left, self.linked.clock.now());
            if after == before {
                return Ok(became);
            }
            match self.save(None, after).await {
                Err(StoreError::Conflict(_)) => match self.linked.accounts.sign_in(id).await? {
                    Some(now) => before = now,
                    None => return Ok(became),
                },
                saved => return saved.map(|()| became),
            }
        }
        Err(StoreError::Conflict(id.to_string()))
    }

    async fn save(&self, account: Option<Account>, sign_in: SignIn) -> Result<(), StoreError> {
        let batch = AccountBatch { accounts: account.into_iter().collect(), sign_ins: vec![sign_in] };
        self.linked.accounts.save_accounts(batch).await
    }

    async fn by_link(&self, link: &SecretString) -> Result<SignIn, NoVisit> {
        self.linked.accounts.sign_in_by_link(&self.secrets.digest(LINK, link)).await?.ok_or(NoVisit::Unknown)
    }

    /// The visit of a browser: by the secret that it keeps, whose digest leads to it as a link does.
    async fn by_browser(&self, browser: &SecretString) -> Result<SignIn, NoVisit> {
        self.linked.accounts.sign_in_by_browser(&self.secrets.digest(BROWSER, browser)).await?.ok_or(NoVisit::Unknown)
    }

    /// Takes a step of a visit, again where somebody else has changed it meanwhile.
    async fn step<T>(
        &self,
        browser: &SecretString,
        take: impl Fn(&SignIn) -> Result<(SignIn, T), Dead> + Send + Sync,
    ) -> Result<(SignIn, T), NoVisit> {
        for _ in 0..SAVES {
            let (after, said) = take(&self.by_browser(browser).await?)?;
            match self.save(None, after.clone()).await {
                Err(StoreError::Conflict(_)) => {}
                saved => {
                    saved?;
                    return Ok((after, said));
                }
            }
        }
        Err(broken(StoreError::Conflict(String::new())))
    }
}

#[async_trait]
impl Visits for SignIns {
    async fn look(&self, link: &SecretString) -> Result<Person, NoVisit> {
        let sign_in = self.by_link(link).await?;
        sign_in.may_open(self.linked.clock.now())?;
        Ok(sign_in.person)
    }

    async fn open(&self, link: &SecretString) -> Result<SecretString, NoVisit> {
        let browser = self.secrets.fresh()?;
        let sign_in = self.by_link(link).await?.open(self.secrets.digest(BROWSER, &browser), self.linked.clock.now())?;
        match self.save(None, sign_in).await {
            // Two opened it at the same moment, and the other was first.
            Err(StoreError::Conflict(_)) => Err(NoVisit::Dead(Dead::OpenedBefore)),
            saved => {
                saved?;
                Ok(browser)
            }
        }
    }

    async fn view(&self, browser: &SecretString) -> Result<View, NoVisit> {
        let (sign_in, now) = (self.by_browser(browser).await?, self.linked.clock.now());
        let visit = sign_in.visit_of(&self.secrets.digest(BROWSER, browser), now)?;
        let missing = self.linked.accounts.account(&sign_in.person).await?.missing(Needs::BothAccounts, now);
        let legs = Provider::ALL.into_iter().filter_map(|at| {
            let asks = self.linked.services.get(&at)?.asks_for().into_iter();
            let asks = asks.map(|asked| Asked { scope: asked.scope, rights: asked.rights.into_iter().collect() }).collect();
            let before = missing.iter().all(|missing| missing.provider != at);
            Some(Leg { at, linked: visit.linked.contains_key(&at), before, asks })
        });
        Ok(View { person: sign_in.person.clone(), legs: legs.collect() })
    }

    async fn set_out(&self, browser: &SecretString, to: Provider) -> Result<SecretString, NoVisit> {
        let service = self.linked.services.get(&to).ok_or(NoVisit::Unknown)?;
        let state = self.secrets.fresh()?;
        let (own, awaited) = (self.secrets.digest(BROWSER, browser), self.secrets.digest(STATE, &state));
        let now = self.linked.clock.now();
        self.step(browser, |sign_in| Ok((sign_in.set_out(&own, to, awaited, now)?, ()))).await?;
        Ok(service.agree_at(&state, &self.secrets.proof(browser, &state)))
    }

    async fn come_back(&self, browser: &SecretString, state: &SecretString, code: Option<SecretString>) -> Result<Provider, NoVisit> {
        let (own, brought) = (self.secrets.digest(BROWSER, browser), self.secrets.digest(STATE, state));
        let now = self.linked.clock.now();
        // The state is used up before the code is given: nobody comes back by it twice.
        let (back, from) = self.step(browser, |sign_in| sign_in.come_back(&own, &brought, now)).await?;
        let (Some(code), Some(service)) = (code, self.linked.services.get(&from)) else { return Ok(from) };
        let granted = service.exchange(code, &self.secrets.proof(browser, state)).await.map_err(NoVisit::Outside)?;
        let login = match service.who(&granted.tokens.access).await {
            Ok(who) => self.linked.login(&back.person, from, who.id, granted)?,
            Err(error) => {
                // Whose it is is not known, so it is nobody's.
                if let Err(error) = service.revoke(&granted.tokens, granted.grant.clone(), Extent::TheseTokens).await {
                    tracing::warn!(%error, "a login that nobody has could not be ended");
                }
                return Err(NoVisit::Outside(error));
            }
        };
        let linked = self.step(browser, |sign_in| Ok((sign_in.linked(&own, from, login.clone(), self.linked.clock.now())?, ())));
        match linked.await {
            Ok((sign_in, ())) => drop(self.end_leaving(sign_in.id, Patience::Some).await?),
            Err(no) => {
                self.linked.end(&back.person, from, &login).await;
                return Err(no);
            }
        }
        Ok(from)
    }

    async fn done(&self, browser: &SecretString) -> Result<SecretString, NoVisit> {
        let passcode = self.secrets.passcode()?;
        let (own, digest) = (self.secrets.digest(BROWSER, browser), self.secrets.digest(PASSCODE, &passcode));
        let now = self.linked.clock.now();
        self.step(browser, |sign_in| Ok((sign_in.done(&own, digest, now)?, ()))).await?;
        Ok(passcode)
    }
}
