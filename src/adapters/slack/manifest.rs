//! The manifest of the Slack app: everything an admin pastes to make it, from our own address.

use serde_json::{Value, json};
use url::Url;

use super::scopes;
use crate::domain::command::COMMANDS;

/// What the shortcut at messages is called between Slack and us.
pub(super) const SHORTCUT: &str = "ship";

/// The manifest for an installation that Slack reaches at `base_url`, with `command` (its slash included) as the one command.
///
/// Rights: `commands` to be asked, `chat:write` to answer and keep cards up to date, `users:read` to tell members from guests and admins
/// from others, `im:write` to reach a person where the bot may not post, `chat:write.public` to post in public channels without an
/// invitation, `usergroups:read` for rules that name groups, `channels:read` and `groups:read` to see whether a conversation that notices are routed to
/// is shared with another company; all but the first three may be refused. Events ask for no right.
pub fn manifest(base_url: &Url, command: &str) -> Value {
    let at = |last: &str| {
        let mut url = base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["slack", last]);
        }
        url.to_string()
    };
    json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "slash-heroku",
            "description": "Ship code from chat: checks, GitHub deployment, Heroku build, release and dynos.",
            "long_description": "Type a command to ship a branch. The app checks that the commit may go out, records a GitHub \
                deployment, starts the Heroku build, follows build, release phase and dynos to their true end, and keeps one \
                message in the channel up to date. Everything is done with the asking person's own accounts.",
        },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true },
            "shortcuts": [{
                "name": "Deploy this commit or PR",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": "Opens the form with the commit or pull request that the message names",
            }],
            "bot_user": { "display_name": "slash-heroku", "always_online": true },
            "slash_commands": [{
                "command": command,
                "url": at("commands"),
                "description": "Ship code, and see what is shipping",
                "usage_hint": usage_hint(),
                "should_escape": true,
            }],
        },
        "oauth_config": {
            "redirect_urls": [at("installed")],
            "scopes": { "bot": scopes::ALL, "bot_optional": scopes::optional() },
        },
        "settings": {
            // What is offered in forms while somebody types is asked at the second address.
            "interactivity": { "is_enabled": true, "request_url": at("actions"), "message_menu_options_url": at("actions") },
            "event_subscriptions": {
                "request_url": at("events"),
                "bot_events": ["app_home_opened", "app_uninstalled", "team_access_granted", "team_access_revoked", "tokens_revoked"],
            },
            "org_deploy_enabled": true,
            "socket_mode_enabled": false,
            "token_rotation_enabled": false,
        },
    })
}

/// The first words of all commands: their whole usages are longer than Slack lets a hint be.
fn usage_hint() -> String {
    let words: Vec<&str> = COMMANDS.iter().map(|row| row.verb.word()).collect();
    format!("{}. For more: help COMMAND", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(manifest: &'a Value, at: &str) -> &'a str {
        manifest.pointer(at).and_then(Value::as_str).unwrap()
    }

    #[test]
    fn addresses_are_ours_and_a_prefix_survives() {
        let manifest = manifest(&Url::parse("https://ship.example.com/chat/").unwrap(), "/h");
        assert_eq!(text(&manifest, "/features/slash_commands/0/url"), "https://ship.example.com/chat/slack/commands");
        assert_eq!(text(&manifest, "/settings/interactivity/request_url"), "https://ship.example.com/chat/slack/actions");
        let options = text(&manifest, "/settings/interactivity/message_menu_options_url");
        assert_eq!(options, "https://ship.example.com/chat/slack/actions");
        assert_eq!(text(&manifest, "/settings/event_subscriptions/request_url"), "https://ship.example.com/chat/slack/events");
        assert_eq!(text(&manifest, "/oauth_config/redirect_urls/0"), "https://ship.example.com/chat/slack/installed");
        assert_eq!(
            manifest.pointer("/oauth_config/scopes/bot_optional"),
            Some(&json!(["im:write", "chat:write.public", "usergroups:read", "channels:read", "groups:read"]))
        );
        assert_eq!(text(&manifest, "/features/slash_commands/0/command"), "/h");
        assert_eq!(manifest.pointer("/features/slash_commands/0/should_escape"), Some(&json!(true)));
    }

    #[test]
    fn every_command_is_in_the_hint() {
        let hint = usage_hint();
        assert!(COMMANDS.iter().all(|row| hint.split([',', '.']).any(|word| word.trim() == row.verb.word())), "{hint}");
    }

    #[test]
    fn texts_are_within_slacks_limits() {
        let manifest = manifest(&Url::parse("https://ship.example.com").unwrap(), "/h");
        for (at, least, most) in [
            ("/display_information/name", 1, 35),
            ("/display_information/description", 1, 140),
            ("/display_information/long_description", 174, 4000),
            ("/features/slash_commands/0/description", 1, 2000),
            ("/features/slash_commands/0/usage_hint", 1, 1000),
            ("/features/shortcuts/0/name", 1, 24),
            ("/features/shortcuts/0/description", 1, 150),
        ] {
            let length = text(&manifest, at).chars().count();
            assert!((least..=most).contains(&length), "{at}: {length}");
        }
    }
}
