//! The one table of commands: parser, help, README and chat manifests are made from it.

use super::Verb;
use crate::domain::account::Provider;

/// Which of a person's accounts a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// None: anybody may ask.
    Nothing,
    /// One at the source control and one at the platform.
    BothAccounts,
}

impl Needs {
    /// The services at which it needs a login.
    pub fn providers(self) -> &'static [Provider] {
        match self {
            Self::Nothing => &[],
            Self::BothAccounts => &Provider::ALL,
        }
    }
}

/// One command, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// What it does.
    pub verb: Verb,
    /// The first words that are understood as it, lower case, the one to print first. A word that ends in `!` passes checks.
    pub words: &'static [&'static str],
    /// How it is typed: capitals stand for what the person fills in, brackets for what may be left out.
    pub usage: &'static str,
    /// What it does, as one sentence.
    pub summary: &'static str,
    /// One line that works as it stands.
    pub example: &'static str,
    /// What it needs to know about the person.
    pub needs: Needs,
}

const HELP: CommandRow = CommandRow {
    verb: Verb::Help,
    words: &["help", "?"],
    usage: "help [COMMAND]",
    summary: "Shows how commands are typed, with one example each.",
    example: "help deploy",
    needs: Needs::Nothing,
};

/// All commands, in the order in which people are shown them.
pub const COMMANDS: &[CommandRow] = &[
    HELP,
    CommandRow {
        verb: Verb::Login,
        words: &["login", "signin"],
        usage: "login [PASSCODE]",
        summary: "Gives you a private link to sign in; with the passcode that your browser shows in the end, confirms that it was you.",
        example: "login",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Logout,
        words: &["logout", "signout"],
        usage: "logout",
        summary: "Ends what you have allowed when you signed in, and forgets your tokens.",
        example: "logout",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::WhoAmI,
        words: &["whoami"],
        usage: "whoami",
        summary: "Shows who you are here, your logins, what they allow and how long they hold.",
        example: "whoami",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Pipelines,
        words: &["pipelines"],
        usage: "pipelines",
        summary: "Lists the pipelines that you can deploy.",
        example: "pipelines",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Info,
        words: &["info", "pipelines:info", "pipeline"],
        usage: "info PIPELINE",
        summary: "Shows the repository, environments, apps, required checks and lines of a pipeline.",
        example: "info hubot",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Plan,
        words: &["plan"],
        usage: "plan PIPELINE[/REF] [to ENV[/APP]]",
        summary: "Tells what a deploy would do and what would stop it, and touches nothing.",
        example: "plan hubot/main to production",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Deploy,
        words: &["deploy", "deploy!"],
        usage: "deploy[!] PIPELINE[/REF] [to ENV[/APP]] [when green] [ask me] [because WHY] [CODE]",
        summary: "Ships a branch, tag, commit or pull request; with ! also past its checks, which needs a reason; when green waits for them; \
                  ask me asks at your turn in the line.",
        example: "deploy hubot/main to staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Status,
        words: &["status"],
        usage: "status [PIPELINE]",
        summary: "Shows what is running, waiting and unknown, since when and by whom.",
        example: "status hubot",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Queue,
        words: &["queue"],
        usage: "queue PIPELINE [in ENV[/APP]], or queue move PIPELINE[/REF] [in ENV[/APP]] first | last | N",
        summary: "Shows who has an app and who waits for it; changes the order, where you may.",
        example: "queue hubot in staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Leave,
        words: &["leave"],
        usage: "leave [PIPELINE [in ENV[/APP]]]",
        summary: "Steps out of the line that you wait in.",
        example: "leave hubot in staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Cancel,
        words: &["cancel"],
        usage: "cancel PIPELINE [in ENV[/APP]] [because WHY]",
        summary: "Stops what can still be stopped of a deploy, and says what cannot.",
        example: "cancel hubot in staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Free,
        words: &["free"],
        usage: "free PIPELINE [in ENV[/APP]] because WHY",
        summary: "Gives the app of a deploy whose end nobody knows to the next one; its asker may, and whoever may deploy there.",
        example: "free hubot in staging because its page says that it is over",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Releases,
        words: &["releases"],
        usage: "releases PIPELINE [in ENV[/APP]]",
        summary: "Lists the last releases of an app.",
        example: "releases hubot in production",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Where,
        words: &["where"],
        usage: "where PIPELINE[/REF], or where COMMIT, #PR or LINK",
        summary: "Shows which commit runs in each environment and how far apart they are, or where a change is live and what is in its way.",
        example: "where hubot",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Diff,
        words: &["diff"],
        usage: "diff PIPELINE[/REF] [from ENV[/APP]] [to ENV[/APP] or REF]",
        summary: "Lists the commits, authors and pull requests that would ship, and whether that goes back in time or takes something away.",
        example: "diff hubot from production to staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Promote,
        words: &["promote", "promote!"],
        usage: "promote[!] PIPELINE [from ENV[/APP]] [to ENV[/APP | /*]] [because WHY] [CODE]",
        summary: "Takes exactly the release that runs in one place to another, without a new build; with ! also past checks, which needs a reason.",
        example: "promote hubot to production",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Rollback,
        words: &["rollback"],
        usage: "rollback PIPELINE [in ENV[/APP]] [to vN] [because WHY] [CODE]",
        summary: "Shows the releases that one can go back to and what that would change; with vN goes back there.",
        example: "rollback hubot in staging",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Lock,
        words: &["lock"],
        usage: "lock PIPELINE[/BRANCH] [in ENV] [anyway] [for TIME | until TIME] [because WHY]",
        summary: "Holds an environment or a whole pipeline: nobody else deploys there until you free it or its time is over; with BRANCH, \
                  you are asked before you ship anything else there.",
        example: "lock hubot in production until 17:00 Europe/Berlin because of the migration",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Unlock,
        words: &["unlock"],
        usage: "unlock PIPELINE [in ENV] [anyway] [because WHY], or unlock all",
        summary: "Frees what you hold, or with anyway and a reason what somebody else holds, who is told.",
        example: "unlock hubot in production",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Locks,
        words: &["locks"],
        usage: "locks",
        summary: "Shows who holds what, since when, until when and why.",
        example: "locks",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Mute,
        words: &["mute"],
        usage: "mute [for TIME | until TIME]",
        summary: "Spares you the news of your deploys and locks for a while; what you have to act on is told all the same.",
        example: "mute for 2h",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Unmute,
        words: &["unmute"],
        usage: "unmute",
        summary: "Has you told the news of your deploys and locks again.",
        example: "unmute",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Route,
        words: &["route"],
        usage: "route PIPELINE to #CHANNEL [only failures] [only ENV …]",
        summary: "Has a conversation told how deploys of a pipeline end, after a test that it can be.",
        example: "route hubot to #C024BE91L only failures only production",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Routes,
        words: &["routes"],
        usage: "routes",
        summary: "Shows which conversations are told of which pipelines, and who has set that.",
        example: "routes",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Unroute,
        words: &["unroute"],
        usage: "unroute PIPELINE [from #CHANNEL]",
        summary: "Has a conversation told of a pipeline no more.",
        example: "unroute hubot",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::History,
        words: &["history"],
        usage: "history [PIPELINE] [before DAY]",
        summary: "Lists the last deploys of a pipeline, or what was overridden, stopped, freed and changed anywhere, by whom and why.",
        example: "history hubot",
        needs: Needs::BothAccounts,
    },
    CommandRow {
        verb: Verb::Rules,
        words: &["rules"],
        usage: "rules [WHAT WHO because WHY | reset WHAT because WHY]",
        summary: "Shows who may do what in this workspace; admins change it.",
        example: "rules deploy to production only @ana because the launch is near",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Privacy,
        words: &["privacy"],
        usage: "privacy [export | delete]",
        summary: "Shows what is kept about you, hands you all of it, or removes it.",
        example: "privacy",
        needs: Needs::Nothing,
    },
    CommandRow {
        verb: Verb::Doctor,
        words: &["doctor"],
        usage: "doctor",
        summary: "Looks over this installation from where you stand, and says how to mend what is wrong.",
        example: "doctor",
        needs: Needs::Nothing,
    },
];

