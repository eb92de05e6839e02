//! Slack's mark-up of what a person typed, taken off again.
//!
//! With the option that escapes mentions and links, Slack sends `<@U1|ana>`, `<#C1|ops>` and `<http://web.io|web.io>` for
//! what was typed as `@ana`, `#ops` and `web.io`. A name with a dot would not be found otherwise.

use crate::domain::names::{ChannelId, GroupId, GroupName, UserId};
use crate::domain::parse::{Mention, Mentions};
use crate::domain::rights::Group;

/// The text as it was typed, as far as that can be known, and whom and what its words name.
pub(super) fn plain(text: &str) -> (String, Mentions) {
    let mut mentions = Mentions::default();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        // An opening sign without an end is only a sign; Slack itself would have escaped it.
        let Some((inside, beyond)) = after.split_once('>') else {
            plain.push('<');
            rest = after;
            continue;
        };
        let typed = typed(inside);
        if let Some(mention) = named(inside) {
            mentions.add(&unescaped(typed.clone()), mention);
        }
        plain.push_str(&typed);
        rest = beyond;
    }
    plain.push_str(rest);
    (unescaped(plain), mentions)
}

/// Whom or what one `<…>` names.
fn named(inside: &str) -> Option<Mention> {
    let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
    // Ids are written into commands, which are read again.
    let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(id) = target.strip_prefix('@').filter(|id| plain(id)) {
        return UserId::parse(id).ok().map(Mention::Person);
    }
    if let Some(id) = target.strip_prefix('#').filter(|id| plain(id)) {
        return ChannelId::parse(id).ok().map(Mention::Channel);
    }
    let id = target.strip_prefix("!subteam^").filter(|id| plain(id))?;
    let name = GroupName::parse(label.trim_start_matches('@')).or_else(|_| GroupName::parse(id)).ok()?;
    Some(Mention::Group(Group { id: GroupId::parse(id).ok()?, name }))
}

/// What stood for one `<…>`.
fn typed(inside: &str) -> String {
    let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
    let or = |sign: char, id: &str| format!("{sign}{}", if label.is_empty() { id } else { label.trim_start_matches(sign) });
    if let Some(user) = target.strip_prefix('@') {
        or('@', user)
    } else if let Some(channel) = target.strip_prefix('#') {
        or('#', channel)
    } else if let Some(special) = target.strip_prefix('!') {
        or('@', special.strip_prefix("subteam^").unwrap_or(special))
    } else if !label.is_empty() && is_same(target, label) {
        label.to_owned()
    } else {
        target.to_owned()
    }
}

/// Whether a link's words are just the link as somebody typed it, without what Slack added.
fn is_same(url: &str, label: &str) -> bool {
    let bare = ["https://", "http://", "mailto:", "tel:"].iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or(url);
    bare.trim_end_matches('/') == label.trim_end_matches('/') || url == label
}

/// The only three signs that Slack escapes; the ampersand last, so that nothing is taken off twice.
fn unescaped(text: String) -> String {
    if text.contains('&') { text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_comes_back() {
        for (sent, typed) in [
            ("deploy hubot to staging", "deploy hubot to staging"),
            ("info <http://hubot.io|hubot.io>", "info hubot.io"),
            ("info <http://hubot.io/|hubot.io>", "info hubot.io"),
            ("deploy hubot/<https://github.com/acme/hubot/pull/7>", "deploy hubot/https://github.com/acme/hubot/pull/7"),
            ("x <https://evil.example|https://github.com>", "x https://evil.example"),
            ("x <tel:12345678|12345678>", "x 12345678"),
            ("ask <@U1|ana> in <#C1|ops> and <#C2|> or <@U2>", "ask @ana in #ops and #C2 or @U2"),
            ("<!here> <!subteam^S1|@crew> <!subteam^S2>", "@here @crew @S2"),
            ("a &amp;lt; b &lt;!channel&gt;", "a &lt; b <!channel>"),
            ("a < b", "a < b"),
            ("", ""),
        ] {
            assert_eq!(plain(sent).0, typed, "{sent}");
        }
    }

    #[test]
    fn what_is_named_is_told_beside_the_text() {
        let (text, mentions) = plain("rules use only <@U1|ana> <@W2> <!subteam^S1|@crew> <!here> <#C1|ops> because <@U9|ana&amp;co>");
        assert_eq!(text, "rules use only @ana @W2 @crew @here #ops because @ana&co");
        let person = |id: &str| Some(Mention::Person(UserId::parse(id).unwrap()));
        assert_eq!((mentions.of("@ana"), mentions.of("@W2"), mentions.of("@ana&co")), (person("U1"), person("W2"), person("U9")));
        let crew = Group { id: GroupId::parse("S1").unwrap(), name: GroupName::parse("crew").unwrap() };
        assert_eq!(mentions.of("@crew"), Some(Mention::Group(crew)));
        assert_eq!(mentions.of("#ops"), Some(Mention::Channel(ChannelId::parse("C1").unwrap())));
        assert!(!mentions.knows("@here"));
        let (_, two) = plain("<@U1|ana> <@U2|ana>");
        assert!(two.knows("@ana") && two.of("@ana").is_none(), "nobody is guessed");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in ".{0,200}") {
            let _ = plain(&text);
        }

        #[test]
        fn text_without_signs_stays(text in "[^<>&]{0,200}") {
            prop_assert_eq!(plain(&text).0, text);
        }
    }
}
