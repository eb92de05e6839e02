//! What the pages say on which the app is installed in a workspace.

use super::{Go, Page, sentence, typed, who_does_what};
use crate::domain::fault::PortError;
use crate::domain::installation::{BotRight, Tenant};
use crate::domain::message::{Line, code, strong, text};
use crate::domain::names::ScopeName;

/// What the app is allowed to do in the chat, and why.
fn reason_of(right: BotRight) -> &'static str {
    match right {
        BotRight::BeAsked => "to be asked by its command",
        BotRight::Speak => "to answer, and to keep one message for each deploy up to date",
        BotRight::SeePeople => "to tell members from guests and people of other companies, and admins from others; nothing of it is kept",
        BotRight::SpeakDirectly => "to tell people how their deploys ended, and what is for them only",
        BotRight::SpeakUninvited => "to show deploys in public conversations without being invited there first; it also works without",
        BotRight::SeeGroups => "to see who is in a group of people that a rule names; it also works without, for rules that name none",
        BotRight::SeeConversations => {
            "to see whether a conversation is shared with another company before deploys are shown there; without it they are shown to their asker alone"
        }
        BotRight::SeePrivateConversations => {
            "to see the same of a private conversation that it was invited to; without it they are shown to their asker alone"
        }
    }
}

fn asked(scope: &ScopeName, right: BotRight) -> Line {
    vec![code(scope), text(format!(": {}", reason_of(right)))]
}

/// The page on which installing begins.
pub fn start<'a>(asks: impl IntoIterator<Item = (&'a ScopeName, BotRight)>) -> Page {
    let page = Page::new("Install the app in your workspace").line(vec![text(
        "You are sent to the chat, where you choose the workspace or the organisation and agree. This is what the app asks for, and why:",
    )]);
    let page = asks.into_iter().fold(page, |page, (scope, right)| page.line(asked(scope, right)));
    page.line(vec![text("It reads no messages. Everybody who deploys signs in for themselves, later and in the chat.")]).step(
        "Go on to the chat",
        Go::Install,
        true,
    )
}

/// The chat has sent somebody back. `agreed`: it gave a code along.
pub fn back(agreed: bool) -> Page {
    if agreed {
        Page::new("You are back").line(vec![text("You have agreed. Nothing is installed before you go on.")]).step(
            "Install",
            Go::TakeInstalled,
            true,
        )
    } else {
        Page::new("You are back").line(vec![text("You have not agreed, or it did not work there. Nothing was installed.")]).step(
            "Begin again",
            Go::Installation,
            true,
        )
    }
}

/// It is installed.
pub fn done(tenant: &Tenant, name: Option<&str>, again: bool, lacks: &[BotRight], command_word: &str) -> Page {
    let title = if again { "Installed anew" } else { "Installed" };
    let (what, id) = match tenant {
        Tenant::Workspace(id) => ("workspace", id.to_string()),
        Tenant::Organisation(id) => ("organisation", id.to_string()),
    };
    let place = match name {
        Some(name) => vec![text(format!("The app is in the {what} ")), strong(name), text(" ("), code(id), text(") now.")],
        None => vec![text(format!("The app is in the {what} ")), code(id), text(" now.")],
    };
    let mut page = Page::new(title).line(place);
    if again {
        page = page.line(sentence("It was there before, and nothing that is kept was lost."));
    }
    for right in lacks {
        page = page.line(vec![strong("Not granted: "), text(format!("{}. Install it again and allow that.", reason_of(*right)))]);
    }
    if let Tenant::Organisation(_) = tenant {
        page = page.line(sentence("It speaks in no workspace before an admin of the organisation lets it in there."));
    }
    page.line(vec![
        text("In the chat, invite it to the conversations where deploys should be shown, then type "),
        code(typed(command_word, "login")),
        text("."),
    ])
    .line(vec![text("To take it out again, remove the app in the chat: whatever is kept of the workspace goes with it.")])
}

/// The chat gave nothing for the code.
pub fn outside(error: &PortError) -> Page {
    let mut page = Page::new("That did not work").line(vec![text(format!("{}. Nothing was installed.", who_does_what(error)))]);
    if let Some(said) = &error.said {
        page = page.line(vec![text("It said: "), code(said)]);
    }
    page.step("Begin again", Go::Installation, true)
}

/// Somebody comes back who did not set out in this browser, or came back before.
pub fn no_such_way() -> Page {
    Page::new("This way back was used before")
        .line(sentence("Or it was begun in another browser, or too long ago. Nothing was installed by it now."))
        .step("Begin again", Go::Installation, true)
}

/// Something went wrong here.
pub fn broken() -> Page {
    Page::new("Something went wrong in here")
        .line(sentence("It is not your doing, and nothing was installed. The operator's log tells more."))
        .step("Begin again", Go::Installation, true)
}
