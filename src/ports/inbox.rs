//! The way in: what a chat's adapter gives to the core.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::actor::Origin;
use crate::domain::form::{Draft, FieldName, Form, Objection, Suggestion, Topic};
use crate::domain::names::DeliveryId;
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::Ask;
use crate::domain::speech::{self, KnownOfPipeline};

/// Something that came from a chat, verified and understood.
#[derive(Debug)]
pub struct Incoming {
    /// What the chat delivered it as.
    pub id: DeliveryId,
    /// Who asked, where, and how to answer.
    pub origin: Origin,
    /// What was asked.
    pub ask: Ask,
    /// The one-time code that was split off the text. Spent at once, never stored.
    pub code: Option<SecretString>,
}

/// What became of it. The chat may be told that we have it only after `Accepted` or `Repeated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It lies on disk and will be answered.
    Accepted,
    /// It was accepted before. Where that is found out only when it is taken up, `Accepted` is said again: nothing is done a
    /// second time either way.
    Repeated,
    /// It could not be put on disk, or we are shutting down: the person has to ask again.
    Unavailable,
}

/// The way in.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Inbox: Send + Sync + std::fmt::Debug {
    /// Puts it on disk, then has it answered. Returns as soon as it is on disk; calls nothing outside before.
    async fn submit(&self, incoming: Incoming) -> Submitted;

    /// All that may be put into a field of a form which somebody is filling in and has typed this into, as far as it can be told: for
    /// [`crate::domain::form::offered`] to choose from. By that person's own rights; nothing is kept, and none is no fault. It asks outside:
    /// whoever cannot wait for that drops it.
    async fn suggest(&self, by: &Origin, topic: &Topic, field: FieldName) -> Vec<Suggestion> {
        let _nothing_is_known = (by, topic, field);
        Vec::new()
    }

    /// Somebody looks at the page that the chat has for us and them, in their conversation with us: it is shown anew, by what is true then.
    /// Returns at once, and nothing is kept; what could not be shown is shown when they look again. `false`: we are shutting down.
    async fn looked_at(&self, page_of: &Origin) -> bool {
        let _nobody_in_particular = page_of;
        true
    }

    /// The form by which somebody ships from a pipeline that they have chosen, or why they cannot. As [`Inbox::suggest`] otherwise.
    async fn next_form(&self, by: &Origin, pipeline: &PipelineKey, draft: &Draft) -> Result<Form, Vec<Objection>> {
        let _nobody_in_particular = by;
        Ok(speech::ship_from_form(pipeline, draft, &KnownOfPipeline::default()))
    }
}
