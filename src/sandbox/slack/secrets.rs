//! What of a workspace is a secret.

use super::SlackWorkspace;
use crate::sandbox::secrets::Secret;

impl SlackWorkspace {
    /// What was handed out so far and must stay where it was given to.
    pub fn secrets(&self) -> Vec<Secret> {
        let seed = self.seed();
        let mut all = vec![Secret::new("the signing secret", &seed.signing_secret), Secret::new("the bot's token", &seed.bot_token)];
        let hooks = self.look(|state| state.hooks.keys().cloned().collect::<Vec<_>>());
        all.extend(self.secrets_of_installs().into_iter().map(|(what, text)| Secret::new(what, text)));
        all.extend(hooks.into_iter().map(|path| Secret::new("an answer address", path)));
        all
    }
}
