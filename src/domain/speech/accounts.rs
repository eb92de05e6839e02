//! What we say in the chat about logins: the private link, the passcode, who somebody is here, and what is left of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::account::{Account, Life, Missing, Obstacle, Provider, Right, Standing, Unlinked};
use crate::domain::command::Command;
use crate::domain::deployment::{Deployment, Outcome, Phase};
use crate::domain::fault::PortError;
use crate::domain::message::{Audience, Line, Message, Tone, code, link, strong, text};
use crate::domain::notice::Mute;
use crate::domain::sign_in::{KEPT_LIVES, Kept, LINK_LIVES, SignIn};

use super::card::commit;
use super::help::typed;
use super::notices::mute_line;
use super::refusals::who_does_what;
use super::services::service;
use super::words::{duration, list, moment, sentence};

fn private(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// A service as people call it.
pub(super) fn name(of: Provider) -> &'static str {
    service(of.service())
}

pub(super) fn names(of: impl IntoIterator<Item = Provider>) -> String {
    list(&of.into_iter().map(name).collect::<Vec<_>>())
}

/// `your login at GitHub`, `your logins at GitHub and Heroku`.
fn your_logins(at: &[Provider]) -> String {
    let logins = if at.len() == 1 { "login" } else { "logins" };
    format!("your {logins} at {}", names(at.iter().copied()))
}

/// What we are allowed by a right, and what for.
pub(super) fn reason_of(right: Right) -> &'static str {
    match right {
        Right::ReadSource => "to read branches, commits, pull requests, and the source that is shipped",
        Right::ReadChecks => "to read whether a commit is green and what it needs to be",
        Right::RecordDeployments => "to record deployments",
        Right::KnowWho => "to know whose login it is",
        Right::Ship => "to see your apps, build and release, without their config vars",
    }
}

/// The line with the link that only the asker may have.
fn link_line(address: &str) -> Line {
    vec![
        link("Link your logins", address),
        text(format!(
            " (for you only: it opens once, within {}; a link that you had before works no more)",
            duration(LINK_LIVES.as_secs())
        )),
    ]
}

/// To whoever asks for a link. `kept`: the command that waits for it, or has waited too long.
pub fn sign_in_link(address: &str, kept: Option<&Kept>, command_word: &str, now: Timestamp) -> Message {
    let headline = vec![text(format!("Sign in at {}, and I act with your own rights there.", names(Provider::ALL)))];
    let mut message = private(Tone::Info, headline).line(link_line(address)).line(passcode_line(command_word));
    message.lines.extend(kept.map(|kept| match kept {
        Kept::Waits { command, until } => kept_line(command, *until, now),
        Kept::RanOut(command) => ran_out_line(command),
    }));
    message
}

/// The command that waits, and for how long.
fn kept_line(command: &Command, until: Timestamp, now: Timestamp) -> Line {
    let left = duration(until.duration_since(now).as_secs());
    vec![code(command), text(format!(" is kept and runs when you type the passcode, at most {left} from now."))]
}

/// The command that does not wait any more.
fn ran_out_line(command: &Command) -> Line {
    let lived = duration(KEPT_LIVES.as_secs());
    vec![
        code(command),
        text(format!(" was typed more than {lived} ago and is not run any more. If you still want it, ask again. (kept-too-long)")),
    ]
}

fn passcode_line(command_word: &str) -> Line {
    vec![text("At the end your browser shows a passcode. Type it here: "), code(typed(command_word, "login PASSCODE"))]
}

fn obstacle(missing: &Missing, now: Timestamp) -> Line {
    let at = name(missing.provider);
    match &missing.why {
        Obstacle::NeverLinked => vec![text(format!("{at}: no login is linked."))],
        Obstacle::Withdrawn { since } => {
            vec![text(format!("{at}: your login is not taken any more, as we know since ")), moment(*since, now), text(".")]
        }
        Obstacle::RanOut => vec![text(format!("{at}: your login has run out."))],
        Obstacle::Lacks(rights) => {
            let reasons: Vec<&str> = rights.iter().copied().map(reason_of).collect();
            vec![text(format!("{at}: your login does not allow us {}.", list(&reasons)))]
        }
    }
}

