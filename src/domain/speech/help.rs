//! How commands are typed.

use crate::domain::command::{COMMANDS, CommandRow, Verb};
use crate::domain::message::{Audience, Line, Message, Tone, code, strong, text};

use super::words::sentence;

/// How well this installation knows somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Their logins are there.
    Linked,
    /// Their logins are missing, and can be linked.
    MayLink,
    /// It works for somebody else.
    Stranger,
}

/// Usage and one example: of one command, or of all. `command_word` is what starts a command in the chat, such as `/h`, or
/// nothing. `known`: whether this installation can do anything for the person who asks.
pub fn help(about: Option<Verb>, command_word: &str, known: Known) -> Message {
    let mut message = match about {
        None => overview(command_word),
        Some(verb) => explanation(verb, command_word),
    };
    match known {
        Known::Linked => {}
        Known::MayLink => message
            .lines
            .push(vec![text("To do anything else for you, I need your logins. Link them: "), code(typed(command_word, "login"))]),
        Known::Stranger => message.lines.push(sentence(
            "This installation does not know you yet, so it can do nothing else for you. Whoever runs it can add you in its settings.",
        )),
    }
    message
}

/// A command as it is typed in the chat.
pub(super) fn typed(command_word: &str, command: &str) -> String {
    format!("{command_word} {command}").trim().to_owned()
}

fn private(headline: Line) -> Message {
    Message::new(Tone::Info, Audience::Asker, headline)
}

fn overview(command_word: &str) -> Message {
    let headline = vec![text("Ship code from chat. "), code(typed(command_word, "help COMMAND")), text(" tells more about one command.")];
    let mut message = private(headline);
    for row in COMMANDS {
        message.lines.push(vec![
            code(typed(command_word, row.usage)),
            text(format!(" {} Example: ", row.summary)),
            code(typed(command_word, row.example)),
        ]);
    }
    message
}

fn explanation(verb: Verb, command_word: &str) -> Message {
    let row = verb.row();
    let mut message = private(vec![strong(verb.word()), text(": "), text(row.summary)])
        .line(vec![text("Usage: "), code(typed(command_word, row.usage))])
        .line(vec![text("Example: "), code(typed(command_word, row.example))]);
    message.lines.extend(other_words(row));
    message.lines.extend(notes(verb).iter().map(|note| sentence(note)));
    message
}

fn other_words(row: &CommandRow) -> Option<Line> {
    let mut line = vec![text("Also: ")];
    for word in row.words.iter().skip(1).filter(|word| !word.ends_with('!')) {
        if line.len() > 1 {
            line.push(text(", "));
        }
        line.push(code(word));
    }
    (line.len() > 1).then_some(line)
}

const REF: &str = "REF is a branch, a tag, a commit or a pull request (`hubot#123`). Without it: the head of the default branch.";
const ENV: &str = "ENV is `review`, `development`, `staging` or `production` (also `dev`, `stg`, `prod`). \
    Without it: staging where it exists, never production.";
const EVERYWHERE: &str = "Without ENV: every app of the pipeline that you can see.";
const APP: &str = "Name the APP where an environment has several: `production/hubot-eu`.";

