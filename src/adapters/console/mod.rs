//! A chat on a terminal: a typed line is a command, a bare number presses a button, and a form asks for its fields line by line.

mod asking;
mod print;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};
use tokio_util::sync::CancellationToken;

use crate::adapters::http::scrub;
use crate::domain::actor::{Origin, Person};
use crate::domain::checkup::ChatStanding;
use crate::domain::deployment::MessageRef;
use crate::domain::form::{Draft, Form, Sent};
use crate::domain::message::{Act, Message, Tone, text};
use crate::domain::names::{ChannelId, DeliveryId};
use crate::domain::parse;
use crate::domain::request::Ask;
use crate::domain::speech;
use crate::ports::{Addressee, Asked, Chat, Delivered, Fault, Ids, Inbox, Incoming, PortError, Service, Submitted, Urgency};

use asking::Asking;

/// How many messages stay known, for their buttons and for edits.
const KNOWN: usize = 500;

/// Who sits at the terminal, and what the place is called.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// The one person who types here.
    pub person: Person,
    /// The one conversation.
    pub channel: ChannelId,
}

/// A terminal, as a chat.
pub struct Console {
    settings: ConsoleSettings,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    /// The number of the last message.
    last: u64,
    messages: VecDeque<Shown>,
    /// The number of the last button.
    buttons: usize,
    /// A form whose fields the next lines are for.
    asking: Option<Asking>,
}

/// A message as it was printed last.
struct Shown {
    id: String,
    headline: String,
    buttons: Vec<Numbered>,
}

/// A button and the number that presses it. It keeps its number while its message keeps it.
struct Numbered {
    number: usize,
    act: Act,
    label: String,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Console {
    /// A chat that prints to `out`.
    pub fn new(settings: ConsoleSettings, out: Box<dyn Write + Send>) -> Self {
        let state = State { out, last: 0, messages: VecDeque::new(), buttons: 0, asking: None };
        Self { settings, state: Mutex::new(state) }
    }

    /// Reads lines until they end or `stop` is cancelled; each is a command, or a number that presses a button. A line that
    /// was read is submitted to its end, also when the stop comes meanwhile.
    pub async fn run<R>(&self, reader: R, inbox: &dyn Inbox, ids: &dyn Ids, stop: &CancellationToken) -> io::Result<()>
    where
        R: AsyncBufRead + Unpin + Send,
    {
        let mut lines = reader.lines();
        loop {
            let line = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                line = lines.next_line() => line?,
            };
            let Some(line) = line else { return Ok(()) };
            let line = line.trim();
            if !line.is_empty() {
                self.typed(line, inbox, ids).await?;
            }
        }
    }

    async fn typed(&self, line: &str, inbox: &dyn Inbox, ids: &dyn Ids) -> io::Result<()> {
        if let Some(kind) = scrub::secret_in(line) {
            return self.with_state(|state| state.print(&speech::secret_typed(kind))).map(|_| ());
        }
        let (ask, code) = if let Some(asking) = self.with_state(|state| state.asking.take()) {
            match self.with_state(|state| state.answered(asking, line))? {
                Some(Sent::Asks(filled)) => (filled.ask, filled.code.map(SecretString::from)),
                Some(Sent::GoesOn { pipeline, draft }) => {
                    return match inbox.next_form(&self.origin(), &pipeline, &draft).await {
                        Ok(form) => self.with_state(|state| state.ask(&form)),
                        Err(objections) => {
                            let words: Vec<String> = objections.into_iter().map(|one| one.words).collect();
                            self.whisper(Tone::Bad, &words.join(" "))
                        }
                    };
                }
                None => return Ok(()),
            }
        } else if let Ok(number) = line.parse::<usize>() {
            let Some(ask) = self.pressed(number) else {
                return self.whisper(Tone::Bad, "there is no button with this number");
            };
            (ask, None)
        } else {
            // The line is the person's own and stays on their screen; what goes on is split as in any chat.
            let (words, code) = parse::split_code(line);
            match parse::parse(words) {
                Ok(_) if code.is_none() && parse::says_nothing(words) => (Ask::Ship(Draft::default()), None),
                Ok(command) => (Ask::Command(command), code.map(|code| SecretString::from(code.into_owned()))),
                Err(what) => {
                    let message = speech::misunderstood(&what, "");
                    return self.with_state(|state| state.print(&message)).map(|_| ());
                }
            }
        };
        let Ok(id) = DeliveryId::parse(&ids.fresh().to_string()) else {
            return self.whisper(Tone::Bad, "this could not be named; please ask again");
        };
        match inbox.submit(Incoming { id, origin: self.origin(), ask, code }).await {
            Submitted::Accepted | Submitted::Repeated => Ok(()),
            Submitted::Unavailable => self.whisper(Tone::Bad, "this could not be put on disk, so nothing was started; please ask again"),
        }
    }

    fn origin(&self) -> Origin {
        Origin { person: self.settings.person.clone(), channel: self.settings.channel.clone(), reply: None }
    }

    fn pressed(&self, number: usize) -> Option<Ask> {
        self.with_state(|state| {
            let (message, button) = state
                .messages
                .iter()
                .find_map(|message| Some((message, message.buttons.iter().find(|button| button.number == number)?)))?;
            Some(Ask::Press { act: button.act, on: Some(self.place_of(&message.id)) })
        })
    }

