//! Visits: who comes to a login by a link, and who never does.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use slash_heroku::adapters::clock::RandomIds;
use slash_heroku::adapters::secrets::SystemSecrets;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::domain::account::Provider::{self, Platform, SourceControl};
use slash_heroku::domain::account::Unlinked;
use slash_heroku::domain::command::Command;
use slash_heroku::domain::fault::Fault;
use slash_heroku::domain::names::GrantId;
use slash_heroku::domain::sign_in::{Dead, End, Kept};
use slash_heroku::ports::{
    AccountBatch, AccountStore, Accounts, Extent, Granted, Identity, NoVisit, PortError, Proof, Revoked, ScopeAsked, SignInAt, Tokens,
    Visits,
};
use slash_heroku::sandbox::fault::{Fault as At, FaultRule};
use slash_heroku::testing::account_store::person;
use slash_heroku::usecases::{Confirmed, LinkedAccounts, SignIns};
use tokio::sync::Notify;

use super::{Stage, bytes_of};

fn sign_ins(linked: &LinkedAccounts) -> SignIns {
    SignIns {
        linked: linked.clone(),
        secrets: Arc::new(SystemSecrets),
        ids: Arc::new(RandomIds),
        pages: Arc::from("https://ship.example.com/login/"),
    }
}

pub(super) async fn set() -> (Stage, SledStore, SignIns) {
    let stage = Stage::set().await;
    stage.heroku.apps_may_end_authorizations(true);
    let (store, linked) = stage.open();
    (stage, store, sign_ins(&linked))
}

/// Whoever sits at a browser agrees at a service, or not; gives the state and the code that they bring back.
pub(super) fn at_service(stage: &Stage, at: Provider, page: &SecretString, agrees: bool) -> (SecretString, Option<SecretString>) {
    let page = page.expose_secret();
    let back = match at {
        SourceControl => stage.github.agrees(agrees.then_some("ana"), page),
        Platform => stage.heroku.agrees(agrees.then_some("ana@example.com"), page),
    };
    let back = back.unwrap();
    let value = |name: &str| back.split(['?', '&']).find_map(|part| part.strip_prefix(name)).map(SecretString::from);
    (value("state=").unwrap(), value("code="))
}

async fn link(stage: &Stage, visits: &SignIns, browser: &SecretString, at: Provider) {
    let page = visits.set_out(browser, at).await.unwrap();
    let (state, code) = at_service(stage, at, &page, true);
    assert_eq!(visits.come_back(browser, &state, code).await, Ok(at));
}

fn dead(dead: Dead) -> NoVisit {
    NoVisit::Dead(dead)
}

#[tokio::test]
async fn one_visit_links_both_in_either_order_and_the_command_waits_for_it() {
    for order in [[SourceControl, Platform], [Platform, SourceControl]] {
        let (stage, store, visits) = set().await;
        let ana = person("T1", "U1");
        let offered = visits.offer(&ana, Some(Command::Pipelines)).await.unwrap();
        assert_eq!(visits.look(&offered).await, Ok(ana.clone()));
        let browser = visits.open(&offered).await.unwrap();
        for (at, done) in order.into_iter().zip([0, 1]) {
            let view = visits.view(&browser).await.unwrap();
            assert_eq!(view.legs.iter().filter(|leg| leg.linked).count(), done, "it says truly what is missing");
            assert!(view.legs.iter().all(|leg| !leg.before && leg.asks.iter().all(|asked| !asked.rights.is_empty())));
            link(&stage, &visits, &browser, at).await;
        }
        assert!(visits.linked.credentials(&ana).await.is_err(), "nothing is anybody's before the passcode");
        let passcode = visits.done(&browser).await.unwrap();
        // A restart in the middle.
        store.close().await;
        drop((store, visits));
        let files = bytes_of(stage.folder.path());
        let own = [&offered, &browser, &passcode].map(|secret| secret.expose_secret().to_owned());
        let secrets: Vec<String> = stage.secrets().into_iter().chain(own).collect();
        assert!(!aho_corasick::AhoCorasick::new(&secrets).unwrap().is_match(&files), "no secret lies in the files");
        let (_store, linked) = stage.open();
        let visits = sign_ins(&linked);
        let confirmed = visits.typed(&ana, &passcode).await.unwrap();
        let Confirmed::Linked { at, kept, before } = confirmed else { panic!("{confirmed:?}") };
        assert_eq!((at, before), (vec![SourceControl, Platform], Vec::new()));
        assert!(matches!(kept.as_deref(), Some(Kept::Waits { command: Command::Pipelines, .. })), "{kept:?}");
        let both = linked.credentials(&ana).await.unwrap();
        assert_eq!(stage.takes(&both.source, &both.platform).await, (true, true));
        assert_eq!(visits.typed(&ana, &passcode).await, Ok(Confirmed::NoneWaits), "once");
        assert_eq!(visits.look(&offered).await, Err(dead(Dead::Over(End::Confirmed))));
        assert_eq!(visits.view(&browser).await, Err(NoVisit::Unknown));
    }
}

