//! What we say of routes: where notices of a pipeline go, why one was not set, and what such a notice says.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::{ChannelId, OfferId, PipelineName};
use crate::domain::pipeline::Pipeline;
use crate::domain::route::{MOST_ROUTES, Only, Route};

use super::help::typed;
use super::words::{list, moment, sentence};

/// A route with the name of its pipeline and who has set it.
#[derive(Clone, Debug)]
pub struct RouteRow {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The route.
    pub route: Route,
    /// Who has set it.
    pub by: Person,
}

fn private(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

fn place(to: &ChannelId) -> Span {
    Span::Channel(to.clone())
}

/// What is told: `how every deploy ends`, `only failures, only in staging`.
pub(super) fn what(only: &Only) -> String {
    let environments: Vec<String> = only.environments.iter().map(ToString::to_string).collect();
    let there = if environments.is_empty() { String::new() } else { format!(" to {}", list(&environments)) };
    if only.failures { format!("only deploys{there} that fail or that nobody knows the end of") } else { format!("how deploys{there} end") }
}

/// To the conversation: what it is told from now on. What shows that it can be told.
pub fn route_begins(by: &Person, pipeline: &Pipeline, to: &ChannelId, only: &Only) -> Message {
    let headline = vec![Span::Person(by.clone()), text(" has notices of "), code(&pipeline.name), text(" said here from now on.")];
    Message::new(Tone::Info, Audience::Channel, headline).line(vec![text(format!("Told here: {}.", what(only)))]).line(vec![
        text("To end that: "),
        code(format!("{} from", unroute_words(&pipeline.name))),
        text(" "),
        place(to),
    ])
}

fn unroute_words(pipeline: &PipelineName) -> String {
    format!("unroute {pipeline}")
}

/// A route was set. `shared`: another company reads along.
pub fn route_set(pipeline: &Pipeline, to: &ChannelId, only: &Only, shared: bool) -> Message {
    let headline = vec![text("Notices of "), code(&pipeline.name), text(" go to "), place(to), text(" from now on.")];
    let mut message = private(if shared { Tone::Attention } else { Tone::Good }, headline)
        .line(vec![text(format!("Told there: {}. A message went through. It is on record.", what(only)))]);
    if shared {
        message = message.line(sentence("People of another company read along there: the rules of this workspace let them."));
    }
    message
}

/// It is so already.
pub fn route_the_same(pipeline: &Pipeline, to: &ChannelId, only: &Only) -> Message {
    let headline = vec![text("Nothing was changed. Notices of "), code(&pipeline.name), text(" go to "), place(to), text(" already.")];
    private(Tone::Info, headline).line(vec![text(format!("Told there: {}.", what(only)))])
}

/// There is no room for another one.
pub fn too_many_routes(pipeline: &Pipeline) -> Message {
    let headline = vec![
        text("Notices of "),
        code(&pipeline.name),
        text(format!(" go to {MOST_ROUTES} conversations already. Nothing was changed. (too-many-routes)")),
    ];
    private(Tone::Bad, headline).line(vec![text("Take one away: "), code(unroute_words(&pipeline.name))])
}

fn not_set(to: &ChannelId, why: &str) -> Message {
    private(Tone::Bad, vec![place(to), text(format!(" {why}"))])
}

/// Nothing can be said there any more.
pub fn conversation_archived(to: &ChannelId) -> Message {
    not_set(to, "is archived. Nothing was changed. (archived-conversation)")
}

/// People of another company are in it.
pub fn conversation_shared(to: &ChannelId) -> Message {
    not_set(to, "is shared with another company, whose people would read along. Nothing was changed. (shared-conversation)")
        .line(sentence("Name a conversation of your own. Admins of the workspace can let others in: `rules outsiders yes because …`."))
}

/// I may not say anything there, or cannot see it.
pub fn conversation_closed(to: &ChannelId, command_word: &str) -> Message {
    not_set(to, "takes no message of mine. Nothing was changed. (undeliverable)").line(vec![
        code("/invite"),
        text(" me there, then ask again. Whether the chat lets me: "),
        code(typed(command_word, "doctor")),
    ])
}

/// Nobody knows whether people of other companies are in it.
pub fn conversation_unreadable(to: &ChannelId) -> Message {
    not_set(to, "cannot be looked at, so nobody knows whether another company reads along. Nothing was changed. (conversation-unreadable)").line(
        sentence("The app has to be installed anew, so that it may see which conversations are shared. Or admins let people of other companies in: `rules outsiders yes because …`."),
    )
}

/// A route was taken away.
pub fn unrouted(pipeline: &Pipeline, from: &ChannelId) -> Message {
    private(
        Tone::Good,
        vec![text("Notices of "), code(&pipeline.name), text(" do not go to "), place(from), text(" any more. It is on record.")],
    )
}

/// There is no such route.
pub fn no_such_route(pipeline: &Pipeline, from: Option<&ChannelId>, others: &[Route]) -> Message {
    let mut headline = vec![text("Notices of "), code(&pipeline.name)];
    match from {
        Some(from) => headline.extend([text(" do not go to "), place(from), text(". Nothing was changed.")]),
        None => headline.push(text(" go nowhere but to their cards and to whoever asked. Nothing was changed.")),
    }
    let mut message = private(Tone::Info, headline);
    if !others.is_empty() {
        message.lines.push(places("They go to ", others.iter()));
    }
    message
}

fn places<'r>(before: &str, routes: impl Iterator<Item = &'r Route>) -> Line {
    let mut line = vec![text(before)];
    for (at, route) in routes.enumerate() {
        line.extend((at > 0).then(|| text(", ")));
        line.push(place(&route.to));
    }
    line.push(text("."));
    line
}