/// A command needs logins that are missing. It is kept, if `kept`.
pub fn link_first(missing: &[Missing], address: &str, kept: Option<&Command>, command_word: &str, now: Timestamp) -> Message {
    let at: Vec<Provider> = missing.iter().map(|missing| missing.provider).collect();
    let headline = format!("This needs {}. Nothing was done yet. (link-first)", your_logins(&at));
    let mut message = private(Tone::Waiting, vec![text(headline)]);
    message.lines.extend(missing.iter().map(|missing| obstacle(missing, now)));
    message.lines.push(link_line(address));
    message.lines.push(passcode_line(command_word));
    message.lines.push(match kept {
        Some(command) => kept_line(command, SignIn::keeps_until(now), now),
        None => vec![text("Then ask again.")],
    });
    message
}

/// Logins are linked, and cannot be used for the moment.
pub fn logins_away(error: &PortError) -> Message {
    private(Tone::Bad, vec![text(format!("Your login could not be renewed: {}. It stays linked.", who_does_what(error)))])
        .line(sentence("Nothing was done. Try again in a moment. (login-away)"))
}

/// Logins are linked, and cannot be opened here.
pub fn logins_locked(command_word: &str) -> Message {
    private(Tone::Bad, vec![text("Your logins are kept here sealed, and cannot be opened. Nothing was done. (login-locked)")]).line(vec![
        text("Whoever runs this installation can put the lost key back into its settings. Or link your logins again: "),
        code(typed(command_word, "login")),
    ])
}

/// There is nothing to link: the settings name the one person.
pub fn nobody_signs_in() -> Message {
    let headline = "This installation works for one person, with tokens from its settings: nobody signs in here. (no-sign-in)";
    private(Tone::Info, sentence(headline))
}

/// The passcode was right. `before`: what became of the logins that were linked there before.
pub fn now_linked(at: &[Provider], missing: &[Missing], before: &[(Provider, Unlinked)], kept: Option<&Kept>, now: Timestamp) -> Message {
    let mut message = private(Tone::Good, vec![text(format!("Linked: {}.", your_logins(at)))]);
    message.lines.extend(before.iter().map(|(at, before)| replaced(*at, before)));
    message.lines.extend(missing.iter().map(|missing| obstacle(missing, now)));
    message.lines.extend(kept.map(|kept| match kept {
        Kept::Waits { command, .. } => vec![text("Now to what you asked for: "), code(command)],
        Kept::RanOut(command) => ran_out_line(command),
    }));
    message
}

/// What became of a login in whose place another was linked.
fn replaced(at: Provider, became: &Unlinked) -> Line {
    let at = name(at);
    match became {
        Unlinked::Revoked => vec![text(format!("{at}: what was linked before was ended there."))],
        Unlinked::OnlyByHand { page } => vec![
            text(format!("{at}: what was linked before is forgotten here, and we may not end it there. Until you do, it stays: ")),
            link("end the older one there", page),
        ],
        Unlinked::Unclear { page } => vec![
            text(format!("{at}: what was linked before could not be ended there yet; it is tried again for a day. ")),
            link("Look there, and end the older one", page),
        ],
        Unlinked::WithAnother => vec![text(format!("{at}: what was linked before hangs on the same consent, and ends with it."))],
    }
}

/// The passcode was wrong.
pub fn wrong_passcode(tries_left: u8, command_word: &str) -> Message {
    let again = || vec![text("A new link: "), code(typed(command_word, "login"))];
    match tries_left {
        0 => private(
            Tone::Bad,
            sentence("That is not the passcode, once too often. Nothing was linked, and the link is dead. (wrong-passcode)"),
        )
        .line(again()),
        1 => private(Tone::Bad, sentence("That is not the passcode that your browser shows. One more try. (wrong-passcode)")),
        more => {
            private(Tone::Bad, sentence(&format!("That is not the passcode that your browser shows. {more} more tries. (wrong-passcode)")))
        }
    }
}

/// Nothing waits for a passcode.
pub fn no_passcode_wanted(command_word: &str) -> Message {
    private(Tone::Bad, sentence("No sign-in of yours waits for a passcode: it ran out, is over, or is not done yet. (no-passcode-wanted)"))
        .line(vec![text("A passcode belongs to the person whose link it was. A new link: "), code(typed(command_word, "login"))])
}

/// The passcode is gone with the process that had it.
pub fn passcode_lost() -> Message {
    private(Tone::Attention, sentence("I was restarted before I could look at that passcode. Type it once more. (passcode-lost)"))
}

/// Nothing was linked.
pub fn nothing_to_unlink(command_word: &str) -> Message {
    private(Tone::Info, vec![text("You have no login linked here. To link: "), code(typed(command_word, "login"))])
}