#[tokio::test]
async fn a_link_in_other_hands_joins_nobodys_accounts() {
    let (stage, _store, visits) = set().await;
    let (ana, mallory) = (person("T1", "U1"), person("T1", "U9"));
    // Mallory has Ana open a link of his, and sign in.
    let bait = visits.offer(&mallory, None).await.unwrap();
    let hers = visits.open(&bait).await.unwrap();
    link(&stage, &visits, &hers, Platform).await;
    let passcode = visits.done(&hers).await.unwrap();
    assert_eq!(visits.typed(&ana, &passcode).await, Ok(Confirmed::NoneWaits), "she types what she sees, and it is not hers");
    for left in [2, 1, 0] {
        let guess = if passcode.expose_secret() == "00000000" { "00000001" } else { "00000000" };
        assert_eq!(visits.typed(&mallory, &guess.into()).await, Ok(Confirmed::Wrong { tries_left: left }));
    }
    assert_eq!(visits.typed(&mallory, &passcode).await, Ok(Confirmed::NoneWaits), "it is over, also for the right one");
    assert!(visits.linked.credentials(&mallory).await.is_err());
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 0, "and what she agreed to has ended");
    // Mallory steals a link of Ana's and is first.
    let stolen = visits.offer(&ana, None).await.unwrap();
    let his = visits.open(&stolen).await.unwrap();
    assert_eq!(visits.open(&stolen).await.unwrap_err(), dead(Dead::OpenedBefore));
    link(&stage, &visits, &his, Platform).await;
    let his_passcode = visits.done(&his).await.unwrap();
    assert_eq!(visits.typed(&mallory, &his_passcode).await, Ok(Confirmed::NoneWaits));
    let again = visits.offer(&ana, None).await.unwrap();
    assert_eq!(visits.typed(&ana, &his_passcode).await, Ok(Confirmed::NoneWaits), "her new link has ended it");
    assert_eq!((visits.look(&stolen).await, visits.look(&again).await), (Err(dead(Dead::Over(End::Replaced))), Ok(ana)));
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 0);
}

#[tokio::test]
async fn what_is_used_up_or_too_old_leads_nowhere() {
    let (stage, _store, visits) = set().await;
    let ana = person("T1", "U1");
    let offered = visits.offer(&ana, None).await.unwrap();
    let browser = visits.open(&offered).await.unwrap();
    let page = visits.set_out(&browser, SourceControl).await.unwrap();
    let (state, code) = at_service(&stage, SourceControl, &page, true);
    let asked = stage.asked();
    assert_eq!(visits.come_back(&browser, &"another-state".into(), code.clone()).await, Err(dead(Dead::NoSuchWay)));
    assert_eq!(visits.come_back(&browser, &state, code.clone()).await, Ok(SourceControl));
    assert_eq!(visits.come_back(&browser, &state, code).await, Err(dead(Dead::NoSuchWay)));
    assert_eq!(stage.asked(), (asked.0 + 1, asked.1), "a code is given once");
    let page = visits.set_out(&browser, Platform).await.unwrap();
    let (state, _) = at_service(&stage, Platform, &page, true);
    let wrong = visits.come_back(&browser, &state, Some("no-code".into())).await;
    assert!(matches!(wrong, Err(NoVisit::Outside(error)) if error.fault == Fault::Refused));
    // What nobody confirms ends, also at the services.
    link(&stage, &visits, &browser, Platform).await;
    let passcode = visits.done(&browser).await.unwrap();
    stage.clock.go(SignedDuration::from_mins(21));
    assert_eq!(visits.typed(&ana, &passcode).await, Ok(Confirmed::NoneWaits));
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 1);
    visits.sweep().await.unwrap();
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 0);
    stage.clock.go(SignedDuration::from_hours(25));
    visits.forget().await.unwrap();
    assert_eq!(visits.look(&offered).await, Err(NoVisit::Unknown), "and is forgotten after a day");
}

