//! What installing at a chat promises: [`InstallAt`].

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::account::Life;
use crate::domain::fault::Fault;
use crate::domain::installation::{BotRight, Tenant};
use crate::domain::names::WorkspaceId;
use crate::ports::{InstallAt, Installed};

use super::sign_in::Back;
use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};

/// A chat with one workspace, in an organisation or not.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn install(&self) -> Arc<dyn InstallAt>;

    /// The workspace.
    fn workspace(&self) -> WorkspaceId;

    /// Everything that must not be told.
    fn secrets(&self) -> Vec<String>;

    /// A state to set out with.
    fn state(&self) -> SecretString;

    /// Somebody agrees for their workspace, or not, on the page at this address.
    async fn decide(&mut self, page: &SecretString, agrees: bool) -> Back;

    /// Somebody agrees for the whole organisation.
    async fn decide_for_all(&mut self, page: &SecretString) -> Result<Back, &'static str>;

    /// The organisation lets the workspace in.
    async fn let_in(&mut self);

    /// Whether the chat takes a token now, asked without the adapter.
    async fn takes(&mut self, access: &SecretString) -> bool;

    /// Time goes on until every code and every token that ends by itself has ended.
    async fn time_goes_on(&mut self) -> Arranged;

    /// The app is removed.
    async fn remove(&mut self) -> Arranged;

    /// The chat is away for the next request for tokens, which does nothing.
    async fn stumble(&mut self) -> Arranged;

    /// The next request for tokens is done, and its answer is lost.
    async fn lose_answer(&mut self) -> Arranged;

    /// How often tokens were asked for.
    async fn asked_for_tokens(&mut self) -> usize;

    /// Every address that was asked for.
    async fn addresses(&mut self) -> Vec<String>;
}

/// The whole suite; each part has a stage of its own.
pub async fn all<S: Stage>(mut stage: impl AsyncFnMut() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    left_out.note("there and back", there_and_back(&mut stage().await).await);
    left_out.note("an organisation", an_organisation(&mut stage().await).await);
    left_out.note("declined", declined(&mut stage().await).await);
    left_out.note("a code is good once", once(&mut stage().await).await);
    left_out.note("a code is good for a while", for_a_while(&mut stage().await).await);
    left_out.note("a code is given once", given_once(&mut stage().await).await);
    left_out.note("renewed", renewed(&mut stage().await).await);
    left_out.note("renewed later", renewed_later(&mut stage().await).await);
    left_out.note("removed", removed(&mut stage().await).await);
    left_out.note("revoked", revoked(&mut stage().await).await);
    left_out
}

async fn code<S: Stage>(stage: &mut S) -> SecretString {
    let page = stage.install().agree_at(&stage.state());
    stage.decide(&page, true).await.code.expect("broken: whoever agrees is sent back with a code")
}

async fn installed<S: Stage>(stage: &mut S) -> Installed {
    let code = code(stage).await;
    value_of(stage.install().exchange(code).await, "a code brings an installation")
}

async fn there_and_back<S: Stage>(stage: &mut S) -> Arranged {
    let (install, state) = (stage.install(), stage.state());
    let back = stage.decide(&install.agree_at(&state), true).await;
    assert!(back.brings_state, "broken: whoever agrees comes back with the state that they set out with");
    let installed = value_of(install.exchange(back.code.unwrap()).await, "a code brings an installation");
    assert!(stage.takes(&installed.grant.tokens.access).await, "broken: the token that a code brings is taken");
    value_of(install.check(&installed.grant.tokens.access).await, "a token that is taken is found to be");
    assert_eq!(installed.tenant, Tenant::Workspace(stage.workspace()), "broken: it is known where the app was installed");
    let asked: Vec<BotRight> = install.asks_for().into_iter().map(|asked| asked.right).collect();
    assert_eq!(asked, BotRight::ALL, "broken: everything that is used is asked for, and once");
    assert_eq!(
        installed.grant.rights.iter().copied().collect::<Vec<_>>(),
        BotRight::ALL,
        "broken: what is asked for allows all that we do"
    );
    let told = format!("{installed:?} {install:?}");
    let secrets = stage.secrets();
    assert!(secrets.iter().all(|secret| !told.contains(secret.as_str())), "broken: tokens are never printed");
    for address in stage.addresses().await {
        assert!(secrets.iter().all(|secret| !address.contains(secret.as_str())), "broken: no address holds a secret");
    }
    Arranged::Done
}

async fn an_organisation<S: Stage>(stage: &mut S) -> Arranged {
    let install = stage.install();
    let page = install.agree_at(&stage.state());
    let back = match stage.decide_for_all(&page).await {
        Ok(back) => back,
        Err(why) => return Arranged::Cannot(why),
    };
    let installed = value_of(install.exchange(back.code.unwrap()).await, "a code brings an installation");
    assert!(matches!(installed.tenant, Tenant::Organisation(_)), "broken: it is known that the app was installed in an organisation");
    let access = &installed.grant.tokens.access;
    let before = value_of(install.workspaces(access).await, "it is known which workspaces are let in");
    assert!(before.is_empty(), "broken: nobody is let in before somebody lets them in");
    stage.let_in().await;
    let after = value_of(install.workspaces(access).await, "it is known which workspaces are let in");
    assert_eq!(after.into_iter().collect::<Vec<_>>(), [stage.workspace()], "broken: whoever was let in is known");
    Arranged::Done
}

