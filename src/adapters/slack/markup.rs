//! Slack's mark-up of what a person typed, taken off again.
//!
//! With the option that escapes mentions and links, Slack sends `<@U1|ana>`, `<#C1|ops>` and `<http://web.io|web.io>` for
//! what was typed as `@ana`, `#ops` and `web.io`. A name with a dot would not be found otherwise.

/// The text as it was typed, as far as that can be known.
pub(super) fn plain(text: &str) -> String {
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
        plain.push_str(&typed(inside));
        rest = beyond;
    }
    plain.push_str(rest);
    unescaped(&plain)
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
        or('@', special)
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
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
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
            ("<!here> <!subteam^S1|@crew>", "@here @crew"),
            ("a &amp;lt; b &lt;!channel&gt;", "a &lt; b <!channel>"),
            ("a < b", "a < b"),
            ("", ""),
        ] {
            assert_eq!(plain(sent), typed, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in ".{0,200}") {
            let _ = plain(&text);
        }

        #[test]
        fn text_without_signs_stays(text in "[^<>&]{0,200}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
