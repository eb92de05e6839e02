//! What signing in at a service promises: [`SignInAt`].

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::account::{Life, Right};
use crate::domain::fault::Fault;
use crate::ports::{Extent, Granted, Identity, Proof, Revoked, SignInAt};

use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};

/// How somebody comes back from the page on which they were asked to agree.
#[derive(Debug)]
pub struct Back {
    /// Whether they bring the state that they set out with, as it was.
    pub brings_state: bool,
    /// The code, if they agreed.
    pub code: Option<SecretString>,
}

/// A service with one person in it.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn sign_in(&self) -> Arc<dyn SignInAt>;

    /// Whoever agrees on this stage.
    fn person(&self) -> Identity;

    /// Everything that must not be told.
    fn secrets(&self) -> Vec<String>;

    /// A state to set out with.
    fn state(&self) -> SecretString;

    /// A proof; another one for each number.
    fn proof(&self, number: u8) -> Proof;

    /// The person agrees, or not, on the page at this address.
    async fn decide(&mut self, page: &SecretString, agrees: bool) -> Back;

    /// Whether the service takes an access token now, asked without the adapter.
    async fn takes(&mut self, access: &SecretString) -> bool;

    /// Whether it takes a key that the person has made by hand and that is none of ours.
    async fn takes_own_key(&mut self) -> bool;

    /// Time goes on until every code and every access that ends by itself has ended.
    async fn time_goes_on(&mut self) -> Arranged;

    /// The person withdraws what they have agreed to.
    async fn withdraw(&mut self) -> Arranged;

    /// The service is away for the next request for tokens, which does nothing.
    async fn stumble(&mut self) -> Arranged;

    /// The next request for tokens is done, and its answer is lost.
    async fn lose_answer(&mut self) -> Arranged;

    /// How often tokens were asked for.
    async fn asked_for_tokens(&mut self) -> usize;
}

/// The whole suite; each part has a stage of its own.
pub async fn all<S: Stage>(mut stage: impl AsyncFnMut() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    left_out.note("there and back", there_and_back(&mut stage().await).await);
    left_out.note("declined", declined(&mut stage().await).await);
    left_out.note("a code is good once", once(&mut stage().await).await);
    left_out.note("a code is good for a while", for_a_while(&mut stage().await).await);
    left_out.note("a code belongs to its proof", proven(&mut stage().await).await);
    left_out.note("a code is given once", given_once(&mut stage().await).await);
    left_out.note("renewed", renewed(&mut stage().await).await);
    left_out.note("renewed later", renewed_later(&mut stage().await).await);
    left_out.note("the answer to a renewal is lost", renewed_unheard(&mut stage().await).await);
    left_out.note("withdrawn", withdrawn(&mut stage().await).await);
    left_out.note("revoked", revoked(&mut stage().await).await);
    left_out.note("revoked when it has run out", revoked_late(&mut stage().await).await);
    left_out.note("one of two is revoked", revoked_alone(&mut stage().await).await);
    left_out
}

async fn signed_in<S: Stage>(stage: &mut S) -> Granted {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let back = stage.decide(&sign_in.agree_at(&state, &proof), true).await;
    let code = back.code.expect("broken: whoever agrees is sent back with a code");
    value_of(sign_in.exchange(code, &proof).await, "a code brings tokens")
}

async fn there_and_back<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let back = stage.decide(&sign_in.agree_at(&state, &proof), true).await;
    assert!(back.brings_state, "broken: whoever agrees comes back with the state that they set out with");
    let granted = value_of(sign_in.exchange(back.code.unwrap(), &proof).await, "a code brings tokens");
    assert!(stage.takes(&granted.tokens.access).await, "broken: the access that a code brings is taken");
    let who = value_of(sign_in.who(&granted.tokens.access).await, "it is known whose the tokens are");
    assert_eq!(who, stage.person(), "broken: the tokens are those of whoever agreed");
    let needed: Vec<Right> = Right::ALL.into_iter().filter(|right| right.of() == sign_in.provider()).collect();
    assert_eq!(granted.rights.iter().copied().collect::<Vec<_>>(), needed, "broken: what is asked for allows all that we do");
    let reasons: Vec<Right> = sign_in.asks_for().into_iter().flat_map(|asked| asked.rights).collect();
    assert_eq!(reasons, needed, "broken: everything that is asked for is used, and once");
    let page = sign_in.agree_at(&state, &proof);
    let query = page.expose_secret().split_once('?').map_or("", |(_, query)| query);
    let scope = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned());
    let shown: Vec<String> = sign_in.asks_for().into_iter().filter_map(|asked| asked.scope).map(|scope| scope.to_string()).collect();
    assert_eq!(scope.unwrap_or_default(), shown.join(" "), "broken: what people are shown is what is asked for, and nothing else is");
    let told = format!("{granted:?} {sign_in:?}");
    assert!(stage.secrets().iter().all(|secret| !told.contains(secret.as_str())), "broken: tokens are never printed");
    Arranged::Done
}

