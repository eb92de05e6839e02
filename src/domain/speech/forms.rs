//! Forms, and what we say beside them.

use crate::domain::deployment::Deployment;
use crate::domain::form::{Entry, Field, FieldName, Form, Topic};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};

use super::card::commit;
use super::services::HEROKU;

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
        }],
        submit: "Hand over".to_owned(),
    }
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
