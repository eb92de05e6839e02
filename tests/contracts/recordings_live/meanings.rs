//! The adapters' side of what was renewed: they are asked again with the answers as they are now, and have to understand them as before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account::Account;
use super::renewal::Renewal;
use crate::contracts::recordings::{self, Recording};
use crate::contracts::recordings_simulated::differences;

/// What came of the calls to which a renewed answer belongs.
#[derive(Debug, Default)]
pub struct Understood {
    /// How many calls mean what they meant.
    pub alike: usize,
    /// Calls that mean something else now, or that ask otherwise.
    pub otherwise: Vec<String>,
}

/// Makes every call to which a renewed answer belongs, with the recordings as they are now.
pub async fn understood(account: &Account, renewal: &Renewal) -> Understood {
    let host = account.service.host();
    let renewed = |name: &String| {
        let text = std::fs::read_to_string(account.fixtures.join(host).join(format!("{name}.json"))).unwrap();
        let recording = Recording { name: name.clone(), ..serde_json::from_str(&text).unwrap() };
        (name.clone(), recording)
    };
    let mut all = recordings::of(host);
    all.extend(renewal.renewed.iter().map(renewed).collect::<BTreeMap<_, _>>());
    let concerned =
        |recording: &&Recording| recording.call.is_some() && recording.takes().iter().any(|name| renewal.renewed.contains(*name));
    let mut understood = Understood::default();
    for recording in all.values().filter(concerned) {
        let (found, wrong) = account.service.replayed(&all, recording).await;
        let mut otherwise: Vec<String> = wrong.into_iter().map(|wrong| format!("{}: {wrong}", recording.name)).collect();
        if !is_alike(&recording.means, &found) {
            otherwise.push(format!("{}: it means\n{found:#}\nand not\n{:#}", recording.name, recording.means));
        }
        understood.alike += usize::from(otherwise.is_empty());
        understood.otherwise.extend(otherwise);
    }
    understood
}

/// Whether two outcomes of a call are one but for names, numbers and moments: the same fault, the same words of ours, the same keys and kinds.
fn is_alike(before: &Value, now: &Value) -> bool {
    let fault = |value: &Value| value["fault"]["is"].clone();
    let words = |value: &Value| Some(value.clone()).filter(Value::is_string).or_else(|| value.get("ok").cloned().filter(Value::is_string));
    let of_ours = |value: &Value| words(value).filter(|words| words.as_str().is_some_and(|words| words.contains(' ')));
    let keys = differences(before, now).is_empty() && differences(now, before).is_empty();
    before == now || (keys && fault(before) == fault(now) && of_ours(before) == of_ours(now))
}

#[test]
fn outcomes_are_alike_but_for_names() {
    let release = |id: &str, state: &str| json!({ "ok": { "id": id, "state": state } });
    assert!(is_alike(&release("1", "pending"), &release("2", "pending")));
    assert!(is_alike(&json!({ "ok": null }), &json!({ "ok": null })));
    for (before, now) in [
        (release("1", "pending"), json!({ "ok": { "id": "1" } })),
        (release("1", "pending"), json!({ "fault": { "is": "NotFound" } })),
        (json!({ "fault": { "is": "NotFound" } }), json!({ "fault": { "is": "Refused" } })),
        (json!({ "ok": "it needs a code" }), json!({ "ok": "there is no slot" })),
        (json!({ "ok": [] }), json!({ "ok": ["main"] })),
    ] {
        assert!(!is_alike(&before, &now) && !is_alike(&now, &before), "{before} {now}");
    }
}