async fn declined<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let back = stage.decide(&sign_in.agree_at(&state, &proof), false).await;
    assert!(back.brings_state && back.code.is_none(), "broken: whoever declines comes back with the state and nothing else: {back:?}");
    Arranged::Done
}

async fn once<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let code = stage.decide(&sign_in.agree_at(&state, &proof), true).await.code.unwrap();
    value_of(sign_in.exchange(code.clone(), &proof).await, "a code brings tokens");
    let again = sign_in.exchange(code, &proof).await;
    if let Err(error) = &again {
        tells_no_secret(error, &stage.secrets());
    }
    assert_eq!(fault_of(again, "a code is good once"), Fault::Refused);
    let invented = sign_in.exchange(SecretString::from("no-code-of-anybody"), &proof).await;
    assert_eq!(fault_of(invented, "a code that nobody has given is refused"), Fault::Refused);
    Arranged::Done
}

async fn for_a_while<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let code = stage.decide(&sign_in.agree_at(&state, &proof), true).await.code.unwrap();
    or_leave_out!(stage.time_goes_on().await);
    assert_eq!(fault_of(sign_in.exchange(code, &proof).await, "a code that is too old is refused"), Fault::Refused);
    Arranged::Done
}

async fn proven<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let code = stage.decide(&sign_in.agree_at(&state, &proof), true).await.code.unwrap();
    match sign_in.exchange(code, &stage.proof(2)).await {
        Ok(_) => Arranged::Cannot("the service takes no proofs"),
        Err(error) => {
            assert_eq!(error.fault, Fault::Refused, "broken: a code is refused to whoever has not set out for it");
            Arranged::Done
        }
    }
}

async fn given_once<S: Stage>(stage: &mut S) -> Arranged {
    let (sign_in, state, proof) = (stage.sign_in(), stage.state(), stage.proof(1));
    let code = stage.decide(&sign_in.agree_at(&state, &proof), true).await.code.unwrap();
    or_leave_out!(stage.lose_answer().await);
    let before = stage.asked_for_tokens().await;
    assert_eq!(fault_of(sign_in.exchange(code, &proof).await, "a lost answer is unclear"), Fault::Unclear);
    assert_eq!(stage.asked_for_tokens().await, before + 1, "broken: a code is given once, also where the answer is lost");
    Arranged::Done
}

async fn renewed<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let first = signed_in(stage).await;
    let Life::Renewable { until, .. } = first.life else { return Arranged::Cannot("the access does not end by itself") };
    or_leave_out!(stage.time_goes_on().await);
    assert!(!stage.takes(&first.tokens.access).await, "the stage has let the access end");
    assert_eq!(fault_of(sign_in.who(&first.tokens.access).await, "an access that has ended is none"), Fault::SignInLost);
    let second = value_of(sign_in.renew(&first.tokens).await, "an access that has ended can be renewed");
    assert!(stage.takes(&second.tokens.access).await, "broken: the new access is taken");
    assert!(second.life.until().is_some_and(|later| later > until), "broken: a new access holds longer");
    assert_eq!((&second.rights, &second.scopes), (&first.rights, &first.scopes), "broken: a new access allows the same");
    let third = value_of(sign_in.renew(&second.tokens).await, "what was renewed can be renewed again");
    assert!(stage.takes(&third.tokens.access).await && !stage.takes(&second.tokens.access).await, "broken: the newest access is taken");
    Arranged::Done
}

async fn renewed_later<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let first = signed_in(stage).await;
    if first.tokens.refresh.is_none() {
        return Arranged::Cannot("the access does not end by itself");
    }
    or_leave_out!(stage.stumble().await);
    match sign_in.renew(&first.tokens).await {
        Ok(_) => panic!("the stage has not let the service stumble"),
        Err(error) => assert!(error.is_temporary(), "broken: a service that is away says nothing about the tokens: {error}"),
    }
    value_of(sign_in.renew(&first.tokens).await, "once the service is back the tokens are renewed");
    Arranged::Done
}

