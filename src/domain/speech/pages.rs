//! What the pages say on which people link their logins in a browser.

pub mod installing;

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::fault::PortError;
use crate::domain::message::{Line, code, link, strong, text};
use crate::domain::sign_in::{Dead, End, LINK_LIVES, Leg, View};

use super::accounts::{name, names, reason_of};
use super::help::typed;
use super::refusals::who_does_what;
use super::words::{duration, sentence};

/// Where a button or a link of a page leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Opens the link that this page stands under.
    Open,
    /// Sets out to a service.
    To(Provider),
    /// Takes what a service gave along.
    TakeBack,
    /// The browser is done.
    Done,
    /// Back to the visit. Changes nothing.
    Visit,
    /// Sets out to install the app.
    Install,
    /// Takes what the chat gave along.
    TakeInstalled,
    /// To where installing begins. Changes nothing.
    Installation,
}

/// A button, or a link where it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The words on it.
    pub label: String,
    /// Where it leads.
    pub go: Go,
    /// Whether it is the expected way on.
    pub expected: bool,
}

/// One service on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub title: &'static str,
    /// How it stands.
    pub state: &'static str,
    /// Whether nothing is left to do there.
    pub done: bool,
    /// What is asked for and why, one scope a line.
    pub asks: Vec<Line>,
    /// The way on.
    pub step: Step,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is about: also the title of the browser's window.
    pub title: String,
    /// What it says.
    pub lines: Vec<Line>,
    /// The services.
    pub sections: Vec<Section>,
    /// The ways on.
    pub steps: Vec<Step>,
}

impl Page {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new(), sections: Vec::new(), steps: Vec::new() }
    }

    fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    fn step(mut self, label: impl Into<String>, go: Go, expected: bool) -> Self {
        self.steps.push(Step { label: label.into(), go, expected });
        self
    }
}

fn whose(person: &Person) -> Line {
    vec![
        text("It is for the member "),
        code(&person.user),
        text(" of the workspace "),
        code(&person.workspace),
        text(" and for nobody else."),
    ]
}

/// The page under a link that may be opened.
pub fn start(person: &Person) -> Page {
    Page::new("Link your logins")
        .line(vec![text(format!("With this link you sign in at {}, so that deploys are made with your own rights.", names(Provider::ALL)))])
        .line(whose(person))
        .line(vec![
            strong("Did somebody send you this link? Then close this page. "),
            text("Go on only if you asked for it yourself, in the chat, just now."),
        ])
        .step("Begin", Go::Open, true)
}

/// The visit: what is linked, what is missing, what is asked for.
pub fn visit(view: &View) -> Page {
    let linked: Vec<Provider> = view.legs.iter().filter(|leg| leg.linked).map(|leg| leg.at).collect();
    let missing: Vec<Provider> = view.legs.iter().filter(|leg| !leg.linked && !leg.before).map(|leg| leg.at).collect();
    let mut page = Page::new("Link your logins").line(whose(&view.person));
    page = match (linked.as_slice(), missing.as_slice()) {
        ([], _) => page.line(vec![text("Nothing is linked by this visit yet. Begin with either.")]),
        ([_, ..], []) => page.line(vec![text("Everything is there. One thing is left: the passcode.")]),
        ([_, ..], [_, ..]) => page.line(vec![text(format!(
            "Still missing: {}. You can go on without, and link it another time; commands that need it will ask for it.",
            names(missing.iter().copied())
        ))]),
    };
    page.sections = view.legs.iter().map(|leg| section(leg, missing.first() == Some(&leg.at))).collect();
    if linked.is_empty() { page } else { page.step("Show the passcode", Go::Done, missing.is_empty()) }
}

fn section(leg: &Leg, next: bool) -> Section {
    let title = name(leg.at);
    let (state, label) = match (leg.linked, leg.before) {
        (true, true | false) => ("signed in", format!("Sign in to {title} as somebody else")),
        (false, true) => ("linked before; nothing to do", format!("Sign in to {title} anew")),
        (false, false) => ("missing", format!("Sign in to {title}")),
    };
    let asks = leg.asks.iter().map(|asked| {
        let mut line = match &asked.scope {
            Some(scope) => vec![code(scope)],
            None => vec![text("What our app's own permissions say")],
        };
        let reasons: Vec<&str> = asked.rights.iter().copied().map(reason_of).collect();
        line.push(text(match reasons.as_slice() {
            [] => ": so that the tokens end by themselves, and are renewed while you use them".to_owned(),
            reasons => format!(": {}", reasons.join("; ")),
        }));
        line
    });
    let done = leg.linked || leg.before;
    Section { title, state, done, asks: asks.collect(), step: Step { label, go: Go::To(leg.at), expected: next } }
}

