//! Forms, and what we say beside them.

use crate::domain::deployment::Deployment;
use crate::domain::form::{Change, Checks, Draft, Entry, Field, FieldName, Form, Reasoned, Suggestion, Topic, Turn};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::{PipelineName, RefName, RepoName};
use crate::domain::pipeline::{App, NoPipeline, PipelineKey, default_environment, inhabited};
use crate::domain::source::OpenPull;

use super::card::{commit, noun};
use super::help::typed;
use super::services::HEROKU;
use super::words::cut;

/// The longest that a code may be typed as: that of a security key, with some room for blanks.
const CODE: u16 = 64;

/// Under a question for a code: the way to the form.
pub fn enter_code(message: Message, deployment: &Deployment) -> Message {
    message.button("Enter the code", Act::EnterCode(deployment.id), ButtonStyle::Primary)
}

/// The form that asks for the code of a deployment.
pub fn code_form(deployment: &Deployment) -> Form {
    let mut wants = vec![code(&deployment.target.app_name), text(" wants a one-time code before ")];
    wants.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    wants.push(text(" can go out."));
    Form {
        topic: Topic::Code(deployment.id),
        title: "One-time code".to_owned(),
        lines: vec![wants],
        fields: vec![Field {
            name: FieldName::Code,
            label: "Code".to_owned(),
            hint: format!("6 to 8 digits, or a touch of your security key. It goes straight to {HEROKU} and is kept nowhere."),
            entry: Entry::Secret { longest: CODE },
            optional: false,
            given: None,
        }],
        submit: "Hand over".to_owned(),
    }
}

/// The form that asks why somebody frees an app, or stops what somebody else has begun.
pub fn why_form(deployment: &Deployment, what: Reasoned) -> Form {
    let mut line = vec![text(format!("The {} of ", noun(deployment)))];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" to "), code(&deployment.target.app_name)]);
    let (title, submit) = match what {
        Reasoned::Free(_) => {
            line.push(text(": nobody knows how it ended. Freeing the app lets the next one start although this one may still run."));
            ("Free the app?", "Free it")
        }
        Reasoned::Stop(_) => {
            line.extend([text(" is "), Span::Person(deployment.origin.person.clone()), text("'s, who is told that you stopped it.")]);
            ("Stop it?", "Stop it")
        }
    };
    Form {
        topic: Topic::Why(what),
        title: title.to_owned(),
        lines: vec![line],
        fields: vec![Field {
            name: FieldName::Because,
            label: "Reason".to_owned(),
            hint: "Stands on the card and in the history, for everybody.".to_owned(),
            entry: Entry::Words { longest: 200 },
            optional: false,
            given: None,
        }],
        submit: submit.to_owned(),
    }
}

/// What wants a reason, and how it is typed with one.
pub fn say_why(deployment: &Deployment, what: Reasoned, command_word: &str) -> Message {
    let mut headline = vec![text(format!("The {} of ", noun(deployment)))];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.extend([text(" to "), code(&deployment.target.app_name)]);
    let verb = match what {
        Reasoned::Free(_) => {
            headline.push(text(": say why you free its app. Nothing was done. (no-reason)"));
            "free"
        }
        Reasoned::Stop(_) => {
            let asker = Span::Person(deployment.origin.person.clone());
            headline.extend([text(" is "), asker, text("'s: say why you stop it. Nothing was done. (no-reason)")]);
            "cancel"
        }
    };
    let target = &deployment.target;
    let words = format!("{verb} {} in {}/{} because …", target.pipeline_name, target.environment, target.app_name);
    Message::new(Tone::Bad, Audience::Asker, headline).line(vec![text("The reason goes on record: "), code(typed(command_word, &words))])
}

/// What is known of a pipeline that something ships from, while the form about it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownOfPipeline {
    /// The branch that is meant where none is named.
    pub default_branch: Option<RefName>,
    /// Its apps.
    pub apps: Vec<App>,
}

/// The form that asks for the pipeline to ship from.
pub fn ship_form(draft: &Draft, command_word: &str) -> Form {
    let mut lines: Vec<Line> = what_ships(draft).into_iter().chain(looked(draft)).collect();
    lines.push(vec![
        text("The same can be typed: "),
        code(typed(command_word, "deploy PIPELINE/REF to ENV")),
        text(". All commands: "),
        code(typed(command_word, "help")),
    ]);
    Form {
        topic: Topic::Ship(draft.clone()),
        title: "Ship".to_owned(),
        lines,
        fields: vec![Field {
            name: FieldName::Pipeline,
            label: "Pipeline".to_owned(),
            hint: "Some letters of its name.".to_owned(),
            entry: Entry::Sought,
            optional: false,
            given: None,
        }],
        submit: "Go on".to_owned(),
    }
}

