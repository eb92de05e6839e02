//! What of a Heroku is a secret.

use super::{Heroku, json, planted_secrets};
use crate::sandbox::secrets::Secret;

impl Heroku {
    /// What was handed out so far and must stay where it was given to.
    pub fn secrets(&self) -> Vec<Secret> {
        let (world, _) = self.world();
        let mut all: Vec<Secret> = planted_secrets().into_iter().map(|secret| Secret::new("a secret in an output", secret)).collect();
        for user in &world.users {
            all.extend(user.tokens.iter().map(|token| Secret::new("a token of Heroku", token)));
            all.extend(user.codes.iter().chain(&user.spent_codes).map(|code| Secret::new("a one-time code", code)));
        }
        all.extend(world.sign_ins.secrets().map(|(what, text)| Secret::new(what, text)));
        for upload in &world.uploads {
            let (put, get) = json::upload_urls(&world.urls.storage, upload.key);
            all.extend([Secret::new("a link to put a source", put), Secret::new("a link to get a source", get)]);
        }
        let outputs = world.builds.iter().map(|build| build.id).chain(world.releases.iter().map(|release| release.id));
        all.extend(outputs.map(|of| Secret::new("a link to a stream", json::stream_url(&world.urls.streams, of))));
        all
    }
}
