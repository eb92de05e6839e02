//! What somebody is asked before a deploy begins.

use slash_heroku::sandbox::slack::SlackWorkspace;

/// The button that answers the newest message with yes, where that asks whether something is to be shipped.
pub fn yes(slack: &SlackWorkspace) -> Option<String> {
    let newest = slack.messages().last().map(|message| slack.render(message))?;
    newest.buttons.iter().any(|label| label == "Do not ship").then(|| newest.buttons.first().cloned())?
}
