//! What links to everything that is kept about a person promise: [`Exports`].

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use secrecy::SecretString;

use crate::ports::Exports;

/// Links, and somebody of whom something is kept beside others.
#[async_trait]
pub trait Stage: Send {
    /// The links.
    fn exports(&self) -> Arc<dyn Exports>;

    /// A new link for the person.
    async fn offer(&mut self) -> SecretString;

    /// What stands in everything about the person, and what stands only in what is kept about others.
    fn marks(&self) -> (&'static str, &'static str);

    /// Time goes on until no link works that was offered before.
    async fn time_goes_on(&mut self);
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    looking_changes_nothing(make().await).await;
    it_is_handed_out_once(make().await).await;
    of_many_at_once_one_gets_it(make().await).await;
    after_its_time_nothing_is_handed_out(make().await).await;
    an_unknown_link_leads_nowhere(make().await).await;
}

async fn works(stage: &impl Stage, link: &SecretString) -> bool {
    stage.exports().works(link).await.unwrap()
}

async fn taken(stage: &impl Stage, link: &SecretString) -> Option<String> {
    stage.exports().take(link).await.unwrap()
}

async fn looking_changes_nothing(mut stage: impl Stage) {
    let link = stage.offer().await;
    for _ in 0..3 {
        assert!(works(&stage, &link).await, "broken: whoever looks at a link uses nothing up");
    }
    let everything = taken(&stage, &link).await.expect("broken: a link that works hands out everything about its person");
    let (own, of_others) = stage.marks();
    assert!(everything.contains(own), "broken: everything about the person is in it: {everything}");
    assert!(!everything.contains(of_others), "broken: nothing about others is in it: {everything}");
}

async fn it_is_handed_out_once(mut stage: impl Stage) {
    let (first, second) = (stage.offer().await, stage.offer().await);
    assert!(taken(&stage, &first).await.is_some(), "broken: a new link works");
    assert!(!works(&stage, &first).await && taken(&stage, &first).await.is_none(), "broken: what is handed out is handed out once");
    assert!(taken(&stage, &second).await.is_some(), "broken: another link of the same person is another one");
}

async fn of_many_at_once_one_gets_it(mut stage: impl Stage) {
    let (link, exports) = (stage.offer().await, stage.exports());
    let all = join_all((0..5).map(|_| exports.take(&link))).await;
    let handed_out = all.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count();
    assert_eq!(handed_out, 1, "broken: of several who come at once one gets it");
}

async fn after_its_time_nothing_is_handed_out(mut stage: impl Stage) {
    let link = stage.offer().await;
    stage.time_goes_on().await;
    assert!(!works(&stage, &link).await && taken(&stage, &link).await.is_none(), "broken: a link works for a while only");
}

async fn an_unknown_link_leads_nowhere(mut stage: impl Stage) {
    let link = stage.offer().await;
    for guess in ["", "guessed"] {
        let guess = SecretString::from(guess);
        assert!(!works(&stage, &guess).await && taken(&stage, &guess).await.is_none(), "broken: nobody gets anything by a guess");
    }
    assert!(works(&stage, &link).await, "broken: a guess uses no link up");
}
