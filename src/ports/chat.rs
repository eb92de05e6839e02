//! A chat, as a place to say things and to change what was said.

use async_trait::async_trait;

use crate::domain::actor::{Origin, Person};
use crate::domain::checkup::ChatStanding;
use crate::domain::deployment::MessageRef;
use crate::domain::form::Form;
use crate::domain::message::Message;
use crate::domain::names::{ChannelId, DeliveryId, WorkspaceId};
use crate::domain::page::Page;

use crate::domain::fault::PortError;

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// An answer to a command or a press. The message's audience decides who sees it.
    Answer(Origin),
    /// The conversation a command came from, as a message that can be edited for hours. Where the bot may not post, the
    /// command's reply address is used, then a direct message to the person; the message then says so.
    Card(Origin),
    /// One person, directly.
    Direct(Person),
    /// Everybody in a conversation of a workspace, as a message that nobody there has asked for. Where the bot may not post it says
    /// nothing anywhere else: [`super::Fault::NotFound`] or [`super::Fault::Forbidden`].
    Place(WorkspaceId, ChannelId),
    /// Whoever follows what is said below a card of ours. Where a chat has nothing below its messages it says nothing anywhere else:
    /// [`super::Fault::Refused`].
    Below {
        /// The card.
        card: MessageRef,
        /// Once more for everybody in the conversation, at its end.
        for_all: bool,
    },
}

/// How much a change of a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It shows that something goes on: a newer one will do as well.
    Progress,
    /// People act on it or wait for it.
    Now,
}

/// How a message got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It stands where it was meant to, or in a direct message, and can be edited.
    Editable(MessageRef),
    /// It was said and cannot be edited later.
    Final,
}

/// Whether a form came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The person sees it.
    Shown,
    /// It is too late for it: a chat may show a form only right after somebody asked for one, and once.
    TooLate,
}

/// A chat.
///
/// Promises: text from outside can neither mention people nor make links or markup; messages are cut to fit and never
/// refused for their length; nothing is said twice unless the chat gave no clear answer. A rate limit is waited out within a
/// bound and otherwise comes back as [`super::Fault::RateLimited`]; for cards, their changes, what is said below them, direct messages and
/// those to a place nothing is waited for at all, since a deploy goes on meanwhile and has something newer to show soon.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Chat: Send + Sync + std::fmt::Debug {
    /// Says something.
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError>;

    /// Replaces what a message says. [`super::Fault::NotFound`]: it is gone for good or cannot be edited any more.
    ///
    /// Where the chat takes few changes, those that only show progress are turned away first, without being sent.
    async fn amend(&self, what: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError>;

    /// Whether it has forms: a way to ask one person for something that nobody else sees being filled in.
    fn has_forms(&self) -> bool;

    /// Shows a form to the person who pressed or typed what was delivered as `by`, and to nobody else. What is put into it comes in by
    /// [`super::Inbox`], read by [`crate::domain::form::Topic::filled`]; what that objects to is told at the field, and the form stays.
    ///
    /// Words are cut to fit. Asked again after an unclear answer, at most one form comes up. A chat without forms refuses with [`super::Fault::Refused`].
    async fn ask(&self, to: &Origin, by: &DeliveryId, form: &Form) -> Result<Asked, PortError>;

    /// Shows this on the page that the chat has for us and this person, to them alone, in the place of what stands there. Words are cut to
    /// fit, and rows that find no room are left out. Safe to repeat. A chat without such pages refuses with [`super::Fault::Refused`].
    async fn show_page(&self, person: &Person, page: &Page) -> Result<(), PortError> {
        let _nowhere = (person, page);
        Err(PortError::new(super::Service::Chat, super::Fault::Refused, "this chat has no pages of its people"))
    }

    /// How the chat takes us, where somebody asked. `note` is said there, to that person alone and by no other way: that tells whether we may.
    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError>;
}
