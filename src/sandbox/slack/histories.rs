//! What stands in a conversation, read back: `conversations.history` and `conversations.replies`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::SlackWorkspace;
use super::methods::{Answer, Arguments, Bot, refuse, scopes, wire};
use super::seen::SeenMessage;
use super::state::State;

/// Messages on a page of a conversation, and of what stands below one, unless told otherwise.
const HISTORY: usize = 100;
const REPLIES: usize = 1000;
/// The most that may be asked for.
const MOST: usize = 999;

/// A moment as messages are named by: in microseconds.
fn moment(ts: &str) -> Option<i64> {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    let rest = rest.get(..6).unwrap_or(rest);
    format!("{seconds}{rest:0<6}").parse().ok().filter(|_| !seconds.is_empty())
}

/// The conversation, where it can be read.
fn readable(state: &State, arguments: &Arguments, bot: &Bot<'_>) -> Result<String, Value> {
    let Some(channel) = bot.channel(state, arguments.text("channel")) else { return refuse("channel_not_found") };
    let needed = match (&channel.with, channel.private) {
        (Some(_), _) => "im:history",
        (None, true) => "groups:history",
        (None, false) => "channels:history",
    };
    let provided = scopes(state);
    if !provided.split(',').any(|scope| scope == needed) {
        return Err(json!({"ok": false, "error": "missing_scope", "needed": needed, "provided": provided}));
    }
    match (channel.private, channel.bot_in) {
        (_, true) => Ok(channel.id.clone()),
        (true, false) => refuse("channel_not_found"),
        (false, false) => refuse("not_in_channel"),
    }
}

/// What lies between `oldest` and `latest`, which are left out themselves unless `inclusive` says otherwise.
fn within<'s>(found: Vec<&'s SeenMessage>, arguments: &Arguments) -> Result<Vec<&'s SeenMessage>, Value> {
    let bound = |name: &str, error: &str| match arguments.text(name) {
        "" => Ok(None),
        text => moment(text).map_or_else(|| refuse(error), |at| Ok(Some(at))),
    };
    let (oldest, latest) = (bound("oldest", "invalid_ts_oldest")?, bound("latest", "invalid_ts_latest")?);
    let inclusive = arguments.is_on("inclusive");
    let fits = |at: i64| {
        oldest.is_none_or(|oldest| at > oldest || (inclusive && at == oldest))
            && latest.is_none_or(|latest| at < latest || (inclusive && at == latest))
    };
    Ok(found.into_iter().filter(|message| moment(&message.ts).is_some_and(fits)).collect())
}

/// One page of what was found, and the cursor to the next.
fn page<'s>(found: Vec<&'s SeenMessage>, arguments: &Arguments, usual: usize) -> Result<(Vec<&'s SeenMessage>, Option<String>), Value> {
    let size = match arguments.0.get("limit").map(|limit| limit.as_str().map_or_else(|| limit.to_string(), str::to_owned)) {
        None => usual,
        Some(text) => match text.parse() {
            Ok(size) if (1..=MOST).contains(&size) => size,
            Ok(_) | Err(_) => return refuse("invalid_limit"),
        },
    };
    let from = match arguments.text("cursor") {
        "" => 0,
        cursor => {
            let ts = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let place = ts.and_then(|text| {
                let ts = text.strip_prefix("next_ts:")?;
                found.iter().position(|message| message.ts == ts)
            });
            let Some(place) = place else { return refuse("invalid_cursor") };
            place
        }
    };
    let next = found.get(from.saturating_add(size)).map(|message| STANDARD.encode(format!("next_ts:{}", message.ts)));
    Ok((found.into_iter().skip(from).take(size).collect(), next))
}

/// A message as it is read back: with what was said below it, and that it was changed.
fn read_back(workspace: &SlackWorkspace, state: &State, message: &SeenMessage) -> Value {
    let mut value = wire(workspace, message);
    let own = &workspace.seed.bot_user_id;
    let below: Vec<&SeenMessage> = below(state, message);
    let Some(fields) = value.as_object_mut() else { return value };
    if let Some(last) = below.last() {
        fields.extend([
            ("thread_ts".to_owned(), json!(message.ts)),
            ("reply_count".to_owned(), json!(below.len())),
            ("reply_users_count".to_owned(), json!(1)),
            ("latest_reply".to_owned(), json!(last.ts)),
            ("reply_users".to_owned(), json!([own])),
            ("is_locked".to_owned(), json!(false)),
            ("subscribed".to_owned(), json!(false)),
        ]);
    }
    if message.below.is_some() {
        fields.insert("parent_user_id".to_owned(), json!(own));
    }
    if message.edited {
        let seconds = message.ts.split('.').next().unwrap_or_default();
        fields.insert("edited".to_owned(), json!({"user": own, "ts": format!("{seconds}.000000")}));
    }
    value
}

fn below<'s>(state: &'s State, message: &SeenMessage) -> Vec<&'s SeenMessage> {
    let stands_below = |other: &&SeenMessage| other.below.as_ref().is_some_and(|below| below.ts == message.ts);
    state.messages.iter().filter(|other| other.channel == message.channel).filter(stands_below).collect()
}

fn told(workspace: &SlackWorkspace, state: &State, messages: &[&SeenMessage], next: Option<String>) -> Value {
    let messages: Vec<Value> = messages.iter().map(|message| read_back(workspace, state, message)).collect();
    let mut answer = json!({"ok": true, "messages": messages, "has_more": next.is_some()});
    if let (Some(fields), Some(next)) = (answer.as_object_mut(), next) {
        fields.insert("response_metadata".to_owned(), json!({"next_cursor": next}));
    }
    answer
}

/// `conversations.history`, newest first: not what one person sees only, nor what stands below a message alone.
pub(super) fn history(workspace: &SlackWorkspace, state: &State, arguments: &Arguments, bot: &Bot<'_>) -> Answer {
    let channel = readable(state, arguments, bot)?;
    let stands = |message: &&SeenMessage| message.channel == channel && message.to.is_none();
    let open = |message: &&SeenMessage| message.below.as_ref().is_none_or(|below| below.for_all);
    let found = state.messages.iter().rev().filter(stands).filter(open).collect();
    let (messages, next) = page(within(found, arguments)?, arguments, HISTORY)?;
    let mut answer = told(workspace, state, &messages, next);
    if let Some(fields) = answer.as_object_mut() {
        let more = [("pin_count", json!(0)), ("channel_actions_ts", Value::Null), ("channel_actions_count", json!(0))];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    Ok(answer)
}

/// `conversations.replies`: a message and what was said below it, oldest first.
pub(super) fn replies(workspace: &SlackWorkspace, state: &State, arguments: &Arguments, bot: &Bot<'_>) -> Answer {
    let channel = readable(state, arguments, bot)?;
    let named = state.find(&channel, arguments.text("ts")).filter(|message| message.to.is_none());
    let first = named.map(|message| message.below.as_ref().map_or(message.ts.as_str(), |below| below.ts.as_str()));
    let Some(first) = first.and_then(|ts| state.find(&channel, ts)) else { return refuse("thread_not_found") };
    let found = std::iter::once(first).chain(below(state, first)).collect();
    let (messages, next) = page(within(found, arguments)?, arguments, REPLIES)?;
    Ok(told(workspace, state, &messages, next))
}
