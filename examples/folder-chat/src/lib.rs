//! A chat that is a folder of text files: an adapter of its own, outside of `slash-heroku`, held to the suites of its ports.
//!
//! Below the chat's folder lies a folder for each conversation, and one for each person with what only that person sees. A message
//! is a file there: `0007.txt`. Whoever wants to change what it says writes the file anew; whoever wants it gone deletes it. A
//! person types by way of [`FolderChat::typed`], and presses a button by naming its message and label with [`FolderChat::pressed`].
//! It has no forms: what is put into a file stays there for others to read, and a one-time code shall not.

mod page;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use slash_heroku::adapters::http::scrub;
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::checkup::ChatStanding;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::form::Form;
use slash_heroku::domain::message::{Act, Audience, Message, Tone, text};
use slash_heroku::domain::names::{ChannelId, DeliveryId, WorkspaceId};
use slash_heroku::domain::request::Ask;
use slash_heroku::domain::{parse, speech};
use slash_heroku::ports::{Addressee, Asked, Chat, Delivered, Fault, Inbox, Incoming, PortError, Service, Submitted, Urgency};

/// Where a conversation of one person with the service lies: after this, the person's id.
const PEOPLE: &str = "@";

/// A chat in a folder.
#[derive(Debug)]
pub struct FolderChat {
    folder: PathBuf,
    /// The number of the last message: one writer for a folder.
    last: Mutex<u64>,
}

impl FolderChat {
    /// A chat in a folder, which goes on after the messages that are there.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let mut last = 0;
        for conversation in fs::read_dir(folder)? {
            for message in fs::read_dir(conversation?.path())? {
                let number = message?.path().file_stem().and_then(|stem| stem.to_str()?.parse().ok());
                last = last.max(number.unwrap_or(0));
            }
        }
        Ok(Self { folder: folder.to_owned(), last: Mutex::new(last) })
    }

    /// A person types a command in a conversation. `delivery` names this typing of it: the same one again is the same request.
    pub async fn typed(&self, line: &str, by: &Origin, delivery: &DeliveryId, inbox: &dyn Inbox) -> Result<(), PortError> {
        if let Some(kind) = scrub::secret_in(line) {
            return self.say(&Addressee::Answer(by.clone()), &speech::secret_typed(kind)).await.map(drop);
        }
        // Before anything else sees the text, a one-time code is split off it.
        let (words, code) = parse::split_code(line);
        match parse::parse(words) {
            Ok(command) => {
                let code = code.map(|code| SecretString::from(code.into_owned()));
                self.submitted(Incoming { id: delivery.clone(), origin: by.clone(), ask: Ask::Command(command), code }, inbox).await
            }
            Err(what) => self.say(&Addressee::Answer(by.clone()), &speech::misunderstood(&what, "")).await.map(drop),
        }
    }

    /// A person presses a button: what stands behind its label in the file of the message.
    pub async fn pressed(
        &self,
        label: &str,
        on: &MessageRef,
        by: &Origin,
        delivery: &DeliveryId,
        inbox: &dyn Inbox,
    ) -> Result<(), PortError> {
        let page = fs::read_to_string(self.file(on)).map_err(|error| fault("pressed", &error))?;
        let act: Option<Act> = page::value_of_button(&page, label).and_then(|value| value.parse().ok());
        let Some(act) = act else {
            return Err(PortError::new(Service::Chat, Fault::NotFound, "pressed: there is no such button"));
        };
        let ask = Ask::Press { act, on: Some(on.clone()) };
        self.submitted(Incoming { id: delivery.clone(), origin: by.clone(), ask, code: None }, inbox).await
    }

    /// Hands in what was asked. The person is told at once if it is not on disk.
    async fn submitted(&self, incoming: Incoming, inbox: &dyn Inbox) -> Result<(), PortError> {
        let to = Addressee::Answer(incoming.origin.clone());
        match inbox.submit(incoming).await {
            Submitted::Accepted | Submitted::Repeated => Ok(()),
            Submitted::Unavailable => {
                let sorry = vec![text("this could not be put on disk, so nothing was started; please ask again")];
                self.say(&to, &Message::new(Tone::Bad, Audience::Asker, sorry)).await.map(drop)
            }
        }
    }

    /// Writes a message that is new, or one that is there, all at once.
    fn write(&self, file: &Path, page: &str, new: bool) -> io::Result<()> {
        let folder = file.parent().ok_or(ErrorKind::InvalidInput)?;
        if new {
            fs::create_dir_all(folder)?;
        } else if !file.exists() {
            return Err(ErrorKind::NotFound.into());
        }
        // In the conversation's own folder nobody shall ever see half a message.
        let draft = self.folder.join(".draft");
        let mut out = fs::File::create(&draft)?;
        out.write_all(page.as_bytes())?;
        fs::rename(draft, file)
    }

    fn post(&self, conversation: &ChannelId, of: &WorkspaceId, message: &Message) -> Result<Delivered, PortError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *last + 1;
        let place = MessageRef { workspace: of.clone(), channel: conversation.clone(), message: format!("{number:04}") };
        self.write(&self.file(&place), &page::of(message), true).map_err(|error| fault("say", &error))?;
        *last = number;
        Ok(Delivered::Editable(place))
    }

    fn file(&self, place: &MessageRef) -> PathBuf {
        self.folder.join(page::as_file_name(place.channel.as_str())).join(format!("{}.txt", page::as_file_name(&place.message)))
    }
}

/// The conversation of one person with the service.
fn alone_with(person: &Person) -> Result<ChannelId, PortError> {
    let id = ChannelId::parse(&format!("{PEOPLE}{}", person.user));
    id.map_err(|_| PortError::new(Service::Chat, Fault::NotFound, "say: this person has no folder"))
}

fn fault(call: &str, error: &io::Error) -> PortError {
    let fault = match error.kind() {
        ErrorKind::NotFound => Fault::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Fault::Forbidden,
        // A message comes to stand by a rename, the last step: whatever fails, it does not stand.
        _ => Fault::Unreachable,
    };
    PortError::new(Service::Chat, fault, format!("{call}: {}", error.kind()))
}

#[async_trait]
impl Chat for FolderChat {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        match to {
            Addressee::Answer(origin) | Addressee::Card(origin) => match message.audience {
                Audience::Channel => self.post(&origin.channel, &origin.person.workspace, message),
                Audience::Asker => self.post(&alone_with(&origin.person)?, &origin.person.workspace, message),
            },
            Addressee::Direct(person) => self.post(&alone_with(person)?, &person.workspace, message),
            Addressee::Place(workspace, channel) => self.post(channel, workspace, message),
            Addressee::Below { .. } => Err(PortError::new(Service::Chat, Fault::Refused, "say: nothing stands below anything here")),
        }
    }

    async fn amend(&self, what: &MessageRef, message: &Message, _urgency: Urgency) -> Result<(), PortError> {
        let _one_at_a_time = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&self.file(what), &page::of(message), false).map_err(|error| fault("amend", &error))
    }

    fn has_forms(&self) -> bool {
        false
    }

    async fn ask(&self, _to: &Origin, _by: &DeliveryId, _form: &Form) -> Result<Asked, PortError> {
        Err(PortError::new(Service::Chat, Fault::Refused, "ask: a folder has no forms"))
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        self.post(&alone_with(&at.person)?, &at.person.workspace, note)?;
        Ok(ChatStanding { lacks: Vec::new(), speaks_here: true, gives_addresses: false, clock: None })
    }
}