/// The words on the button that takes one of several routes away: what can be shown of a conversation is no button's.
pub fn unroute_label(place: usize) -> String {
    format!("Leave out {}", place.saturating_add(1))
}

/// Several fit.
pub fn which_route(pipeline: &Pipeline, meant: &[&Route], buttons: &[(String, OfferId)]) -> Message {
    let headline = vec![text("Notices of "), code(&pipeline.name), text(" go to several conversations. Which one is to be left out?")];
    let mut message = private(Tone::Info, headline);
    for (at, route) in meant.iter().enumerate() {
        message.lines.push(vec![text(format!("{}: ", at.saturating_add(1))), place(&route.to), text(format!(", {}", what(&route.only)))]);
    }
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Danger);
    }
    message
}

/// Where notices go.
pub fn routes(rows: &[RouteRow], command_word: &str, now: Timestamp) -> Message {
    if rows.is_empty() {
        return private(
            Tone::Info,
            vec![text("Notices of the pipelines that you can see go nowhere but to their cards and to whoever asked.")],
        )
        .line(vec![text("To have a conversation told: "), code(typed(command_word, "route PIPELINE to #CHANNEL"))]);
    }
    let mut message = private(Tone::Info, vec![text("Notices go to these conversations:")]);
    for row in rows {
        let mut line = vec![code(&row.pipeline), text(" to "), place(&row.route.to), text(format!(": {}", what(&row.route.only)))];
        line.extend([text(" (set by "), Span::Person(row.by.clone()), text(", "), moment(row.route.at, now), text(")")]);
        message.lines.push(line);
        message.lines.extend(row.route.closed.map(|_| closed_line(row, now)));
    }
    message
}

/// Why a route that was tested does not work any more.
const WHY_CLOSED: &str = "I may not post there, or another company reads along now";

/// For whoever looks how things stand: a route does not work.
pub(super) fn closed_line(row: &RouteRow, now: Timestamp) -> Line {
    let since = row.route.closed.unwrap_or(now);
    let mut line = vec![text("Notices of "), code(&row.pipeline), text(" are not said in "), place(&row.route.to)];
    line.extend([text(" since "), moment(since, now), text(format!(", {WHY_CLOSED}: "))]);
    line.extend(mend(&row.pipeline));
    line
}

fn mend(pipeline: &PipelineName) -> Line {
    vec![code("/invite"), text(" me there, or "), code(unroute_words(pipeline))]
}

/// To whoever has set a route: it does not work any more.
pub fn route_closed(pipeline: &PipelineName, to: &ChannelId, command_word: &str) -> Message {
    let headline = vec![text("Notices of "), code(pipeline), text(" are said no more in "), place(to), text(format!(": {WHY_CLOSED}"))];
    let mut line = mend(pipeline);
    line.extend([text(". Where they go: "), code(typed(command_word, "routes"))]);
    private(Tone::Attention, headline)
        .line(vec![text("You have had them sent there, and it is tried again with the next deploy.")])
        .line(line)
}