    fn place_of(&self, id: &str) -> MessageRef {
        MessageRef { workspace: self.settings.person.workspace.clone(), channel: self.settings.channel.clone(), message: id.to_owned() }
    }

    fn whisper(&self, tone: Tone, words: &str) -> io::Result<()> {
        let message = Message::new(tone, crate::domain::message::Audience::Asker, vec![text(words)]);
        self.with_state(|state| state.print(&message)).map(|_| ())
    }

    fn with_state<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Prints a message and remembers it; its id.
    fn print(&mut self, message: &Message) -> io::Result<String> {
        self.last = self.last.wrapping_add(1);
        let id = self.last.to_string();
        let shown = Shown { id: id.clone(), headline: print::headline(message), buttons: self.numbered(&[], message) };
        let mut page = format!("{}\n", shown.headline);
        print::body(message).iter().for_each(|line| page.push_str(&format!("     {line}\n")));
        page.push_str(&buttons(&shown.buttons));
        self.write(&page)?;
        self.messages.push_back(shown);
        if self.messages.len() > KNOWN {
            self.messages.pop_front();
        }
        Ok(id)
    }

    /// Prints what changed at a glance in a message: its headline and its new buttons. `None`: it is not known any more.
    fn reprint(&mut self, id: &str, message: &Message) -> Option<io::Result<()>> {
        let place = self.messages.iter().position(|shown| shown.id == id)?;
        let before = self.messages.remove(place)?;
        let shown = Shown { id: before.id, headline: print::headline(message), buttons: self.numbered(&before.buttons, message) };
        let mut page = String::new();
        if shown.headline != before.headline {
            page.push_str(&format!("{}\n", shown.headline));
        }
        let known: Vec<usize> = before.buttons.iter().map(|button| button.number).collect();
        let fresh = shown.buttons.iter().filter(|button| !known.contains(&button.number));
        page.push_str(&buttons(fresh));
        let written = if page.is_empty() { Ok(()) } else { self.write(&page) };
        self.messages.insert(place, shown);
        Some(written)
    }

    fn numbered(&mut self, before: &[Numbered], message: &Message) -> Vec<Numbered> {
        let mut numbered = Vec::with_capacity(message.buttons.len());
        for button in &message.buttons {
            let number = before.iter().find(|known| known.act == button.act).map(|known| known.number).unwrap_or_else(|| {
                self.buttons = self.buttons.wrapping_add(1);
                self.buttons
            });
            numbered.push(Numbered { number, act: button.act, label: print::tidy(&button.label) });
        }
        numbered
    }

    fn write(&mut self, page: &str) -> io::Result<()> {
        self.out.write_all(page.as_bytes())?;
        self.out.flush()
    }
}

fn buttons<'a>(buttons: impl IntoIterator<Item = &'a Numbered>) -> String {
    let all: Vec<String> = buttons.into_iter().map(|button| format!("({}) {}", button.number, button.label)).collect();
    if all.is_empty() { String::new() } else { format!("     {}\n", all.join("  ")) }
}

/// The terminal is gone.
fn gone(call: &str, error: &io::Error) -> PortError {
    PortError::new(Service::Chat, Fault::Unclear, format!("{call}: {}", error.kind()))
}

#[async_trait]
impl Chat for Console {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        let person = match to {
            Addressee::Answer(origin) | Addressee::Card(origin) => &origin.person,
            Addressee::Direct(person) => person,
            // Whatever is said anywhere is said here.
            Addressee::Place(..) => &self.settings.person,
            // A card that has changed is printed anew, and says it.
            Addressee::Below { .. } => {
                return Err(PortError::new(Service::Chat, Fault::Refused, "say: nothing stands below anything here"));
            }
        };
        if *person != self.settings.person {
            return Err(PortError::new(Service::Chat, Fault::NotFound, "say: nobody else sits at this terminal"));
        }
        let id = self.with_state(|state| state.print(message)).map_err(|error| gone("say", &error))?;
        Ok(Delivered::Editable(self.place_of(&id)))
    }

    async fn amend(&self, what: &MessageRef, message: &Message, _urgency: Urgency) -> Result<(), PortError> {
        match self.with_state(|state| state.reprint(&what.message, message)) {
            Some(written) => written.map_err(|error| gone("amend", &error)),
            None => Err(PortError::new(Service::Chat, Fault::NotFound, "amend: this message is not known any more")),
        }
    }

    fn has_forms(&self) -> bool {
        true
    }

    async fn ask(&self, to: &Origin, _by: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        if to.person != self.settings.person {
            return Err(PortError::new(Service::Chat, Fault::NotFound, "ask: nobody else sits at this terminal"));
        }
        self.with_state(|state| state.ask(form)).map_err(|error| gone("ask", &error))?;
        Ok(Asked::Shown)
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        self.say(&Addressee::Answer(at.clone()), note).await?;
        Ok(ChatStanding { lacks: Vec::new(), speaks_here: true, gives_addresses: false, clock: None })
    }
}

#[cfg(test)]
mod tests;
