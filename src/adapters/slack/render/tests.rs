//! Nothing from outside becomes mark-up, and nothing is longer than Slack takes.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::testing::person;
use super::*;
use crate::domain::message::{Audience, Span, code, link, strong, text};
use crate::domain::names::DeploymentId;

fn say(headline: Line) -> Message {
    Message::new(Tone::Good, Audience::Channel, headline)
}

fn id() -> DeploymentId {
    DeploymentId(uuid::Uuid::from_u128(7))
}

#[test]
fn a_card_as_it_is_sent() {
    let card =
        say(vec![Span::Person(person("T1", "U1")), text(" deployed "), code("27bd10a"), text(" to "), strong("staging"), text(" as v2")])
            .line(vec![text("Build "), link("output", "https://dashboard.example/a?b=1&c=2|3")])
            .line(vec![text("a < b")])
            .button("Roll back", Act::Retry(id()), ButtonStyle::Primary)
            .button("Free", Act::Free(id()), ButtonStyle::Danger);
    let Rendered { text, blocks } = message(&card);
    assert_eq!(text, ":white_check_mark: <@U1> deployed `27bd10a` to *staging* as v2");
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[0], section(&text));
    assert_eq!(blocks[1], section("Build <https://dashboard.example/a?b=1&amp;c=2%7C3|output>\na &lt; b"));
    let buttons = blocks[2]["elements"].as_array().unwrap();
    assert_eq!(buttons[0]["value"], Act::Retry(id()).to_string());
    assert_eq!((buttons[0]["style"].as_str(), buttons[1]["style"].as_str()), (Some("primary"), Some("danger")));
    assert_ne!(buttons[0]["action_id"], buttons[1]["action_id"]);
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_moment_is_shown_in_the_zone_of_whoever_reads_and_in_words_where_nobody_knows_it() {
    let moment = || Span::Moment { at: at(1_767_603_600), words: "09:00 UTC".to_owned() };
    let Rendered { text, blocks } = message(&say(vec![text("until "), moment()]).line(vec![moment(), text(" | "), strong("x")]));
    let token = "<!date^1767603600^{date_short_pretty} {time}|09:00 UTC>";
    assert_eq!(text, ":white_check_mark: until 09:00 UTC");
    assert_eq!(blocks[0]["text"]["text"], format!(":white_check_mark: until {token}"));
    assert_eq!(blocks[1]["text"]["text"], format!("{token} | *x*"));
    let odd = |at, words: &str| message(&say(vec![Span::Moment { at, words: words.to_owned() }])).blocks[0]["text"]["text"].clone();
    assert_eq!(odd(at(-1), "long ago"), ":white_check_mark: long ago");
    assert_eq!(odd(at(1), "<!here>|^&"), ":white_check_mark: <!date^1^{date_short_pretty} {time}|&lt;!here&gt;&amp;>");
}

#[test]
fn hostile_words_stay_words() {
    let evil = "<!channel> <@U1> <https://evil|https://github.com> @here #general `x` ```\nnew line\u{202e}";
    for span in [text(evil), strong(evil), code(evil), link(evil, "javascript:alert(1)")] {
        let Rendered { text, blocks } = message(&say(vec![span.clone()]));
        assert!(!text.contains('<') && !text.contains('\n') && !text.contains('\u{202e}'), "{text}");
        let backticks = text.matches('`').count();
        assert_eq!(backticks, if matches!(span, Span::Code(_)) { 2 } else { 0 }, "{text}");
        assert_eq!(blocks[0]["text"]["verbatim"], true);
    }
    let sent = message(&say(vec![link("a|b>c", "https://a.example/x|y>z")])).text;
    assert_eq!(sent, ":white_check_mark: <https://a.example/x%7Cy%3Ez|a¦b&gt;c>");
}

#[test]
fn a_link_has_to_be_one() {
    for url in ["javascript:x", "mailto:a@b", "/x", "x", "file:///etc", ""] {
        assert_eq!(message(&say(vec![link("here", url)])).text, ":white_check_mark: here", "{url}");
    }
}

#[test]
fn an_odd_user_id_is_no_mention() {
    assert_eq!(message(&say(vec![Span::Person(person("T1", "U1>"))])).text, ":white_check_mark: U1&gt;");
}

#[test]
fn an_output_is_cut_from_the_front_at_a_line() {
    let mut long = say(vec![text("x")]);
    let lines: Vec<String> = (0..1000).map(|n| format!("line {n} <b> ``` &")).collect();
    long.output = Some(lines.join("\n"));
    let blocks = message(&long).blocks;
    let shown = blocks[1]["text"]["text"].as_str().unwrap();
    assert!(shown.starts_with("```\n…\nline "), "{shown}");
    assert!(shown.ends_with("line 999 &lt;b&gt; ''' &amp;\n```"), "{shown}");
    assert_eq!(shown.matches("```").count(), 2);
    assert!((2900..=3000).contains(&shown.chars().count()));
    long.output = Some(" \n\u{7}".to_owned());
    assert_eq!(message(&long).blocks.len(), 1, "an empty text is refused by Slack");
}

