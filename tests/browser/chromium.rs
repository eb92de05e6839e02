//! A real browser: Debian's Chromium without a window, told what to do by Chromium's own protocol over a pair of pipes.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long one answer or one event may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The browser reads its orders from the third descriptor and answers on the fourth: those are our pipes.
const BEGIN: &str = r#"exec chromium "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#;

/// A browser with one page.
pub struct Chromium {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    process: Child,
    _profile: TempDir,
    last: u64,
    session: String,
    /// What happened and was not looked at yet.
    happened: VecDeque<Value>,
}

impl Chromium {
    /// Starts one. Without Chromium the test fails here, and says how to get it.
    pub async fn start() -> Self {
        let there = Command::new("sh").args(["-c", "command -v chromium"]).stdout(Stdio::null()).status().await.unwrap();
        assert!(
            there.success(),
            "there is no `chromium` to look at pages with: it is Debian's package of that name, and `./setup` installs it"
        );
        let profile = tempfile::Builder::new().prefix("slash-heroku-browser-").tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut command = Command::new("sh");
        command.args(["-c", BEGIN, "chromium"]).arg(data);
        command.args([
            "--headless",
            "--remote-debugging-pipe",
            // It sees our own pages only, and in most containers it can have no sandbox of its own.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-default-browser-check",
            "--no-proxy-server",
            "--lang=en",
        ]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (orders, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut browser = Self { orders, answers, process, _profile: profile, last: 0, session: String::new(), happened: VecDeque::new() };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true })).await;
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for part in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{part}.enable"), json!({})).await;
        }
        // As if its window were the one in front: where somebody is by the keyboard is shown in that one only.
        browser.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
        browser
    }

    /// Ends it.
    pub async fn quit(mut self) {
        self.call("Browser.close", json!({})).await;
        tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut told = Vec::new();
        let heard = tokio::time::timeout(PATIENCE, self.answers.read_until(0, &mut told)).await;
        let length = heard.expect("the browser says nothing").unwrap();
        assert!(length > 0, "the browser has ended: {:?}", self.process.try_wait());
        told.pop();
        serde_json::from_slice(&told).unwrap()
    }

    /// Has it do something.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut order = json!({ "id": id, "method": method, "params": parameters });
        if !self.session.is_empty() && !method.starts_with("Browser.") {
            order["sessionId"] = json!(self.session);
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        self.orders.write_all(&bytes).await.unwrap();
        loop {
            let mut heard = self.hear().await;
            if heard["id"] == id {
                assert!(heard.get("error").is_none(), "{method}: {}", heard["error"]);
                return heard["result"].take();
            }
            if heard.get("id").is_none() {
                self.happened.push_back(heard);
            }
        }
    }

    /// What happened of this kind since it was asked last, without waiting.
    pub fn happened(&mut self, method: &str) -> Vec<Value> {
        let (these, others) = std::mem::take(&mut self.happened).into_iter().partition(|event| event["method"] == method);
        self.happened = others;
        let these: VecDeque<Value> = these;
        these.into_iter().map(|mut event| event["params"].take()).collect()
    }

    /// What an expression of the page comes to.
    pub async fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut came = self.call("Runtime.evaluate", parameters).await;
        assert!(came.get("exceptionDetails").is_none(), "{expression}: {}", came["exceptionDetails"]);
        came["result"]["value"].take()
    }

    async fn loaded(&mut self) {
        loop {
            if !self.happened("Page.loadEventFired").is_empty() {
                return;
            }
            let heard = self.hear().await;
            self.happened.push_back(heard);
        }
    }

    /// Opens an address.
    pub async fn open(&mut self, address: &str) {
        self.happened("Page.loadEventFired");
        let came = self.call("Page.navigate", json!({ "url": address })).await;
        assert!(came.get("errorText").is_none(), "{address}: {came}");
        self.loaded().await;
    }

    /// Presses a key that stands for itself and for no letter.
    pub async fn key(&mut self, name: &str, code: u32) {
        let text = if name == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", key).await;
        }
    }

    /// Goes by the keyboard alone to what has these words, and presses it; waits for the page that comes.
    pub async fn press(&mut self, label: &str) {
        self.happened("Page.loadEventFired");
        self.value("document.activeElement?.blur()").await;
        let mut met = Vec::new();
        for _ in 0..30 {
            self.key("Tab", 9).await;
            let at = self.value("document.activeElement?.textContent.trim() ?? ''").await;
            if at == label {
                self.key("Enter", 13).await;
                return self.loaded().await;
            }
            met.push(at);
        }
        panic!("no key leads to `{label}`: {met:?}");
    }

    /// A screen of this size, in the light or in the dark.
    pub async fn screen(&mut self, (width, height): (u32, u32), scheme: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Keeps a picture of the page, of a long one its beginning.
    pub async fn picture(&mut self, file: &Path) {
        let clip = self.value("({ x: 0, y: 0, scale: 1, width: innerWidth, height: Math.min(document.body.scrollHeight, 3000) })").await;
        let came = self.call("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true, "clip": clip })).await;
        let bytes = base64::engine::general_purpose::STANDARD.decode(came["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}