/// What became of the logins, and of what goes on.
pub fn logged_out(became: &BTreeMap<Provider, Unlinked>, going: &[Deployment], command_word: &str, now: Timestamp) -> Message {
    let mut message = private(Tone::Good, sentence("You are logged out: none of your tokens is kept here any more."));
    for (at, became) in became {
        let at = name(*at);
        message.lines.push(match became {
            Unlinked::Revoked => vec![text(format!("{at}: ended there as well, the tokens are worth nothing any more."))],
            Unlinked::OnlyByHand { page } => vec![
                text(format!("{at}: what we held does not allow us to end it there. Until you do, it stays: ")),
                link("end it there", page),
            ],
            Unlinked::Unclear { page } => {
                vec![text(format!("{at}: whether it was ended there is not known. ")), link("Look there, and end it", page)]
            }
            Unlinked::WithAnother => {
                vec![text(format!(
                    "{at}: forgotten here; it hangs on the same consent as another login that is linked here, and ends with it."
                ))]
            }
        });
    }
    message.lines.extend(going.iter().map(|deployment| left_alone(deployment, now)));
    if going.iter().any(|deployment| goes_on(deployment, now)) {
        message = message.line(vec![text("To see that after all, log in again within a day: "), code(typed(command_word, "login"))]);
    }
    message
}

fn goes_on(deployment: &Deployment, now: Timestamp) -> bool {
    !matches!(deployment.after(Outcome::SignInLost, now).map(|next| next.phase), Some(Phase::Failed { .. }))
}

/// What happens to a deploy whose asker has logged out.
fn left_alone(deployment: &Deployment, now: Timestamp) -> Line {
    let mut line = vec![text("Your deploy of ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" to "), code(&deployment.target.app_name)]);
    line.push(text(if goes_on(deployment, now) {
        format!(" goes on at {} and keeps the app; how it ends cannot be seen from here.", name(Provider::Platform))
    } else {
        " has not begun there, and does not begin any more.".to_owned()
    }));
    line
}

/// A login as its owner is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginView {
    /// Where.
    pub at: Provider,
    /// Its name there; `None`: it cannot be asked for at this moment.
    pub name: Option<String>,
}

/// Who somebody is here.
pub fn who_you_are(
    account: &Account,
    logins: &[LoginView],
    missing: &[Missing],
    mute: Option<&Mute>,
    command_word: &str,
    now: Timestamp,
) -> Message {
    let person = &account.person;
    let headline = vec![text("You are "), code(&person.user), text(" of the workspace "), code(&person.workspace), text(".")];
    let mut message = private(Tone::Info, headline);
    for view in logins {
        let Some(login) = account.logins.get(&view.at).filter(|login| login.standing == Standing::Good) else { continue };
        let mut line = vec![text(format!("{}: ", name(view.at)))];
        line.push(match &view.name {
            Some(name) => strong(name.clone()),
            None => text("its name cannot be asked for at this moment"),
        });
        line.extend([text(", linked "), moment(login.linked_at, now)]);
        if !login.scopes.is_empty() {
            line.push(text(", may "));
            let mut scopes = super::refusals::listed(&login.scopes);
            line.append(&mut scopes);
        }
        line.push(text("; "));
        line.extend(life(&login.life, now));
        line.push(text("."));
        message.lines.push(line);
    }
    message.lines.extend(missing.iter().map(|missing| obstacle(missing, now)));
    message.lines.extend(mute.map(|mute| mute_line(mute, command_word, now)));
    if missing.is_empty() {
        message.line(vec![text("To unlink: "), code(typed(command_word, "logout"))])
    } else {
        message.line(vec![text("To link: "), code(typed(command_word, "login"))])
    }
}

/// Who the one person is.
pub fn you_are_the_one(person: &crate::domain::actor::Person, mute: Option<&Mute>, command_word: &str, now: Timestamp) -> Message {
    let headline = vec![text("You are "), code(&person.user), text(" of the workspace "), code(&person.workspace), text(".")];
    let mut message = private(Tone::Info, headline).line(sentence("This installation works for you alone, with tokens from its settings."));
    message.lines.extend(mute.map(|mute| mute_line(mute, command_word, now)));
    message
}

fn life(life: &Life, now: Timestamp) -> Line {
    match life {
        Life::Open => vec![text("holds until it is withdrawn")],
        Life::Fixed { until } => vec![text("ends "), moment(*until, now)],
        Life::Renewable { until, renewable_until } => {
            let mut line = vec![text("renewed by itself, the next time before "), moment(*until, now)];
            line.extend(renewable_until.iter().flat_map(|end| [text(", and used at least once until "), moment(*end, now)]));
            line
        }
    }
}
