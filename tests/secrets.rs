//! Secrets stay where they were given to: a search for all that a simulated world hands out, in everything that leaves the
//! service or stays behind it, and the proof that the search finds what has leaked.

mod holders;
mod log;
mod printed;
mod search;

pub use log::{typed_codes, watch};
pub use search::Needles;

use std::path::Path;

use slash_heroku::sandbox::heroku::Host;
use slash_heroku::sandbox::world::World;

/// Says what has leaked from a service that played in this world: in its messages, in the store's files below `store`, in
/// what it wrote at the other services for all to see, in the addresses that it asked them at, and in `other` places. Call [`watch`] before, for its log.
pub fn leaks(world: &World, store: &Path, typed: &[String], other: &[(String, String)]) -> Vec<String> {
    let needles = Needles::of(world, typed);
    let mut found = Vec::new();
    let slack = &world.slack;
    // What it was asked, not what it made of that: a fault may say anything.
    let asked: Vec<_> = slack.requests().into_iter().map(|request| (request.method, request.arguments)).collect();
    found.extend(needles.find("the chat", &format!("{:?}\n{asked:?}", slack.events())));
    for repository in world.github.repositories() {
        found.extend(needles.find("a GitHub deployment", &format!("{:?}", world.github.deployments(&repository))));
    }
    found.extend(needles.find("a build or a release", &world.heroku.descriptions().join("\n")));
    // Elsewhere, addresses are the keys that were given out for them.
    let addresses = world.heroku.requests().into_iter().filter(|request| request.host == Host::Api);
    let addresses: Vec<String> = addresses.map(|request| format!("{}?{}", request.path, request.query.unwrap_or_default())).collect();
    found.extend(needles.find("an address at Heroku", &addresses.join("\n")));
    let addresses: Vec<String> = world.github.requests().into_iter().map(|request| request.path).collect();
    found.extend(needles.find("an address at GitHub", &addresses.join("\n")));
    for (place, text) in other {
        found.extend(needles.find(place, text));
    }
    for file in search::files_below(store) {
        found.extend(needles.find_in_file(&file));
    }
    found
}

/// Which of these has got into a file below a folder.
pub fn leaks_into_files(secrets: &[String], below: &Path) -> Vec<String> {
    let needles = Needles::common(secrets);
    search::files_below(below).iter().filter_map(|file| needles.find_in_file(file)).collect()
}

/// What the service answers to whoever watches it.
pub async fn watched_pages(address: &str) -> Vec<(String, String)> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut pages = Vec::new();
    for path in ["/health", "/metrics", "/nothing"] {
        // A script may end with the service down.
        let Ok(answer) = client.get(format!("{address}{path}")).send().await else { continue };
        let head = format!("{:?}", answer.headers());
        pages.push((path.to_owned(), format!("{head}\n{}", answer.text().await.unwrap())));
    }
    pages
}
