//! Steps of a visit, taken to their ends: whoever waits for one may go away, and what a service has given out by then is still recorded.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::Service;
use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::sign_in::View;
use crate::ports::{BotScope, Done, Installing, NoVisit, NotInstalled, Visits};

/// Visits whose steps are tasks of the service, so that whoever drains waits for them.
#[derive(Clone, Debug)]
pub struct WholeSteps {
    /// Whose tasks they are.
    pub service: Service,
    /// The visits.
    pub visits: Arc<dyn Visits>,
}

impl WholeSteps {
    async fn whole<T: Send + 'static>(&self, step: impl Future<Output = Result<T, NoVisit>> + Send + 'static) -> Result<T, NoVisit> {
        if self.service.is_draining() {
            return Err(NoVisit::Broken);
        }
        let (say, said) = tokio::sync::oneshot::channel();
        self.service.spawn(async move {
            if say.send(step.await).is_err() {
                tracing::warn!("nobody waits any more for a step of a visit");
            }
        });
        said.await.unwrap_or(Err(NoVisit::Broken))
    }
}

/// Installing, each as a task of the service: what the chat has given out by then is recorded also where nobody waits any more.
#[derive(Clone, Debug)]
pub struct WholeInstalls {
    /// Whose tasks they are.
    pub service: Service,
    /// Where it is installed.
    pub installing: Arc<dyn Installing>,
}

#[async_trait]
impl Installing for WholeInstalls {
    fn asks_for(&self) -> Vec<BotScope> {
        self.installing.asks_for()
    }

    fn agree_at(&self, state: &SecretString) -> SecretString {
        self.installing.agree_at(state)
    }

    async fn install(&self, code: SecretString) -> Result<Done, NotInstalled> {
        if self.service.is_draining() {
            return Err(NotInstalled::Broken);
        }
        let (say, said) = tokio::sync::oneshot::channel();
        let installing = Arc::clone(&self.installing);
        self.service.spawn(async move {
            if say.send(installing.install(code).await).is_err() {
                tracing::warn!("nobody waits any more to hear whether the app was installed");
            }
        });
        said.await.unwrap_or(Err(NotInstalled::Broken))
    }
}

#[async_trait]
impl Visits for WholeSteps {
    async fn look(&self, link: &SecretString) -> Result<Person, NoVisit> {
        self.visits.look(link).await
    }

    async fn open(&self, link: &SecretString) -> Result<SecretString, NoVisit> {
        let (visits, link) = (Arc::clone(&self.visits), link.clone());
        self.whole(async move { visits.open(&link).await }).await
    }

    async fn view(&self, browser: &SecretString) -> Result<View, NoVisit> {
        self.visits.view(browser).await
    }

    async fn set_out(&self, browser: &SecretString, to: Provider) -> Result<SecretString, NoVisit> {
        let (visits, browser) = (Arc::clone(&self.visits), browser.clone());
        self.whole(async move { visits.set_out(&browser, to).await }).await
    }

    async fn come_back(&self, browser: &SecretString, state: &SecretString, code: Option<SecretString>) -> Result<Provider, NoVisit> {
        let (visits, browser, state) = (Arc::clone(&self.visits), browser.clone(), state.clone());
        self.whole(async move { visits.come_back(&browser, &state, code).await }).await
    }

    async fn done(&self, browser: &SecretString) -> Result<SecretString, NoVisit> {
        let (visits, browser) = (Arc::clone(&self.visits), browser.clone());
        self.whole(async move { visits.done(&browser).await }).await
    }
}