/// What looking for something to ship in somebody's words came to, where it is not one thing.
fn looked(draft: &Draft) -> Option<Line> {
    let found = draft.found.as_ref()?;
    let (first, others) = match found.as_slice() {
        [] => {
            let words = "In that message there is no commit, no #123 and no link to one. You can say in the next step what ships.";
            return Some(vec![text(words)]);
        }
        [_] => return None,
        [first, others @ ..] => (first, others),
    };
    let name = |change: &Change| {
        let of = change.of.as_ref().map(|of| text(format!(" of {of}")));
        [code(&change.what)].into_iter().chain(of)
    };
    let mut line = vec![text("Several are named in that message: ")];
    line.extend(name(first));
    for other in others {
        line.push(text(", "));
        line.extend(name(other));
    }
    line.push(text(". You can say in the next step which of them ships."));
    Some(line)
}

fn what_ships(draft: &Draft) -> Option<Line> {
    let mut line = vec![text("Ships "), code(draft.what.as_ref()?)];
    line.extend(draft.of.iter().flat_map(|of| [text(" of "), code(of)]));
    line.push(text("."));
    Some(line)
}

/// The form that asks for what ships from a pipeline, where to, and why.
pub fn ship_from_form(pipeline: &PipelineKey, draft: &Draft, known: &KnownOfPipeline) -> Form {
    let field = |name, label: &str, hint: String, entry| Field { name, label: label.to_owned(), hint, entry, optional: true, given: None };
    let default = known.default_branch.as_ref().map_or_else(|| "the default branch".to_owned(), ToString::to_string);
    let mut reference = field(
        FieldName::Ref,
        "Branch, tag, commit or pull request",
        format!("Some letters of it, or #123. Left empty: {default}."),
        Entry::Sought,
    );
    reference.given = draft.what.as_ref().map(|what| Suggestion::plain(what.to_string()));
    let places = places(&known.apps);
    let mut place = field(
        FieldName::Place,
        "Environment",
        "Left empty: staging where it exists, never production.".to_owned(),
        if places.is_empty() { Entry::Words { longest: 100 } } else { Entry::OneOf(places.clone()) },
    );
    // Where it is only one that can be meant.
    let meant = default_environment(&known.apps).map(|environment| environment.word());
    place.given = places.into_iter().find(|one| Some(one.value.as_str()) == meant);
    let choices = Checks::ALL.map(about_checks);
    let mut checks = field(
        FieldName::Checks,
        "Checks",
        "What happens where they are not green. Not everybody may ship all the same, and it takes a reason.".to_owned(),
        Entry::OneOf(choices.to_vec()),
    );
    checks.given = Some(about_checks(Checks::Heeded));
    let choices = Turn::ALL.map(about_turn);
    let mut turn = field(
        FieldName::Turn,
        "When others are first",
        "Whoever is asked has ten minutes to answer; the app is kept for that long.".to_owned(),
        Entry::OneOf(choices.to_vec()),
    );
    turn.given = Some(about_turn(Turn::Ships));
    let because = field(FieldName::Because, "Reason", "Stands on the card, for everybody.".to_owned(), Entry::Words { longest: 200 });
    let hint = format!("Only where the app wants one. It goes straight to {HEROKU} and is kept nowhere.");
    let secret = field(FieldName::Code, "One-time code", hint, Entry::Secret { longest: CODE });
    Form {
        topic: Topic::ShipFrom { pipeline: pipeline.clone(), draft: draft.clone() },
        title: "Ship".to_owned(),
        lines: vec![vec![text("From "), code(pipeline), text(".")]],
        fields: vec![reference, place, checks, turn, because, secret],
        submit: "Ship".to_owned(),
    }
}

fn about_checks(checks: Checks) -> Suggestion {
    let label = match checks {
        Checks::Heeded => "Ship only if they are green now",
        Checks::Awaited => "Wait until they are done, ship when green",
        Checks::Passed => "Ship although they are not green",
    };
    Suggestion { label: label.to_owned(), value: checks.as_str().to_owned() }
}

fn about_turn(turn: Turn) -> Suggestion {
    let label = match turn {
        Turn::Ships => "Ship as soon as it is my turn",
        Turn::Asks => "Ask me when it is my turn",
    };
    Suggestion { label: label.to_owned(), value: turn.as_str().to_owned() }
}

/// A pull request as it is chosen: by its number, its title or its branch.
pub fn pull_to_choose(pull: &OpenPull) -> String {
    format!("#{} {} ({})", pull.number, cut(&pull.title, 40), cut(&pull.branch, 25))
}

/// Where apps stand, as somebody would type it.
fn places(apps: &[App]) -> Vec<Suggestion> {
    let mut places = Vec::new();
    for environment in inhabited(apps) {
        let there: Vec<&App> = apps.iter().filter(|app| app.environment == environment).collect();
        match there.as_slice() {
            [only] => places.push(Suggestion { label: format!("{environment} ({})", only.name), value: environment.to_string() }),
            several => places.extend(several.iter().map(|app| Suggestion::plain(format!("{environment}/{}", app.name)))),
        }
    }
    places
}

