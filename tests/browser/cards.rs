//! Pictures of cards: every state that is kept below `fixtures/cards`, which is what our adapter sends, drawn as Slack draws blocks and left in
//! `target/pages/cards` to be looked at.

use std::path::Path;

use serde_json::{Value, json};

use super::chromium::Chromium;

/// Cards of one picture.
const TOGETHER: usize = 10;

/// The sign of an emoji that we send by its name: few machines without a screen have pictures of them.
fn emoji(name: &str) -> String {
    let sign = slash_heroku::sandbox::slack::glyph(name).unwrap_or_else(|| panic!("what does :{name}: look like?"));
    format!("<span class=emoji title={name}>{}</span>", sign.trim_matches(['[', ']']))
}

fn words(text: &Value) -> String {
    let words = text["text"].as_str().unwrap();
    if text["type"] == "plain_text" {
        return words.replace('&', "&amp;").replace('<', "&lt;");
    }
    words
        .split("```")
        .enumerate()
        .map(|(place, piece)| if place % 2 == 1 { format!("<pre>{}</pre>", piece.trim_matches('\n')) } else { marked(piece) })
        .collect()
}

/// Slack's own mark-up as HTML. Its three entities are those of HTML.
fn marked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let (shown, left) = match first {
            '\n' => ("<br>".to_owned(), after),
            '`' => after.split_once('`').map_or(("`".to_owned(), after), |(code, left)| (format!("<code>{code}</code>"), left)),
            '*' => after.split_once('*').map_or(("*".to_owned(), after), |(bold, left)| (format!("<b>{}</b>", marked(bold)), left)),
            ':' => match after.split_once(':') {
                Some((name, left)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                    (emoji(name), left)
                }
                _ => (":".to_owned(), after),
            },
            '<' => {
                let (inside, left) = after.split_once('>').unwrap();
                match (inside.split_once('|'), inside.strip_prefix('@')) {
                    // As read where clocks show the time of our words.
                    (Some((moment, words)), _) if moment.starts_with("!date^") => (words.to_owned(), left),
                    (Some((url, label)), _) => (format!("<a href=\"{url}\">{label}</a>"), left),
                    (None, Some(user)) => (format!("<a class=who>@{user}</a>"), left),
                    (None, None) if inside.starts_with('#') => (format!("<a class=who>{inside}</a>"), left),
                    (None, None) => panic!("<{inside}> is neither a link nor a person"),
                }
            }
            other => (other.to_string(), after),
        };
        out.push_str(&shown);
        rest = left;
    }
    out
}

fn block(block: &Value) -> String {
    let elements = || block["elements"].as_array().unwrap().iter();
    match block["type"].as_str().unwrap() {
        "section" => format!("<div class=section>{}</div>", words(&block["text"])),
        "context" => format!("<div class=context>{}</div>", elements().map(words).collect::<Vec<_>>().join(" ")),
        "actions" => {
            let button =
                |one: &Value| format!("<button class=\"{}\">{}</button>", one["style"].as_str().unwrap_or("plain"), words(&one["text"]));
            format!("<div class=actions>{}</div>", elements().map(button).collect::<String>())
        }
        "header" => format!("<h3>{}</h3>", words(&block["text"])),
        "divider" => "<hr>".to_owned(),
        other => panic!("how is a {other} drawn?"),
    }
}

fn page(title: &str, cards: &[Value]) -> String {
    let cards: String = cards
        .iter()
        .map(|card| {
            let blocks: String = card["blocks"].as_array().unwrap().iter().map(block).collect();
            format!(
                "<h2>{}</h2><article><i></i><div><b>slash-heroku</b> <small>APP</small>{blocks}</div></article>",
                card["state"].as_str().unwrap()
            )
        })
        .collect();
    let style = include_str!("cards.css");
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{title}</title><style>{style}</style><h1>{title}</h1>{cards}</html>"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_looked_at_in_a_browser() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pictures = top.join("target/pages/cards");
    std::fs::create_dir_all(&pictures).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(top.join("fixtures/cards")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "there are no cards to draw");
    let mut browser = Chromium::start().await;
    let mut wrong = Vec::new();
    for file in files {
        let states: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        for (place, states) in states.chunks(TOGETHER).enumerate() {
            let title = format!("{name}-{}", place + 1);
            let html = pictures.join(format!("{title}.html"));
            std::fs::write(&html, page(&title, states)).unwrap();
            // At a desk; the longest on a telephone in the dark as well, where there is the least room.
            let on_phone = (name == "longest").then_some(("phone", (360, 740), "dark"));
            for (device, screen, scheme) in [("desk", (760, 740), "light")].into_iter().chain(on_phone) {
                browser.screen(screen, scheme).await;
                let size = json!({ "width": screen.0, "height": screen.1, "deviceScaleFactor": 1, "mobile": device == "phone" });
                browser.call("Emulation.setDeviceMetricsOverride", size).await;
                browser.open(&format!("file://{}", html.display())).await;
                let found = browser.value(include_str!("cards.js")).await;
                wrong.extend(found.as_array().unwrap().iter().map(|one| format!("{title} at a {device}: {one}")));
                browser.picture(&pictures.join(format!("{title}-{device}.png"))).await;
            }
        }
    }
    browser.quit().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