/// A service at which nothing can be ended: whoever tries stands there until they are killed.
#[derive(Debug)]
struct Standing {
    inner: Arc<dyn SignInAt>,
    reached: Arc<Notify>,
}

#[async_trait]
impl SignInAt for Standing {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }

    fn asks_for(&self) -> Vec<ScopeAsked> {
        self.inner.asks_for()
    }

    fn agree_at(&self, state: &SecretString, proof: &Proof) -> SecretString {
        self.inner.agree_at(state, proof)
    }

    async fn exchange(&self, code: SecretString, proof: &Proof) -> Result<Granted, PortError> {
        self.inner.exchange(code, proof).await
    }

    async fn who(&self, access: &SecretString) -> Result<Identity, PortError> {
        self.inner.who(access).await
    }

    async fn renew(&self, tokens: &Tokens) -> Result<Granted, PortError> {
        self.inner.renew(tokens).await
    }

    async fn revoke(&self, _: &Tokens, _: Option<GrantId>, _: Extent) -> Result<Revoked, PortError> {
        self.reached.notify_one();
        std::future::pending().await
    }

    fn ended_by_hand_at(&self) -> String {
        self.inner.ended_by_hand_at()
    }
}

/// A visit of Ana's that has linked Heroku and shows its passcode.
async fn shown(stage: &Stage, visits: &SignIns) -> SecretString {
    let offered = visits.offer(&person("T1", "U1"), None).await.unwrap();
    let browser = visits.open(&offered).await.unwrap();
    link(stage, visits, &browser, Platform).await;
    visits.done(&browser).await.unwrap()
}

#[tokio::test]
async fn what_has_to_be_ended_is_ended_also_when_the_service_is_killed_on_the_way() {
    let ana = person("T1", "U1");
    for case in ["a third wrong passcode", "another link", "logged out", "linked again"] {
        let (stage, store, visits) = set().await;
        let relinked = case == "linked again";
        if relinked {
            let passcode = shown(&stage, &visits).await;
            visits.typed(&ana, &passcode).await.unwrap();
        }
        let passcode = shown(&stage, &visits).await;
        assert_eq!(stage.heroku.authorizations_of("ana@example.com"), if relinked { 2 } else { 1 }, "{case}");
        let reached = Arc::new(Notify::new());
        let mut dying = visits.clone();
        let standing = Standing { inner: Arc::clone(&stage.services[&Platform]), reached: Arc::clone(&reached) };
        dying.linked.services.insert(Platform, Arc::new(standing));
        let (her, typed) = (ana.clone(), passcode.clone());
        let doing = async move {
            match case {
                "a third wrong passcode" => {
                    for _ in 0..3 {
                        dying.typed(&her, &"no-passcode".into()).await.unwrap();
                    }
                }
                "another link" => drop(dying.offer(&her, None).await),
                "logged out" => drop(dying.give_up(&her).await),
                _ => drop(dying.typed(&her, &typed).await),
            }
        };
        // What is dropped on the way does nothing more, as if it were killed.
        tokio::select! {
            () = doing => panic!("{case}: it was not cut off"),
            () = reached.notified() => {}
        }
        store.close().await;
        drop((store, visits));
        let (_store, linked) = stage.open();
        let visits = sign_ins(&linked);
        visits.sweep().await.unwrap();
        assert_eq!(stage.heroku.authorizations_of("ana@example.com"), usize::from(relinked), "{case}");
        assert_eq!(linked.access(&ana, Platform).await.is_ok(), relinked, "{case}: what is hers now is good");
        assert!(linked.accounts.sign_ins_of(&ana).await.unwrap().iter().all(|visit| visit.leaving.is_empty()), "{case}: it is done");
    }
}