fn notes(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Plan => &[REF, ENV, APP],
        Verb::Deploy => &[
            REF,
            ENV,
            APP,
            "`deploy!` passes failed, pending and missing checks, and nothing else. It needs `because WHY`, which everybody can read.",
            "CODE is a one-time code, for apps that ask for one: the last word. It is spent at once, never stored and never shown. \
             Put a reason that ends in such a number in quotes.",
        ],
        Verb::Cancel => &[
            EVERYWHERE,
            "Where several deploys fit, each gets a button.",
            "What waits or builds can be stopped. A release that has begun cannot. Of a deploy whose end is unknown, `free` gives the app away.",
            "Whoever stops somebody else's deploy says why.",
        ],
        Verb::Free => &[
            EVERYWHERE,
            "Look at the pages of the build, the release and the app first: what goes on there goes on. `cancel` links to them.",
            "Who freed what, when and why is on record: `history` lists it.",
        ],
        Verb::Queue => &[EVERYWHERE],
        Verb::Releases => &[ENV, APP],
        Verb::Where => &[
            "How far apart two commits are is told by their ancestry, never by their times.",
            "A COMMIT, a pull request or a LINK alone is looked for in the repositories of all your pipelines.",
        ],
        Verb::Diff => &[
            "It compares what runs in one place with what runs in another, or with REF. Without `to`: the head of the default branch.",
            "Without `from`: staging where it exists; where `to` is an environment, the one after it.",
            APP,
        ],
        Verb::Promote => &[
            "Without `from`: the last environment before the target. Without `to`: the next environment after that.",
            "The release is named by its id: what is released there meanwhile does not slip in. Checks and locks count as for a deploy.",
            "`to production/*` takes it to every app there: all of them may, or none is touched. You hear once how all of them ended.",
            APP,
        ],
        Verb::Rollback => &[
            "Without `to vN`: the last releases that succeeded and served, and what going back to each would change. Nothing is touched.",
            "It makes a new release with the code and the config of vN. Afterwards you hold the environment, so that nobody ships over it unawares.",
            ENV,
            APP,
        ],
        Verb::Lock => &[
            "Without `in ENV`: the whole pipeline. What has begun goes on, and whoever waits in line is refused when their turn comes.",
            "TIME is as `30m`, `2h` or `1h30m`, or, behind `until`, as `17:00` or `2026-12-01 17:00`, which is UTC unless a zone follows. \
             You are reminded before it ends, with a button to prolong.",
            "On a lock of yours it changes what you say and leaves the rest. On somebody else's it tells you who holds it and why; `anyway` with a \
             reason takes it over, and they are told.",
            "Your own deploys go out under your lock, everybody else's do not, and no `!` passes it.",
        ],
        Verb::Unlock => &[
            "Without `in ENV`: whatever you hold in the pipeline. `anyway` with a reason frees what somebody else holds, and they are told.",
        ],
        Verb::Route => &[
            "Told is how a deploy ends, once, and that nobody knows how it stands. Where the card stands, the card says it. Without `only`: of every deploy.",
            "A message is sent there first: where none goes through, nothing is set. Conversations that are shared with another company are only told \
             where the rules let its people in.",
            "Whoever may deploy to the environments that are told may set it, and so may admins. On a conversation that is told already it changes what is told.",
        ],
        Verb::Unroute => &["Whoever has set a route may take it away, and so may whoever may set it. Without `from`: the only one."],
        Verb::Mute => &[
            "Without a time: until you take it back. TIME is as for `lock`.",
            "Not told meanwhile: how your deploys end, which their cards show all the same, that your turn came, and reminders and ends of your \
             locks. What others do to what is yours is told all the same, and so is what waits for you to act. `whoami` shows it.",
        ],
        Verb::History => &[
            "Without PIPELINE: of all pipelines that you can see, what was done past checks, or to what is somebody else's, and changes of rules and of where notices go.",
            "*Older* shows what came before, as far back as it is kept: 24 months. DAY is as `2026-12-01` and begins in UTC.",
        ],
        Verb::Rules => &[
            "WHAT is `use`, `deploy to ENV`, `override`, `channels`, `guests` or `outsiders`.",
            "WHO is `everyone`, `nobody`, or people and groups: `only @ana @crew`. For channels: `everywhere` or `only #deploys`. \
             For guests and outsiders, the people of other companies: `yes` or `no`.",
            "`rules reset deploy to production because …` takes a rule away. Every change is on record with its reason, and its answer has a button that takes it back.",
            "Rules hold beside what everybody's own logins let them do, and never give more. They hold when something is asked, when a button is \
             pressed, and once more when a deploy that waited begins.",
            "Admins and owners of the workspace can always change the rules, whatever these say, in every conversation.",
        ],
        Verb::Leave => &["Without PIPELINE: whatever line you wait in. Where you wait in several, each gets a button."],
        Verb::Login => &[
            "The link is for you only, opens once and soon runs out. It leads to both services, in whichever order you like.",
            "PASSCODE is what your browser shows at the end. Nothing is linked before you type it.",
            "A command that needs a login which is missing gives you such a link by itself, and runs once you have typed the passcode.",
        ],
        Verb::Logout => &["What you have running goes on outside, and cannot be followed from here any more."],
        Verb::Doctor => &["What cannot be reached is told, and stops nothing. Five pipelines are looked at: `info` tells of the others."],
        Verb::WhoAmI | Verb::Help | Verb::Pipelines | Verb::Info | Verb::Status | Verb::Locks | Verb::Unmute | Verb::Routes => &[],
        Verb::Privacy => &[
            "`privacy export` gives you a private link to all of it, which works once. `privacy delete` asks once more.",
            "What of you stands in the record of past deploys is replaced by a name that stands for nobody.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::speech::testing::plain;

    #[test]
    fn every_command_has_its_usage_and_example() {
        let all = plain(&help(None, "/h", Known::Linked));
        for row in COMMANDS {
            assert!(all.contains(&format!("/h {}", row.usage)) && all.contains(&format!("/h {}", row.example)), "{}", row.usage);
            let one = help(Some(row.verb), "/h", Known::Linked);
            assert!(plain(&one).contains(&format!("Usage: /h {}", row.usage)));
            assert_eq!(one.audience, Audience::Asker);
        }
        assert!(!all.contains("does not know you") && !all.contains("Link them"));
    }

    #[test]
    fn strangers_are_told_so() {
        assert!(plain(&help(None, "/h", Known::Stranger)).contains("does not know you yet"));
        assert!(plain(&help(None, "/h", Known::MayLink)).ends_with("Link them: /h login"));
        assert!(plain(&help(Some(Verb::Deploy), "", Known::Stranger)).contains("Usage: deploy[!]"));
    }
}