impl Verb {
    /// Its row in the table.
    pub fn row(self) -> &'static CommandRow {
        COMMANDS.iter().find(|row| row.verb == self).unwrap_or(&HELP)
    }

    /// The word that it is printed as, without `!`.
    pub fn word(self) -> &'static str {
        self.row().words.first().copied().unwrap_or("help")
    }

    /// The verb that a lower-case first word stands for, aliases included.
    pub fn from_word(word: &str) -> Option<Self> {
        COMMANDS.iter().find(|row| row.words.contains(&word)).map(|row| row.verb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::parse::{parse, split_code};

    #[test]
    fn every_verb_has_one_row_and_every_word_one_verb() {
        use Verb::{
            Cancel, Deploy, Diff, Doctor, Free, Help, History, Info, Leave, Lock, Locks, Login, Logout, Mute, Pipelines, Plan, Privacy,
            Promote, Queue, Releases, Rollback, Route, Routes, Rules, Status, Unlock, Unmute, Unroute, Where, WhoAmI,
        };
        let all = [
            Help, Login, Logout, WhoAmI, Pipelines, Info, Plan, Deploy, Status, Queue, Leave, Cancel, Free, Releases, Where, Diff, Promote,
            Rollback, Lock, Unlock, Locks, Mute, Unmute, Route, Routes, Unroute, History, Rules, Privacy, Doctor,
        ];
        assert_eq!(COMMANDS.len(), all.len());
        for verb in all {
            assert_eq!(verb.row().verb, verb, "{verb:?} has no row");
        }
        let mut words: Vec<_> = COMMANDS.iter().flat_map(|row| row.words).collect();
        let many = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), many, "a word stands for two verbs");
    }

    #[test]
    fn every_example_works_as_it_stands() {
        for row in COMMANDS {
            assert_eq!(parse(row.example).map(|command| command.verb()), Ok(row.verb), "{}", row.example);
            assert_eq!(split_code(row.example).1, None);
            assert!(row.usage.starts_with(row.verb.word()));
            assert!(row.summary.ends_with('.') && !row.summary.contains('`'));
        }
    }
}
