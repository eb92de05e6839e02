//! What of a GitHub is a secret.

use super::Github;
use crate::sandbox::secrets::Secret;

impl Github {
    /// What was handed out so far and must stay where it was given to. Links that were used are good for nothing any more.
    pub fn secrets(&self) -> Vec<Secret> {
        let world = self.lock();
        let tokens = world.tokens.keys().map(|token| Secret::new("a token of GitHub", token));
        let sign_ins = world.sign_ins.secrets().map(|(what, text)| Secret::new(what, text));
        tokens.chain(sign_ins).chain(world.downloads.iter().map(|link| Secret::new("a link to an archive", &link.secret))).collect()
    }
}
