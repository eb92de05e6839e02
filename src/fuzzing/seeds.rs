//! Inputs to begin with: scenarios, recordings and rows, as each door takes them.

use std::path::Path;

use serde_json::Value;

use super::answers::BETWEEN;
use super::{platform, source};

/// Inputs for a door, read from the project's fixtures below `top`.
pub fn of(door: &str, top: &Path) -> Vec<Vec<u8>> {
    let fixtures = top.join("fixtures");
    match door {
        "commands" => typed(&fixtures),
        "slack" => requests(&typed(&fixtures)),
        "source" => answers(&fixtures.join("github"), source::number),
        "platform" => answers(&fixtures.join("heroku"), platform::number),
        "follow" => streams(&fixtures.join("heroku")),
        "rows" => rows(&fixtures.join("store/v1")),
        "text" => said(&fixtures),
        "scripts" => texts(&fixtures.join("scenarios")).into_iter().map(|(_, text)| text.into_bytes()).collect(),
        _ => Vec::new(),
    }
}

/// The files of a folder in order: name without ending, and text.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    files.iter().filter_map(|path| Some((name(path), std::fs::read_to_string(path).ok()?))).collect()
}

/// Everything that is typed in scenarios.
fn typed(fixtures: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = texts(&fixtures.join("scenarios"))
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.split_once("> ").filter(|(who, _)| !who.contains(' ')).map(|(_, typed)| typed.as_bytes().to_vec()))
        .collect();
    let odd = [
        "deploy <http://web.app|web.app> to “staging” because “it is ticket 123456” cccccckdvvulgjvtkjdhtlrbjjctggdihuevikehtlil",
        "deploy web/<https://github.com/acme/web/pull/7|#7> to production/web-eu 123456",
        "`deploy! web#12 in prd because \"ready\" 654321`",
    ];
    all.extend(odd.map(|text| text.as_bytes().to_vec()));
    all.sort();
    all.dedup();
    all
}