async fn declined<S: Stage>(stage: &mut S) -> Arranged {
    let page = stage.install().agree_at(&stage.state());
    let back = stage.decide(&page, false).await;
    assert!(back.brings_state && back.code.is_none(), "broken: whoever declines comes back with the state and nothing else: {back:?}");
    Arranged::Done
}

async fn once<S: Stage>(stage: &mut S) -> Arranged {
    let (install, code) = (stage.install(), code(stage).await);
    value_of(install.exchange(code.clone()).await, "a code brings an installation");
    let again = install.exchange(code).await;
    if let Err(error) = &again {
        tells_no_secret(error, &stage.secrets());
    }
    assert_eq!(fault_of(again, "a code is good once"), Fault::Refused);
    let invented = install.exchange(SecretString::from("no-code-of-anybody")).await;
    assert_eq!(fault_of(invented, "a code that nobody has given is refused"), Fault::Refused);
    Arranged::Done
}

async fn for_a_while<S: Stage>(stage: &mut S) -> Arranged {
    let (install, code) = (stage.install(), code(stage).await);
    or_leave_out!(stage.time_goes_on().await);
    assert_eq!(fault_of(install.exchange(code).await, "a code that is too old is refused"), Fault::Refused);
    Arranged::Done
}

async fn given_once<S: Stage>(stage: &mut S) -> Arranged {
    let (install, code) = (stage.install(), code(stage).await);
    or_leave_out!(stage.lose_answer().await);
    let before = stage.asked_for_tokens().await;
    assert_eq!(fault_of(install.exchange(code).await, "a lost answer is unclear"), Fault::Unclear);
    assert_eq!(stage.asked_for_tokens().await, before + 1, "broken: a code is given once, also where the answer is lost");
    Arranged::Done
}

async fn renewed<S: Stage>(stage: &mut S) -> Arranged {
    let install = stage.install();
    let first = installed(stage).await.grant;
    let Life::Renewable { until, .. } = first.life else { return Arranged::Cannot("the token does not end by itself") };
    or_leave_out!(stage.time_goes_on().await);
    assert!(!stage.takes(&first.tokens.access).await, "the stage has let the token end");
    let second = value_of(install.renew(&first.tokens).await, "a token that has ended can be renewed");
    assert!(stage.takes(&second.tokens.access).await, "broken: the new token is taken");
    assert!(second.life.until().is_some_and(|later| later > until), "broken: a new token holds longer");
    assert_eq!((&second.rights, &second.scopes), (&first.rights, &first.scopes), "broken: a new token allows the same");
    let third = value_of(install.renew(&second.tokens).await, "what was renewed can be renewed again");
    assert!(stage.takes(&third.tokens.access).await, "broken: the newest token is taken");
    assert_eq!(fault_of(install.renew(&first.tokens).await, "what was used up brings nothing"), Fault::SignInLost);
    Arranged::Done
}

async fn renewed_later<S: Stage>(stage: &mut S) -> Arranged {
    let install = stage.install();
    let first = installed(stage).await.grant;
    if first.tokens.refresh.is_none() {
        return Arranged::Cannot("the token does not end by itself");
    }
    or_leave_out!(stage.stumble().await);
    match install.renew(&first.tokens).await {
        Ok(_) => panic!("the stage has not let the chat stumble"),
        Err(error) => assert!(error.is_temporary(), "broken: a chat that is away says nothing about the tokens: {error}"),
    }
    value_of(install.renew(&first.tokens).await, "once the chat is back the tokens are renewed");
    Arranged::Done
}

async fn removed<S: Stage>(stage: &mut S) -> Arranged {
    let install = stage.install();
    let grant = installed(stage).await.grant;
    or_leave_out!(stage.remove().await);
    assert!(!stage.takes(&grant.tokens.access).await, "the stage has removed the app");
    let renewed = install.renew(&grant.tokens).await;
    if let Err(error) = &renewed {
        tells_no_secret(error, &stage.secrets());
    }
    assert_eq!(fault_of(renewed, "what was removed cannot be renewed"), Fault::SignInLost);
    let checked = install.check(&grant.tokens.access).await;
    assert_eq!(fault_of(checked, "a token that is taken no more is found not to be"), Fault::SignInLost);
    value_of(install.revoke(&grant.tokens.access).await, "what is gone is gone");
    Arranged::Done
}

async fn revoked<S: Stage>(stage: &mut S) -> Arranged {
    let install = stage.install();
    let grant = installed(stage).await.grant;
    for _ in 1..=2 {
        value_of(install.revoke(&grant.tokens.access).await, "revoking is safe to repeat");
        assert!(!stage.takes(&grant.tokens.access).await, "broken: what was revoked is worth nothing any more");
    }
    Arranged::Done
}