/// The form for something to ship could not be brought up in time.
pub fn ship_form_too_late(command_word: &str) -> Message {
    let headline =
        vec![text("The form could not be opened in time: there are three seconds for it. If you see none, ask again. (form-too-late)")];
    Message::new(Tone::Attention, Audience::Asker, headline)
        .line(vec![text("Without a form: "), code(typed(command_word, "deploy PIPELINE/REF to ENV"))])
}

/// What was put in for a pipeline is none.
pub fn no_pipeline_shape() -> &'static str {
    "This is not shaped like the name of a pipeline: up to 64 of a-z, 0-9, `-`, `_`, `.`"
}

/// What was put in for something to ship is nothing that can.
pub fn no_ref_shape() -> &'static str {
    "This is no branch, tag, commit or `#123`: one word, as it would be typed behind the pipeline."
}

/// What was put in for a place is none.
pub fn no_place_shape() -> &'static str {
    "This is no environment: review, development, staging or production, with an app behind a slash where there are several."
}

/// What was chosen is nothing that can be.
pub fn no_choice() -> &'static str {
    "Choose one of those offered."
}

/// Whoever ships although checks are not green says why.
pub fn reason_to_pass_checks() -> &'static str {
    "Say why it ships although checks are not green: it stands on the card."
}

/// What was put in for a reason is none.
pub fn no_reason_shape() -> &'static str {
    "This is no reason: up to 200 characters on one line, and more than dots."
}

/// A field holds what looks like a code, and is not the field for it.
pub fn code_in_another_field() -> &'static str {
    "This looks like a one-time code, which has a field of its own. Nothing of it was kept."
}

/// A pipeline that was chosen is not there.
pub fn no_such_pipeline(key: &PipelineKey, no: &NoPipeline) -> String {
    match no {
        NoPipeline::Unknown { nearest: Some(nearest) } => format!("There is no pipeline {key} that you can see. Did you mean {nearest}?"),
        NoPipeline::Unknown { nearest: None } => format!("There is no pipeline {key} that you can see."),
        NoPipeline::Several(_) => format!("Several pipelines are called {key}: choose one of the list."),
    }
}

/// What is to ship belongs to another repository than the pipeline's.
pub fn of_another_repository(name: &PipelineName, ships: Option<&RepoName>, of: &RepoName) -> String {
    match ships {
        Some(ships) => format!("{name} ships {ships}, and what you chose belongs to {of}."),
        None => format!("{name} is linked to no repository, and what you chose belongs to {of}."),
    }
}

/// What a form goes on with could not be found out.
pub fn not_found_out() -> &'static str {
    "What there is in that pipeline could not be found out in time. Please send this again."
}

/// What was put in for a code is none.
pub fn no_code_shape() -> &'static str {
    "This is not shaped like a one-time code: 6 to 8 digits, or the 32 to 48 letters that a security key types."
}

/// A form could not be put on disk, so nothing was done.
pub fn form_not_kept() -> &'static str {
    "This could not be put on disk, so nothing was done. Please send it again in a moment."
}

/// A form comes too late, or cannot be told to have come.
pub fn form_too_late(deployment: &Deployment) -> Message {
    let headline =
        vec![text("The form could not be opened in time: there are three seconds for it. If you see none, press again. (form-too-late)")];
    enter_code(Message::new(Tone::Attention, Audience::Asker, headline), deployment)
}

/// A deployment does not wait for a code, or not any more.
pub fn no_code_wanted(deployment: &Deployment, came_with_code: bool) -> Message {
    let mut headline = vec![text("The deploy of ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.extend([text(" to "), code(&deployment.target.app_name), text(" waits for no code. (no-code-wanted)")]);
    let message = Message::new(Tone::Info, Audience::Asker, headline);
    if came_with_code { message.line(vec![text(format!("Yours was not given to {HEROKU} and not kept."))]) } else { message }
}

/// A deployment waits for the code of somebody else.
pub fn not_your_code(deployment: &Deployment) -> Message {
    let asker = Span::Person(deployment.origin.person.clone());
    let headline =
        vec![text("That deploy waits for a code of "), asker, text(", who asked for it, and takes nobody else's. (not-your-code)")];
    Message::new(Tone::Bad, Audience::Asker, headline)
}

/// A code that was typed behind a command was taken, and the card tells the rest.
pub fn code_spent() -> Message {
    Message::new(Tone::Good, Audience::Asker, vec![text(format!("{HEROKU} accepted the code. It is spent, and was kept nowhere."))])
}

/// Whoever types codes behind commands is told of the better way.
pub fn better_by_form() -> Line {
    vec![text("Better leave the code out of the command: a deploy that wants one then offers a form, which nobody but you sees.")]
}