fn requests(typed: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let reply = "http://127.0.0.1:9/commands/T1/1/key1";
    for (how, text) in typed.iter().enumerate() {
        let fields = [("team_id", "T1"), ("channel_id", "C1"), ("user_id", "U1"), ("command", "/h"), ("trigger_id", "1.2.trigger")];
        let text = String::from_utf8_lossy(text);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .append_pair("text", &text)
            .append_pair("response_url", reply)
            .finish();
        all.push([&[0, u8::try_from(how % 4).unwrap_or_default()], body.as_bytes()].concat());
    }
    for how in 0..4 {
        let payload = serde_json::json!({
            "type": "block_actions",
            "user": { "id": "U1", "team_id": "T1" },
            "team": { "id": "T1" },
            "channel": { "id": "C1" },
            "container": { "channel_id": "C1", "message_ts": "1.2", "is_ephemeral": false },
            "trigger_id": "1.3.trigger",
            "response_url": reply,
            "actions": [{ "value": "cancel:00000000-0000-0000-0000-000000000007", "type": "button" }],
        });
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        all.push([&[1, how], body.as_bytes()].concat());
        all.push([&[2, how | 4], br#"{"type":"url_verification","challenge":"abc"}"#.as_slice()].concat());
        all.push([&[0, how], b"ssl_check=1&token=x".as_slice()].concat());
    }
    all
}

/// The answers of recordings, each behind the call that it belongs to.
fn answers(folder: &Path, number: impl Fn(&str, &Value) -> Option<u8>) -> Vec<Vec<u8>> {
    let recordings: Vec<(String, Value)> =
        texts(folder).into_iter().filter_map(|(name, text)| Some((name, serde_json::from_str(&text).ok()?))).collect();
    let mut all = Vec::new();
    for (name, recording) in &recordings {
        let Some(call) = recording.get("call").and_then(Value::as_str) else { continue };
        let Some(number) = number(call, recording.get("with").unwrap_or(&Value::Null)) else { continue };
        let asks = recording.get("asks").and_then(Value::as_array).map(|asks| asks.iter().filter_map(Value::as_str).collect());
        let asks: Vec<&str> = asks.unwrap_or_else(|| vec![name.as_str()]);
        let mut input = vec![number];
        for (_, asked) in asks.iter().filter_map(|ask| recordings.iter().find(|(name, _)| name == ask)) {
            if let Some(response) = asked.get("response") {
                input.extend(answer(response));
            }
        }
        all.push(input);
    }
    all
}

fn answer(response: &Value) -> Vec<u8> {
    let mut text = response.get("status").map_or_else(|| "200".to_owned(), Value::to_string);
    for (name, value) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
        text = format!("{text}\n{name}: {}", value.as_str().unwrap_or_default());
    }
    text.push_str("\n\n");
    match response.get("body") {
        Some(Value::String(body)) => text.push_str(body),
        Some(Value::Null) | None => {}
        Some(body) => text.push_str(&body.to_string()),
    }
    // All hosts of a recording are one here.
    for host in ["api", "web", "storage", "streams", "links", "codeload", "archive", "uploads"] {
        text = text.replace(&format!("{{{host}}}"), "{self}");
    }
    [&[BETWEEN], text.as_bytes()].concat()
}

/// What a stream's host answers, in each of the ways that time can go: the recordings of it, and what it does when it is not well.
fn streams(folder: &Path) -> Vec<Vec<u8>> {
    let recordings = texts(folder).into_iter().filter_map(|(_, text)| serde_json::from_str::<Value>(&text).ok());
    let of_streams = recordings.filter(|recording| recording.pointer("/request/host").and_then(Value::as_str) == Some("streams"));
    let recorded: Vec<Vec<u8>> = of_streams.filter_map(|recording| Some(answer(recording.get("response")?))).collect();
    let odd = [
        "\u{1e}200\ntransfer-encoding: chunked\n\n6\r\nhello\n\r\n1\r\n\0\r\n",
        "\u{1e}200\ncontent-length: 900\n\nhello\u{1e}206\ncontent-length: 3\n\nyou\u{1e}204\n\n",
        "\u{1e}302\nlocation: {self}/elsewhere\n\n\u{1e}416\n\n\u{1e}403\n\n",
        "\u{1e}503\nretry-after: 40\n\n\u{1e}429\nretry-after: 0\n\n",
    ];
    let answers: Vec<Vec<u8>> = recorded.iter().cloned().chain(odd.map(|text| text.as_bytes().to_vec())).collect();
    let whole = recorded.concat();
    answers.into_iter().chain([whole]).flat_map(|answers| (0..8_u8).map(move |how| [&[how], answers.as_slice()].concat())).collect()
}

fn rows(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (name, text) in texts(folder) {
        let kind = ["request", "deployment", "line", "offer", "account", "sign_in", "lease"].iter().position(|kind| *kind == name);
        let file: Value = serde_json::from_str(&text).unwrap_or_default();
        for record in file.get("records").and_then(Value::as_array).into_iter().flatten() {
            let kind = kind.and_then(|kind| u8::try_from(kind).ok()).unwrap_or_default();
            all.push([&[kind], record.to_string().as_bytes()].concat());
        }
    }
    all
}

/// Outputs with every kind of token.
fn said(fixtures: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "-----> Node.js app detected\r\n\u{1b}[1mremote:\u{1b}[0m DATABASE_URL=postgres://user:pa%2Fss@db.example.com:5432/app\n",
        "curl https://s3.example.com/a?X-Amz-Signature=abc&X-Amz-Credential=d -H 'Authorization: Basic dXNlcjpwYXNzd29yZA=='\n",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n{\"access_token\": \"abc\", \"a\": 1}\n",
        "10%\r50%\r100%\nLaunched v12 27bd10a127bd10a127bd10a127bd10a127bd10a1",
    ]
    .iter()
    .flat_map(|text| (0..8_u8).map(move |which| [&[which, which.wrapping_mul(9)], text.as_bytes()].concat()))
    .collect();
    all.extend(texts(&fixtures.join("scenarios")).iter().take(10).map(|(_, text)| [&[1, 40], text.as_bytes()].concat()));
    all
}