#[tokio::test]
async fn what_cannot_be_ended_is_told_and_tried_again_for_a_day() {
    let (stage, _store, visits) = set().await;
    let ana = person("T1", "U1");
    let passcode = shown(&stage, &visits).await;
    visits.typed(&ana, &passcode).await.unwrap();
    let passcode = shown(&stage, &visits).await;
    let away = |times| {
        let fault = At::Status { code: 503, body: "away".to_owned(), content_type: "text/plain".to_owned(), headers: Vec::new() };
        stage.heroku.fail(FaultRule {
            method: Some("DELETE".to_owned()),
            path_contains: "/oauth/authorizations".to_owned(),
            spared: 0,
            times,
            fault,
        });
    };
    away(100);
    let confirmed = visits.typed(&ana, &passcode).await.unwrap();
    let Confirmed::Linked { before, .. } = confirmed else { panic!("{confirmed:?}") };
    assert!(matches!(before.as_slice(), [(Platform, Unlinked::Unclear { .. })]), "{before:?}");
    let left = async || visits.linked.accounts.sign_ins_of(&ana).await.unwrap().iter().map(|visit| visit.leaving.len()).sum::<usize>();
    assert_eq!((left().await, stage.heroku.authorizations_of("ana@example.com")), (1, 2));
    stage.heroku.clear_faults();
    visits.sweep().await.unwrap();
    assert_eq!(left().await, 1, "the service is left alone for a while");
    stage.clock.go(SignedDuration::from_mins(11));
    visits.sweep().await.unwrap();
    assert_eq!((left().await, stage.heroku.authorizations_of("ana@example.com")), (0, 1));
    // For a day, and then no more.
    let passcode = shown(&stage, &visits).await;
    away(1_000);
    visits.typed(&ana, &passcode).await.unwrap();
    stage.clock.go(SignedDuration::from_hours(25));
    assert_eq!(left().await, 1);
    visits.sweep().await.unwrap();
    assert_eq!(left().await, 0);
    visits.forget().await.unwrap();
}

#[tokio::test]
async fn a_login_that_others_hang_on_is_not_ended_with_theirs() {
    let (stage, store, visits) = set().await;
    let (ana, bob) = (person("T1", "U1"), person("T1", "U2"));
    stage.link(&visits.linked).await;
    let hers = store.account(&ana).await.unwrap();
    // The same login at GitHub, linked by somebody else too; the same consent at Heroku.
    let offered = visits.offer(&bob, None).await.unwrap();
    let browser = visits.open(&offered).await.unwrap();
    link(&stage, &visits, &browser, SourceControl).await;
    let passcode = visits.done(&browser).await.unwrap();
    visits.typed(&bob, &passcode).await.unwrap();
    let both = visits.linked.credentials(&ana).await.unwrap();
    let tokens = Tokens { access: both.platform.clone(), refresh: None };
    let shared = Granted {
        tokens,
        life: hers.logins[&Platform].life,
        scopes: hers.logins[&Platform].scopes.clone(),
        rights: hers.logins[&Platform].rights.clone(),
        grant: hers.logins[&Platform].grant.clone(),
    };
    let shared = visits.linked.login(&bob, Platform, hers.logins[&Platform].id.clone(), shared).unwrap();
    let his = store.account(&bob).await.unwrap().with(Platform, shared);
    store.save_accounts(AccountBatch { accounts: vec![his], sign_ins: Vec::new() }).await.unwrap();
    let became = visits.linked.unlink(&bob).await.unwrap();
    assert_eq!(became.into_values().collect::<Vec<_>>(), [Unlinked::Revoked, Unlinked::WithAnother]);
    assert_eq!(stage.takes(&both.source, &both.platform).await, (true, true), "what Ana has linked stays good");
    visits.linked.unlink(&ana).await.unwrap();
    assert_eq!(stage.takes(&both.source, &both.platform).await, (false, false));
}