async fn renewed_unheard<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let first = signed_in(stage).await;
    if first.tokens.refresh.is_some() {
        or_leave_out!(stage.lose_answer().await);
        let before = stage.asked_for_tokens().await;
        let unheard = sign_in.renew(&first.tokens).await;
        if let Err(error) = &unheard {
            tells_no_secret(error, &stage.secrets());
        }
        assert_eq!(fault_of(unheard, "a lost answer is unclear"), Fault::Unclear);
        assert_eq!(stage.asked_for_tokens().await, before + 1, "broken: new tokens are asked for once, also where the answer is lost");
    }
    let before = stage.asked_for_tokens().await;
    // What brings new tokens may have been good once, and then the new ones are lost with the answer.
    match sign_in.renew(&first.tokens).await {
        Ok(second) => assert!(stage.takes(&second.tokens.access).await, "broken: the new access is taken"),
        Err(error) => {
            tells_no_secret(&error, &stage.secrets());
            assert_eq!(error.fault, Fault::SignInLost, "broken: where nothing brings new tokens the person has to sign in again");
        }
    }
    let asked = stage.asked_for_tokens().await - before;
    assert_eq!(asked, usize::from(first.tokens.refresh.is_some()), "broken: what cannot be renewed is not asked for");
    Arranged::Done
}

async fn withdrawn<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let granted = signed_in(stage).await;
    or_leave_out!(stage.withdraw().await);
    let who = sign_in.who(&granted.tokens.access).await;
    if let Err(error) = &who {
        tells_no_secret(error, &stage.secrets());
    }
    assert_eq!(fault_of(who, "what was withdrawn is lost"), Fault::SignInLost);
    let renewed = sign_in.renew(&granted.tokens).await;
    if let Err(error) = &renewed {
        tells_no_secret(error, &stage.secrets());
    }
    assert_eq!(fault_of(renewed, "what was withdrawn cannot be renewed"), Fault::SignInLost);
    assert_eq!(
        value_of(sign_in.revoke(&granted.tokens, granted.grant.clone(), Extent::Everything).await, "what is gone is gone"),
        Revoked::Gone
    );
    Arranged::Done
}

async fn revoked<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let granted = signed_in(stage).await;
    for time in 1..=2 {
        let outcome =
            value_of(sign_in.revoke(&granted.tokens, granted.grant.clone(), Extent::Everything).await, "revoking is safe to repeat");
        match outcome {
            Revoked::Gone => {}
            Revoked::OnlyByHand { page } => {
                assert_eq!(page, sign_in.ended_by_hand_at(), "broken: what can be ended by hand only is ended on the page for it");
                return Arranged::Cannot("what we hold does not allow it");
            }
        }
        assert!(!stage.takes(&granted.tokens.access).await, "broken: what was revoked is worth nothing any more, time {time}");
    }
    if granted.tokens.refresh.is_some() {
        assert_eq!(fault_of(sign_in.renew(&granted.tokens).await, "what was revoked brings no new tokens"), Fault::SignInLost);
    }
    assert!(stage.takes_own_key().await, "broken: a person's own keys are never touched");
    Arranged::Done
}

async fn revoked_late<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let granted = signed_in(stage).await;
    if granted.tokens.refresh.is_none() {
        return Arranged::Cannot("the access does not end by itself");
    }
    or_leave_out!(stage.time_goes_on().await);
    match value_of(sign_in.revoke(&granted.tokens, granted.grant.clone(), Extent::Everything).await, "what has run out can be revoked") {
        Revoked::Gone => {}
        Revoked::OnlyByHand { .. } => return Arranged::Cannot("what we hold does not allow it"),
    }
    assert_eq!(fault_of(sign_in.renew(&granted.tokens).await, "what was revoked brings no new tokens"), Fault::SignInLost);
    assert!(stage.takes_own_key().await, "broken: a person's own keys are never touched");
    Arranged::Done
}

async fn revoked_alone<S: Stage>(stage: &mut S) -> Arranged {
    let sign_in = stage.sign_in();
    let (first, second) = (signed_in(stage).await, signed_in(stage).await);
    for time in 1..=2 {
        match value_of(sign_in.revoke(&first.tokens, first.grant.clone(), Extent::TheseTokens).await, "revoking is safe to repeat") {
            Revoked::Gone => {}
            Revoked::OnlyByHand { .. } => return Arranged::Cannot("what we hold does not allow it"),
        }
        assert!(!stage.takes(&first.tokens.access).await, "broken: what was revoked is worth nothing any more, time {time}");
        assert!(stage.takes(&second.tokens.access).await, "broken: the same person's newer tokens stay good, time {time}");
    }
    if first.tokens.refresh.is_some() {
        assert_eq!(fault_of(sign_in.renew(&first.tokens).await, "what was revoked brings no new tokens"), Fault::SignInLost);
    }
    assert!(stage.takes_own_key().await, "broken: a person's own keys are never touched");
    Arranged::Done
}
