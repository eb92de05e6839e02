//! What whatever holds the bot's tokens promises: [`BotTokens`].

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Arranged, LeftOut, fault_of, or_leave_out, value_of};
use crate::domain::fault::Fault;
use crate::domain::names::WorkspaceId;
use crate::ports::BotTokens;

/// A chat with workspaces that the bot speaks in.
#[async_trait]
pub trait Stage: Send {
    /// The tokens.
    fn tokens(&self) -> Arc<dyn BotTokens>;

    /// The workspaces that the bot speaks in.
    fn workspaces(&self) -> Vec<WorkspaceId>;

    /// A workspace that the app is not installed in.
    fn elsewhere(&self) -> Result<WorkspaceId, &'static str>;

    /// The workspace in which the chat takes a token now, asked without the adapter.
    async fn place_of(&mut self, token: &SecretString) -> Option<WorkspaceId>;

    /// Time goes on until a token that was given before has ended, if it ends by itself.
    async fn time_goes_on(&mut self) -> Arranged;

    /// The chat is away for the next request for tokens, which does nothing.
    async fn stumble(&mut self) -> Arranged;

    /// How often tokens were asked for.
    async fn asked(&mut self) -> usize;

    /// From now on the chat refuses a workspace's token for good; gives `Cannot` where a token stays whatever the chat says of it.
    async fn refuse(&mut self, workspace: &WorkspaceId) -> Arranged;
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    a_token_is_that_of_its_workspace(make().await).await;
    left_out.note("not installed", where_it_is_not_installed_there_is_none(make().await).await);
    left_out.note("renewed", it_is_renewed_once_however_many_ask(make().await).await);
    left_out.note("renewed later", what_fails_for_the_moment_changes_nothing(make().await).await);
    left_out.note("run out", one_that_has_run_out_is_replaced(make().await).await);
    left_out.note("refused", what_is_refused_is_not_given_any_more(make().await).await);
    left_out
}

async fn token(stage: &impl Stage, workspace: &WorkspaceId) -> SecretString {
    value_of(stage.tokens().token(workspace).await, "there is a token for a workspace that the bot speaks in")
}

async fn a_token_is_that_of_its_workspace(mut stage: impl Stage) {
    for workspace in stage.workspaces() {
        let token = token(&stage, &workspace).await;
        assert_eq!(stage.place_of(&token).await, Some(workspace), "broken: a token is that of the workspace that was asked for");
    }
}

async fn where_it_is_not_installed_there_is_none(stage: impl Stage) -> Arranged {
    let elsewhere = match stage.elsewhere() {
        Ok(elsewhere) => elsewhere,
        Err(why) => return Arranged::Cannot(why),
    };
    let none = stage.tokens().token(&elsewhere).await;
    assert_eq!(fault_of(none, "where the app is not installed there is no token"), Fault::SignInLost);
    Arranged::Done
}

async fn it_is_renewed_once_however_many_ask(mut stage: impl Stage) -> Arranged {
    let workspace = stage.workspaces().remove(0);
    let first = token(&stage, &workspace).await;
    or_leave_out!(stage.time_goes_on().await);
    assert_eq!(stage.place_of(&first).await, None, "the stage has let the token end");
    let (before, tokens) = (stage.asked().await, stage.tokens());
    let all = join_all((0..5).map(|_| tokens.token(&workspace))).await;
    let all: Vec<SecretString> = all.into_iter().map(|token| value_of(token, "a token that has ended is renewed")).collect();
    let one = all[0].expose_secret();
    assert!(all.iter().all(|token| token.expose_secret() == one), "broken: all who ask get the same");
    assert_eq!(stage.place_of(&all[0]).await, Some(workspace), "broken: the new token is taken");
    assert_eq!(stage.asked().await, before + 1, "broken: a token is renewed once however many ask");
    Arranged::Done
}

async fn what_fails_for_the_moment_changes_nothing(mut stage: impl Stage) -> Arranged {
    let workspace = stage.workspaces().remove(0);
    token(&stage, &workspace).await;
    or_leave_out!(stage.time_goes_on().await);
    or_leave_out!(stage.stumble().await);
    let away = fault_of(stage.tokens().token(&workspace).await, "while the chat is away there is no new token");
    assert_eq!(away, Fault::Unreachable, "broken: a chat that is away says nothing about the installation");
    let later = token(&stage, &workspace).await;
    assert_eq!(stage.place_of(&later).await, Some(workspace), "broken: once the chat is back the token is renewed");
    Arranged::Done
}

async fn one_that_has_run_out_is_replaced(mut stage: impl Stage) -> Arranged {
    let workspace = stage.workspaces().remove(0);
    let first = token(&stage, &workspace).await;
    match stage.tokens().ran_out(&workspace, &first).await {
        Ok(second) => {
            assert_ne!(second.expose_secret(), first.expose_secret(), "broken: what has run out is not given again");
            assert_eq!(stage.place_of(&second).await, Some(workspace), "broken: what is given in its place is taken");
            Arranged::Done
        }
        Err(error) => {
            assert_eq!(error.fault, Fault::SignInLost, "broken: where there can be no other, the sign-in is lost: {error}");
            Arranged::Cannot("nothing renews it")
        }
    }
}

async fn what_is_refused_is_not_given_any_more(mut stage: impl Stage) -> Arranged {
    let workspaces = stage.workspaces();
    let refused = token(&stage, &workspaces[0]).await;
    or_leave_out!(stage.refuse(&workspaces[0]).await);
    stage.tokens().refused(&workspaces[0], &refused, "account_inactive").await;
    let none = stage.tokens().token(&workspaces[0]).await;
    assert_eq!(fault_of(none, "nothing more is said where the chat refuses the token"), Fault::SignInLost);
    for other in &workspaces[1..] {
        let token = token(&stage, other).await;
        assert_eq!(stage.place_of(&token).await.as_ref(), Some(other), "broken: in other workspaces it goes on");
    }
    Arranged::Done
}