#[test]
fn lines_beyond_all_room_are_counted() {
    let many = (0..5000).fold(say(vec![text("x")]), |message, n| message.line(vec![text(format!("line {n}"))]));
    let blocks = message(&many).blocks;
    assert_eq!(blocks.len(), 1 + SECTIONS);
    let last = blocks[SECTIONS]["text"]["text"].as_str().unwrap();
    let shown: usize = blocks[1..].iter().map(|block| block["text"]["text"].as_str().unwrap().matches("line ").count()).sum();
    assert!(last.ends_with(&format!("\n… {} more", 5000 - shown)), "{last}");
}

/// Every text object of a value, with the longest it may be.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(kind)), Some(Value::String(text))) = (fields.get("type"), fields.get("text"))
                && matches!(kind.as_str(), "mrkdwn" | "plain_text")
            {
                assert_eq!(kind == "mrkdwn", fields.get("verbatim") == Some(&Value::Bool(true)));
                found.push(text);
            }
            fields.values().for_each(|field| texts(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What stands between `<` and `>`, checking that nothing else does and that every entity is whole.
fn marked(text: &str) -> Vec<String> {
    let mut marks = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{text}");
        let (inside, beyond) = after.split_once('>').unwrap_or_else(|| panic!("{text}"));
        marks.push(inside.to_owned());
        rest = beyond;
    }
    assert!(!rest.contains('>'), "{text}");
    for (place, _) in text.match_indices('&') {
        assert!(["&amp;", "&lt;", "&gt;"].iter().any(|entity| text.get(place..).unwrap().starts_with(entity)), "{text}");
    }
    marks
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!channel>".to_owned()),
        Just("<@U666>".to_owned()),
        Just("<!date^1^{date_short_pretty} {time}|09:00 UTC>".to_owned()),
        Just("|x>^1^{time}".to_owned()),
        Just("<https://evil.example|https://github.com>".to_owned()),
        Just("@here #general https://evil.example ".to_owned()),
        Just("```".to_owned()),
        Just("`*_~|&<>".to_owned()),
        Just("&amp;&lt;".to_owned()),
        Just("\n\r\t\u{0}\u{202e}".to_owned()),
        "\\PC{0,40}",
        ("[a-z<&é船🚢]", 1usize..4000).prop_map(|(c, times)| c.repeat(times)),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        hostile().prop_map(Span::Text),
        hostile().prop_map(Span::Strong),
        hostile().prop_map(Span::Code),
        (hostile(), prop_oneof![hostile(), hostile().prop_map(|tail| format!("https://ours.example/{tail}"))])
            .prop_map(|(label, url)| Span::Link { label, url }),
        hostile().prop_map(|words| Span::Moment { at: at(1_767_603_600), words }),
        Just(Span::Person(person("T1", "U1"))),
    ]
}

fn any_message() -> impl Strategy<Value = Message> {
    let line = || prop::collection::vec(span(), 0..4);
    let buttons = prop::collection::vec(hostile(), 0..30);
    (line(), prop::collection::vec(line(), 0..12), prop::option::of(hostile()), buttons).prop_map(|(headline, lines, output, labels)| {
        Message {
            lines,
            output,
            buttons: labels.into_iter().map(|label| Button { label, act: Act::Free(id()), style: ButtonStyle::Danger }).collect(),
            ..say(headline)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_of_others_becomes_markup_and_all_fits(one in any_message()) {
        let Rendered { text, blocks } = message(&one);
        prop_assert!(blocks.len() <= 50);
        prop_assert!((1..=3000).contains(&text.chars().count()));
        let all = blocks.iter().map(|block| block.to_string().chars().count()).sum::<usize>();
        prop_assert!(all < 40_000, "{}", all);
        prop_assert!(!text.contains("<!"), "nothing reads marks in a notification");
        let mut sections = vec![text.as_str()];
        for block in &blocks {
            match block["type"].as_str().unwrap() {
                "section" => texts(block, &mut sections),
                "actions" => {
                    let elements = block["elements"].as_array().unwrap();
                    prop_assert!((1..=25).contains(&elements.len()));
                    let mut labels = Vec::new();
                    texts(block, &mut labels);
                    for element in elements {
                        let label = element["text"]["text"].as_str().unwrap();
                        prop_assert!((1..=75).contains(&label.chars().count()));
                    }
                }
                other => prop_assert!(false, "{}", other),
            }
        }
        for text in sections {
            prop_assert!((1..=3000).contains(&text.chars().count()) && !text.trim().is_empty());
            for mark in marked(text) {
                let is_link = || mark.split_once('|').is_some_and(|(url, label)| {
                    (url.starts_with("https://") || url.starts_with("http://")) && !label.is_empty() && !label.contains('|')
                });
                let is_moment = || {
                    let words = mark.strip_prefix("!date^1767603600^{date_short_pretty} {time}|");
                    words.is_some_and(|words| !words.contains(['|', '^']))
                };
                prop_assert!(mark == "@U1" || is_link() || is_moment(), "{}", mark);
            }
            let moments = text.matches("<!date^1767603600^").count();
            prop_assert_eq!(text.matches("<!").count(), moments, "{}", text);
            let fenced = text.starts_with(FENCE);
            prop_assert_eq!(text.matches(FENCE).count(), if fenced { 2 } else { 0 }, "{}", text);
        }
    }
}
