//! The limits of Block Kit, as Slack enforces them: one bad block and the whole message is refused.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Known in Slack's documentation; not all are checked inside.
const KNOWN: [&str; 15] = [
    "alert",
    "call",
    "card",
    "carousel",
    "container",
    "context_actions",
    "data_table",
    "data_visualization",
    "divider",
    "file",
    "input",
    "plan",
    "table",
    "task_card",
    "video",
];

/// Everything that is wrong with the blocks, in Slack's way of saying it; empty means fine.
pub(super) fn faults(blocks: &[Value]) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    if blocks.len() > 50 {
        faults.add("no more than 50 items allowed", "/blocks");
    }
    let mut ids = HashSet::new();
    for (place, block) in blocks.iter().enumerate() {
        let at = format!("/blocks/{place}");
        faults.block(block, &at);
        if let Some(id) = block.get("block_id") {
            faults.length(id.as_str().unwrap_or_default(), 1, 255, &format!("{at}/block_id"));
            if !ids.insert(id.to_string()) {
                faults.add("`block_id` already exists in this message", &format!("{at}/block_id"));
            }
        }
    }
    faults.0
}

/// Everything that is wrong with what is offered to choose from; empty means fine.
pub(super) fn faults_of_options(answer: &Value) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    match answer.get("options").and_then(Value::as_array) {
        Some(options) if options.len() <= 100 => {
            options.iter().enumerate().for_each(|(place, option)| faults.option(option, &format!("/options/{place}")));
        }
        Some(_) => faults.add("no more than 100 items allowed", "/options"),
        None => faults.add("missing required field: options", ""),
    }
    faults.0
}

/// Everything that is wrong with a page for one person; empty means fine.
pub(super) fn faults_of_home(view: &Map<String, Value>) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    let view = &Value::Object(view.clone());
    if view.get("type").and_then(Value::as_str) != Some("home") {
        faults.add("unsupported type", "/view/type");
    }
    for (name, most) in [("callback_id", 255), ("private_metadata", 3000), ("external_id", 255)] {
        faults.length(view.get(name).and_then(Value::as_str).unwrap_or_default(), 0, most, &format!("/view/{name}"));
    }
    let blocks = faults.items(view, "blocks", 100, "/view").to_vec();
    for (place, block) in blocks.iter().enumerate() {
        let at = format!("/view/blocks/{place}");
        faults.block(block, &at);
        if block.get("type").and_then(Value::as_str) == Some("input") {
            faults.add("inputs are not simulated on a page", &at);
        }
    }
    faults.0
}

/// Everything that is wrong with a view; empty means fine.
pub(super) fn faults_of_view(view: &Map<String, Value>) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    let view = &Value::Object(view.clone());
    if view.get("type").and_then(Value::as_str) != Some("modal") {
        faults.add("unsupported type", "/view/type");
    }
    let blocks = faults.items(view, "blocks", 100, "/view").to_vec();
    let has_input = blocks.iter().any(|block| block.get("type").and_then(Value::as_str) == Some("input"));
    for (name, needed) in [("title", true), ("submit", has_input), ("close", false)] {
        match view.get(name) {
            Some(text) => {
                faults.text(text, 24, "/view", name);
                if text.get("type").and_then(Value::as_str) != Some("plain_text") {
                    faults.add("must be a plain_text object", &format!("/view/{name}"));
                }
            }
            None if needed => faults.add(&format!("missing required field: {name}"), "/view"),
            None => {}
        }
    }
    for (name, most) in [("callback_id", 255), ("private_metadata", 3000), ("external_id", 255)] {
        if let Some(text) = view.get(name) {
            faults.length(text.as_str().unwrap_or_default(), 0, most, &format!("/view/{name}"));
        }
    }
    let mut ids = HashSet::new();
    for (place, block) in blocks.iter().enumerate() {
        let at = format!("/view/blocks/{place}");
        faults.block(block, &at);
        if block.get("type").and_then(Value::as_str) == Some("input") {
            faults.input(block, &at);
        }
        if block.get("block_id").is_some_and(|id| !ids.insert(id.to_string())) {
            faults.add("`block_id` already exists in this view", &format!("{at}/block_id"));
        }
    }
    let focused = blocks.iter().filter(|block| block.pointer("/element/focus_on_load").and_then(Value::as_bool) == Some(true)).count();
    if focused > 1 {
        faults.add("only one element may have the focus", "/view/blocks");
    }
    faults.0
}

struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, what: &str, at: &str) {
        self.0.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    fn length(&mut self, text: &str, least: usize, most: usize, at: &str) {
        let length = text.chars().count();
        if length < least {
            self.add(&format!("must be more than {} characters", least.saturating_sub(1)), at);
        }
        if length > most {
            self.add(&format!("must be less than {} characters", most + 1), at);
        }
    }

    fn items<'a>(&mut self, of: &'a Value, name: &str, most: usize, at: &str) -> &'a [Value] {
        let Some(items) = of.get(name).and_then(Value::as_array) else {
            self.add(&format!("missing required field: {name}"), at);
            return &[];
        };
        if items.is_empty() {
            self.add("must provide at least 1 item", &format!("{at}/{name}"));
        }
        if items.len() > most {
            self.add(&format!("no more than {most} items allowed"), &format!("{at}/{name}"));
        }
        items
    }

    fn block(&mut self, block: &Value, at: &str) {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "section" => self.section(block, at),
            "header" => match block.get("text") {
                Some(text) => {
                    self.text(text, 150, at, "text");
                    if text.get("type").and_then(Value::as_str) != Some("plain_text") {
                        self.add("must be a plain_text object", &format!("{at}/text"));
                    }
                }
                None => self.add("missing required field: text", at),
            },
            "context" => {
                for (place, element) in self.items(block, "elements", 10, at).iter().enumerate() {
                    let at = format!("{at}/elements/{place}");
                    match element.get("type").and_then(Value::as_str) {
                        Some("mrkdwn" | "plain_text") => self.text_object(element, 3000, &at),
                        Some("image") => self.image(element, &at),
                        _ => self.add("unsupported type in context", &at),
                    }
                }
            }
            "actions" => {
                let mut ids = HashSet::new();
                for (place, element) in self.items(block, "elements", 25, at).iter().enumerate() {
                    let at = format!("{at}/elements/{place}");
                    self.element(element, &at);
                    if element.get("action_id").is_some_and(|id| !ids.insert(id.to_string())) {
                        self.add("`action_id` already exists in this block", &at);
                    }
                }
            }
            "image" => self.image(block, at),
            "markdown" => match block.get("text").and_then(Value::as_str) {
                Some(text) => self.length(text, 1, 12_000, &format!("{at}/text")),
                None => self.add("missing required field: text", at),
            },
            "rich_text" => {
                if block.get("elements").and_then(Value::as_array).is_none() {
                    self.add("missing required field: elements", at);
                }
            }
            known if KNOWN.contains(&known) => {}
            unknown => self.add(&format!("unsupported type: {unknown}"), at),
        }
    }

    fn section(&mut self, block: &Value, at: &str) {
        if let Some(text) = block.get("text") {
            self.text(text, 3000, at, "text");
        }
        if block.get("fields").is_some() {
            for (place, field) in self.items(block, "fields", 10, at).iter().enumerate() {
                self.text_object(field, 2000, &format!("{at}/fields/{place}"));
            }
        } else if block.get("text").is_none() {
            self.add("missing required field: text or fields", at);
        }
        if let Some(accessory) = block.get("accessory") {
            self.element(accessory, &format!("{at}/accessory"));
        }
    }

    fn input(&mut self, block: &Value, at: &str) {
        for (name, needed) in [("label", true), ("hint", false)] {
            match block.get(name) {
                Some(text) => {
                    self.text(text, 2000, at, name);
                    if text.get("type").and_then(Value::as_str) != Some("plain_text") {
                        self.add("must be a plain_text object", &format!("{at}/{name}"));
                    }
                }
                None if needed => self.add(&format!("missing required field: {name}"), at),
                None => {}
            }
        }
        let Some(element) = block.get("element") else { return self.add("missing required field: element", at) };
        let at = format!("{at}/element");
        if let Some(id) = element.get("action_id") {
            self.length(id.as_str().unwrap_or_default(), 1, 255, &format!("{at}/action_id"));
        }
        match element.get("type").and_then(Value::as_str) {
            Some("plain_text_input") => {
                let number = |name: &str| element.get(name).map(|value| value.as_u64().unwrap_or_default());
                if number("max_length").is_some_and(|most| !(1..=3000).contains(&most)) {
                    self.add("must be between 1 and 3000", &format!("{at}/max_length"));
                }
                if number("min_length").is_some_and(|least| least > 3000) {
                    self.add("must be between 0 and 3000", &format!("{at}/min_length"));
                }
            }
            Some("external_select") => {
                if element.get("min_query_length").is_some_and(|least| least.as_u64().is_none()) {
                    self.add("must be a number", &format!("{at}/min_query_length"));
                }
                self.chosen(element, &at);
            }
            Some("static_select") => {
                for (place, option) in self.items(element, "options", 100, &at).iter().enumerate() {
                    self.option(option, &format!("{at}/options/{place}"));
                }
                let begins = element.get("initial_option");
                if begins.is_some_and(|one| !element.get("options").and_then(Value::as_array).is_some_and(|all| all.contains(one))) {
                    self.add("must be one of the options", &format!("{at}/initial_option"));
                }
                self.chosen(element, &at);
            }
            _ => self.add("unsupported type in input", &at),
        }
    }

    fn chosen(&mut self, element: &Value, at: &str) {
        if let Some(option) = element.get("initial_option") {
            self.option(option, &format!("{at}/initial_option"));
        }
        if let Some(text) = element.get("placeholder") {
            self.text(text, 150, at, "placeholder");
        }
    }

    fn option(&mut self, option: &Value, at: &str) {
        match option.get("text") {
            Some(text) => self.text(text, 75, at, "text"),
            None => self.add("missing required field: text", at),
        }
        self.length(option.get("value").and_then(Value::as_str).unwrap_or_default(), 1, 75, &format!("{at}/value"));
    }

    fn text(&mut self, text: &Value, most: usize, at: &str, name: &str) {
        self.text_object(text, most, &format!("{at}/{name}"));
    }

    fn text_object(&mut self, text: &Value, most: usize, at: &str) {
        if !matches!(text.get("type").and_then(Value::as_str), Some("mrkdwn" | "plain_text")) {
            self.add("must be a text object of type mrkdwn or plain_text", at);
        }
        match text.get("text").and_then(Value::as_str) {
            Some(words) => self.length(words, 1, most, &format!("{at}/text")),
            None => self.add("missing required field: text", at),
        }
        if text.get("type").and_then(Value::as_str) == Some("plain_text") && text.get("verbatim").is_some() {
            self.add("additional properties not allowed: verbatim", at);
        }
        if text.get("type").and_then(Value::as_str) == Some("mrkdwn") && text.get("emoji").is_some() {
            self.add("additional properties not allowed: emoji", at);
        }
    }

    fn image(&mut self, image: &Value, at: &str) {
        match image.get("alt_text").and_then(Value::as_str) {
            Some(text) => self.length(text, 1, 2000, &format!("{at}/alt_text")),
            None => self.add("missing required field: alt_text", at),
        }
    }

    fn element(&mut self, element: &Value, at: &str) {
        if let Some(id) = element.get("action_id") {
            self.length(id.as_str().unwrap_or_default(), 1, 255, &format!("{at}/action_id"));
        }
        if element.get("type").and_then(Value::as_str) != Some("button") {
            if element.get("type").and_then(Value::as_str).is_none() {
                self.add("missing required field: type", at);
            }
            return;
        }
        match element.get("text") {
            Some(text) => {
                self.text(text, 75, at, "text");
                if text.get("type").and_then(Value::as_str) != Some("plain_text") {
                    self.add("must be a plain_text object", &format!("{at}/text"));
                }
            }
            None => self.add("missing required field: text", at),
        }
        for (name, most) in [("value", 2000), ("url", 3000)] {
            if let Some(value) = element.get(name) {
                self.length(value.as_str().unwrap_or_default(), 1, most, &format!("{at}/{name}"));
            }
        }
        if element.get("style").is_some_and(|style| !matches!(style.as_str(), Some("primary" | "danger"))) {
            self.add("must be one of: primary, danger", &format!("{at}/style"));
        }
        if let Some(confirm) = element.get("confirm") {
            for (name, most) in [("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)] {
                match confirm.get(name) {
                    Some(text) => self.text(text, most, &format!("{at}/confirm"), name),
                    None => self.add(&format!("missing required field: {name}"), &format!("{at}/confirm")),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn section(text: &str) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
    }

    #[test]
    fn what_slack_takes_passes() {
        let button =
            json!({"type": "button", "action_id": "a", "value": "v", "style": "danger", "text": {"type": "plain_text", "text": "Stop"}});
        let blocks = [
            section("hello"),
            json!({"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]}),
            json!({"type": "actions", "elements": [button]}),
            json!({"type": "divider"}),
            json!({"type": "rich_text", "elements": []}),
        ];
        assert_eq!(faults(&blocks), Vec::<String>::new());
    }

    #[test]
    fn what_slack_refuses_is_refused_with_its_place() {
        let long = "x".repeat(3001);
        assert_eq!(faults(&[section(&long)]), ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]);
        assert_eq!(faults(&[section("")]), ["[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"]);
        assert_eq!(faults(&vec![section("a"); 51]).len(), 1);
        assert_eq!(faults(&[json!({"type": "poem"})]).len(), 1);
        assert_eq!(faults(&[json!({"type": "actions", "elements": []})]).len(), 1);
        let twice = json!({"type": "divider", "block_id": "same"});
        assert_eq!(faults(&[twice.clone(), twice]).len(), 1);
        let label = json!({"type": "button", "text": {"type": "plain_text", "text": "x".repeat(76)}});
        assert_eq!(faults(&[json!({"type": "actions", "elements": [label]})]).len(), 1);
        let style = json!({"type": "button", "style": "warning", "text": {"type": "plain_text", "text": "x"}});
        assert_eq!(faults(&[json!({"type": "actions", "elements": [style]})]).len(), 1);
    }
}
