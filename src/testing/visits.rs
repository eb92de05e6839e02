//! What visits to link logins promise: [`Visits`].

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::sign_in::Dead;
use crate::ports::{NoVisit, Visits};

/// Visits, two services, and one person who has linked nothing.
#[async_trait]
pub trait Stage: Send {
    /// The visits.
    fn visits(&self) -> Arc<dyn Visits>;

    /// The person.
    fn person(&self) -> Person;

    /// A new link for the person.
    async fn offer(&mut self) -> SecretString;

    /// A new link for somebody else.
    async fn offer_to_another(&mut self) -> SecretString;

    /// Whoever sits at a browser agrees, or not, on the page at this address; the state and the code with which they are sent back.
    async fn decide(&mut self, at: Provider, page: &SecretString, agrees: bool) -> (SecretString, Option<SecretString>);

    /// The person types this in the chat as the passcode.
    async fn types(&mut self, passcode: &SecretString);

    /// Where the person has a login now.
    async fn linked(&mut self) -> BTreeSet<Provider>;

    /// All that is kept of the person's visits and logins, as text: another one after every change.
    async fn kept(&mut self) -> String;

    /// Time goes on until no link works that was offered before.
    async fn time_goes_on(&mut self);
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    looking_changes_nothing(make().await).await;
    a_link_opens_once(make().await).await;
    a_link_opens_for_a_while(make().await).await;
    nothing_is_anybodys_before_the_passcode(make().await).await;
    whoever_declines_is_back_where_they_were(make().await).await;
    only_the_browser_that_opened_it_goes_on(make().await).await;
    one_comes_back_once_by_the_way_one_set_out(make().await).await;
    no_answer_tells_how_near_a_guess_was(make().await).await;
}

async fn opened(stage: &mut impl Stage) -> SecretString {
    let link = stage.offer().await;
    stage.visits().open(&link).await.expect("broken: a new link opens")
}

async fn agreed(stage: &mut impl Stage, browser: &SecretString, at: Provider) -> (SecretString, Option<SecretString>) {
    let page = stage.visits().set_out(browser, at).await.expect("broken: whoever has opened a visit sets out");
    stage.decide(at, &page, true).await
}

async fn links(stage: &mut impl Stage, browser: &SecretString, at: Provider) {
    let (state, code) = agreed(stage, browser, at).await;
    assert_eq!(stage.visits().come_back(browser, &state, code).await, Ok(at), "broken: whoever has agreed comes back from there");
}

async fn looking_changes_nothing(mut stage: impl Stage) {
    let (link, visits) = (stage.offer().await, stage.visits());
    let offered = stage.kept().await;
    for _ in 0..2 {
        assert_eq!(visits.look(&link).await, Ok(stage.person()), "broken: whoever looks sees whom a link is for");
    }
    assert_eq!(stage.kept().await, offered, "broken: looking at a link changes nothing");
    let browser = visits.open(&link).await.expect("broken: a link that was looked at opens");
    let open = stage.kept().await;
    assert_ne!(open, offered, "the stage shows no changes");
    for _ in 0..2 {
        let view = visits.view(&browser).await.expect("broken: the browser sees the visit that it has opened");
        assert_eq!((&view.person, view.legs.len()), (&stage.person(), 2), "broken: it sees whom it is for, and all services");
        assert!(view.legs.iter().all(|leg| !leg.linked && !leg.before), "broken: it sees what is linked: {view:?}");
    }
    assert_eq!(stage.kept().await, open, "broken: looking at a visit changes nothing");
}

async fn a_link_opens_once(mut stage: impl Stage) {
    let (link, visits) = (stage.offer().await, stage.visits());
    let opened = join_all((0..5).map(|_| visits.open(&link))).await;
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1, "broken: of several who open a link at once one does");
    let later = visits.open(&link).await.map(|_| ());
    assert_eq!(later, Err(NoVisit::Dead(Dead::OpenedBefore)), "broken: a link opens once, and then says so");
}

async fn a_link_opens_for_a_while(mut stage: impl Stage) {
    let link = stage.offer().await;
    stage.time_goes_on().await;
    let late = stage.visits().open(&link).await.map(|_| ());
    assert_eq!(late, Err(NoVisit::Dead(Dead::RanOut)), "broken: a link opens for a while only");
}

async fn nothing_is_anybodys_before_the_passcode(mut stage: impl Stage) {
    let browser = opened(&mut stage).await;
    let nothing = stage.visits().done(&browser).await.map(|_| ());
    assert_eq!(nothing, Err(NoVisit::Dead(Dead::NothingLinked)), "broken: where nothing was linked nothing is to be confirmed");
    for at in Provider::ALL {
        links(&mut stage, &browser, at).await;
        let view = stage.visits().view(&browser).await.unwrap();
        assert!(view.legs.iter().any(|leg| leg.at == at && leg.linked), "broken: the browser sees what it has linked: {view:?}");
    }
    let passcode = stage.visits().done(&browser).await.expect("broken: whoever has linked something gets a passcode");
    assert_eq!(stage.linked().await, BTreeSet::new(), "broken: before the passcode is typed nothing is anybody's");
    let wrong = if passcode.expose_secret() == "00000000" { "00000001" } else { "00000000" };
    stage.types(&wrong.into()).await;
    assert_eq!(stage.linked().await, BTreeSet::new(), "broken: by another passcode nothing becomes anybody's");
    stage.types(&passcode).await;
    assert_eq!(stage.linked().await, BTreeSet::from(Provider::ALL), "broken: what was linked is theirs who typed the passcode");
    assert!(stage.visits().view(&browser).await.is_err(), "broken: a visit that is over goes no further");
}