/// A service has sent a person back. `agreed`: it gave a code along.
pub fn back(agreed: bool) -> Page {
    if agreed {
        Page::new("You are back").line(vec![text("You have agreed. Nothing is linked before you go on.")]).step("Go on", Go::TakeBack, true)
    } else {
        Page::new("You are back").line(vec![text("You have not agreed, or it did not work there. Nothing was linked.")]).step(
            "Back to the choice",
            Go::TakeBack,
            true,
        )
    }
}

/// The browser is done: the passcode stands beside this. `missing`: where a login is missing after all.
pub fn passcode(command_word: &str, missing: &[Provider]) -> Page {
    let page = Page::new("One last step, in the chat")
        .line(vec![text("Type this passcode there, so that it is certain that it was you: "), code(typed(command_word, "login PASSCODE"))])
        .line(vec![strong("Tell it nobody. "), text("Nothing is linked before it is typed, and whoever sent you here may want it.")]);
    if missing.is_empty() {
        page
    } else {
        page.line(vec![text(format!("A login at {} will still be missing.", names(missing.iter().copied())))]).step(
            "Back to the choice",
            Go::Visit,
            false,
        )
    }
}

/// The way to a service did not work.
pub fn outside(error: &PortError) -> Page {
    let mut page = Page::new("That did not work").line(vec![text(format!("{}. Nothing was linked.", who_does_what(error)))]);
    if let Some(said) = &error.said {
        page = page.line(vec![text("It said: "), code(said)]);
    }
    if let Some(mend_at) = &error.mend_at {
        page = page.line(vec![link("Mend it there", mend_at), text(", then sign in again.")]);
    }
    page.step("Back to the choice", Go::Visit, true)
}

/// A link or a visit that leads nowhere.
pub fn dead(dead: Dead, command_word: &str) -> Page {
    let (title, why) = match dead {
        Dead::OpenedBefore => (
            "This link was opened before",
            "It opens once. If that was not you, somebody else has it: ask for a new one, which ends whatever was begun by this one.",
        ),
        Dead::RanOut | Dead::Over(End::RanOut) => ("This link has run out", "Nothing was linked by it that was not confirmed in the chat."),
        Dead::Over(End::Confirmed) => ("This is done", "The passcode was typed in the chat, and the logins are linked."),
        Dead::Over(End::Replaced) => ("There is a newer link", "This one ended when the newer one was made. Nothing was linked by it."),
        Dead::Over(End::WrongPasscodes) => ("This is over", "Too many wrong passcodes were typed in the chat. Nothing was linked."),
        Dead::Over(End::GivenUp) => ("This is over", "It was given up. Nothing was linked."),
        Dead::OtherBrowser => ("This is not the browser that opened the link", "Go on in the one that did. Nothing was linked."),
        Dead::NoSuchWay => ("This way back was used before", "Or it was begun somewhere else. Nothing was linked by it now."),
        Dead::NothingLinked => ("Nothing is linked yet", "Sign in first."),
    };
    let page = Page::new(title).line(sentence(why));
    match dead {
        // The visit itself goes on.
        Dead::NoSuchWay | Dead::NothingLinked => page.step("Back to the choice", Go::Visit, true),
        Dead::Over(End::Confirmed) => page,
        Dead::OpenedBefore | Dead::RanOut | Dead::OtherBrowser => page.line(new_link(command_word)),
        Dead::Over(End::Replaced | End::RanOut | End::WrongPasscodes | End::GivenUp) => page.line(new_link(command_word)),
    }
}

/// There is no such link, or no such visit.
pub fn unknown(command_word: &str) -> Page {
    Page::new("There is nothing here")
        .line(vec![text(format!(
            "This link does not exist, or no sign-in is going on in this browser. Links open once, and within {}.",
            duration(LINK_LIVES.as_secs())
        ))])
        .line(new_link(command_word))
}

/// Something went wrong here.
pub fn broken(command_word: &str) -> Page {
    Page::new("Something went wrong in here")
        .line(sentence("It is not your doing, and nothing was linked. The operator's log tells more."))
        .line(new_link(command_word))
}

/// A form that was not sent by one of these pages.
pub fn foreign() -> Page {
    Page::new("This did not come from here").line(sentence("The button that was pressed is not on one of these pages. Nothing was done."))
}

fn new_link(command_word: &str) -> Line {
    vec![text("For a new link, type in the chat: "), code(typed(command_word, "login"))]
}
