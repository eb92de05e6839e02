//! What installing promises to whoever stands before its page: [`Installing`].

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::installation::BotRight;
use crate::ports::{Done, Installing, NotInstalled};

/// A chat with one workspace, in which the app is not installed, and a place to keep what it gives.
#[async_trait]
pub trait Stage: Send {
    /// Where it is installed.
    fn installing(&self) -> Arc<dyn Installing>;

    /// Somebody agrees for their workspace on the page at this address; the code that they come back with.
    async fn agree(&mut self, page: &SecretString) -> SecretString;

    /// Whether an installation is kept.
    async fn is_kept(&mut self) -> bool;

    /// Whether the chat takes a token that it has given out.
    async fn is_at_chat(&mut self) -> bool;

    /// How often the chat was asked for something by us.
    async fn asked(&mut self) -> usize;

    /// From now on nothing can be kept.
    async fn lose_place(&mut self);
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    asking_for_the_page_changes_nothing(make().await).await;
    whoever_agrees_has_installed_it(make().await).await;
    a_code_that_is_refused_installs_nothing(make().await).await;
    of_what_cannot_be_kept_nothing_is_left(make().await).await;
}

async fn installed(stage: &mut impl Stage) -> Result<Done, NotInstalled> {
    let page = stage.installing().agree_at(&"a-state".into());
    let code = stage.agree(&page).await;
    stage.installing().install(code).await
}

async fn asking_for_the_page_changes_nothing(mut stage: impl Stage) {
    let installing = stage.installing();
    let pages = ["a-state", "another-state"].map(|state| installing.agree_at(&state.into()));
    for (page, state) in pages.iter().zip(["a-state", "another-state"]) {
        assert!(page.expose_secret().contains(state), "broken: whoever agrees comes back with what they set out with");
    }
    let rights: Vec<BotRight> = installing.asks_for().into_iter().map(|asked| asked.right).collect();
    assert_eq!(rights, BotRight::ALL, "broken: it is told what is asked for, all of it and once");
    assert_eq!((stage.asked().await, stage.is_kept().await), (0, false), "broken: asking for the page changes nothing");
}

async fn whoever_agrees_has_installed_it(mut stage: impl Stage) {
    let first = installed(&mut stage).await.expect("broken: whoever agrees has installed it");
    assert!(!first.again && first.lacks.is_empty(), "broken: what is granted for the first time lacks nothing: {first:?}");
    assert!(stage.is_kept().await && stage.is_at_chat().await, "broken: what was installed is kept, here and at the chat");
    let second = installed(&mut stage).await.expect("broken: it can be installed again");
    assert_eq!(second, Done { again: true, ..first }, "broken: it is told that it was there before");
    assert!(stage.is_kept().await && stage.is_at_chat().await, "broken: what was installed again is kept");
}

async fn a_code_that_is_refused_installs_nothing(mut stage: impl Stage) {
    let refused = stage.installing().install("no-code".into()).await;
    assert!(matches!(refused, Err(NotInstalled::Outside(_))), "broken: the chat gives nothing for no code: {refused:?}");
    assert!(!stage.is_kept().await && !stage.is_at_chat().await, "broken: where the chat gives nothing, nothing is kept");
}

async fn of_what_cannot_be_kept_nothing_is_left(mut stage: impl Stage) {
    stage.lose_place().await;
    assert_eq!(installed(&mut stage).await, Err(NotInstalled::Broken), "broken: it is told that it could not be kept");
    assert!(!stage.is_at_chat().await, "broken: of what could not be kept nothing is left at the chat");
}