async fn whoever_declines_is_back_where_they_were(mut stage: impl Stage) {
    let browser = opened(&mut stage).await;
    let at = Provider::SourceControl;
    let page = stage.visits().set_out(&browser, at).await.unwrap();
    let (state, code) = stage.decide(at, &page, false).await;
    assert!(code.is_none(), "the stage gives no code to whoever declines");
    assert_eq!(stage.visits().come_back(&browser, &state, code).await, Ok(at), "broken: whoever declines is back where they were");
    links(&mut stage, &browser, at).await;
}

async fn only_the_browser_that_opened_it_goes_on(mut stage: impl Stage) {
    let (browser, bait) = (opened(&mut stage).await, stage.offer_to_another().await);
    let visits = stage.visits();
    let other = visits.open(&bait).await.unwrap();
    let (state, code) = agreed(&mut stage, &browser, Provider::Platform).await;
    let before = stage.kept().await;
    let crossed = visits.come_back(&other, &state, code.clone()).await;
    assert!(crossed.is_err(), "broken: nobody comes back by the way of another browser: {crossed:?}");
    assert_eq!(stage.kept().await, before, "broken: another browser changes nothing");
    assert_eq!(visits.come_back(&browser, &state, code).await, Ok(Provider::Platform), "broken: nor uses it anything up");
    // What leads to a visit is not what goes on with it.
    let link = stage.offer().await;
    for stranger in [link, state] {
        let refused = [visits.view(&stranger).await.err(), visits.set_out(&stranger, Provider::Platform).await.err()];
        assert_eq!(refused, [Some(NoVisit::Unknown), Some(NoVisit::Unknown)], "broken: only the browser's own secret goes on with it");
        assert_eq!(visits.done(&stranger).await.err(), Some(NoVisit::Unknown), "broken: only the browser's own secret ends it");
    }
}

async fn one_comes_back_once_by_the_way_one_set_out(mut stage: impl Stage) {
    let (browser, visits) = (opened(&mut stage).await, stage.visits());
    let (state, code) = agreed(&mut stage, &browser, Provider::Platform).await;
    assert_eq!(visits.come_back(&browser, &state, code.clone()).await, Ok(Provider::Platform));
    let again = visits.come_back(&browser, &state, code).await;
    assert_eq!(again, Err(NoVisit::Dead(Dead::NoSuchWay)), "broken: one comes back once");
}

/// The same with its last letter changed, and with it missing.
fn near(secret: &SecretString) -> [SecretString; 2] {
    let text = secret.expose_secret();
    let (most, last) = text.split_at(text.len() - 1);
    [format!("{most}{}", if last == "A" { "B" } else { "A" }).into(), most.into()]
}

async fn no_answer_tells_how_near_a_guess_was(mut stage: impl Stage) {
    let (link, visits) = (stage.offer().await, stage.visits());
    let far: SecretString = "guessed".into();
    for guess in near(&link).iter().chain([&far]) {
        let answers = (visits.look(guess).await, visits.open(guess).await.map(|_| ()));
        assert_eq!(answers, (Err(NoVisit::Unknown), Err(NoVisit::Unknown)), "broken: a guessed link is answered as any other guess");
    }
    let browser = visits.open(&link).await.expect("broken: a guess uses nothing up");
    let (state, code) = agreed(&mut stage, &browser, Provider::Platform).await;
    for guess in near(&browser).iter().chain([&far]) {
        let answers =
            [visits.view(guess).await.err(), visits.set_out(guess, Provider::Platform).await.err(), visits.done(guess).await.err()];
        assert!(answers.iter().all(|answer| *answer == Some(NoVisit::Unknown)), "broken: a guessed browser is unknown: {answers:?}");
        let back = visits.come_back(guess, &state, code.clone()).await;
        assert_eq!(back, Err(NoVisit::Unknown), "broken: a guessed browser is unknown, whatever it brings");
    }
    for guess in near(&state).iter().chain([&far]) {
        let back = visits.come_back(&browser, guess, code.clone()).await;
        assert_eq!(back, Err(NoVisit::Dead(Dead::NoSuchWay)), "broken: a guessed state is answered as any other guess");
    }
    assert_eq!(visits.come_back(&browser, &state, code).await, Ok(Provider::Platform), "broken: a guess uses nothing up");
}
