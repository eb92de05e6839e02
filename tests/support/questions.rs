//! What somebody is asked before a deploy begins.

use slash_heroku::sandbox::slack::SlackWorkspace;

/// The button that answers the newest message with yes, where that asks whether something is to be shipped.
pub fn yes(slack: &SlackWorkspace) -> Option<String> {
    let newest = slack.messages().last().map(|message| slack.render(message))?;
    let no = ["Do not ship", "Do not promote", "Do not roll back"];
    newest.buttons.iter().any(|label| no.contains(&label.as_str())).then(|| newest.buttons.first().cloned())?
}

/// The button by which whoever is called at their turn says that it ships.
pub fn called(slack: &SlackWorkspace) -> Option<String> {
    let messages = slack.messages();
    let called =
        messages.iter().map(|message| slack.render(message)).find(|seen| seen.buttons.iter().any(|label| label == "Leave the line"));
    called.and_then(|seen| seen.buttons.first().cloned())
}
