//! The pages of installing, asked as a browser asks: looking changes nothing, and only the browser that set out comes back.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::adapters::secrets::SystemSecrets;
use crate::domain::installation::{BotRight, Tenant};
use crate::domain::names::{ScopeName, WorkspaceId};
use crate::ports::{BotScope, Done, PortError, Service};

#[derive(Debug)]
struct Noted {
    codes: Mutex<Vec<String>>,
    no: Option<NotInstalled>,
}

#[async_trait]
impl Installing for Noted {
    fn asks_for(&self) -> Vec<BotScope> {
        vec![BotScope { scope: ScopeName::parse("commands").unwrap(), right: BotRight::BeAsked }]
    }

    fn agree_at(&self, state: &SecretString) -> SecretString {
        format!("https://chat.example.com/agree?state={}", state.expose_secret()).into()
    }

    async fn install(&self, code: SecretString) -> Result<Done, NotInstalled> {
        self.codes.lock().unwrap().push(code.expose_secret().to_owned());
        let tenant = Tenant::Workspace(WorkspaceId::parse("T1").unwrap());
        let done = Done { tenant, name: Some("<b>Acme".to_owned()), again: false, lacks: vec![BotRight::BeAsked] };
        self.no.clone().map_or(Ok(done), Err)
    }
}

struct Stage {
    router: Router,
    noted: Arc<Noted>,
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Stage {
    fn set(no: Option<NotInstalled>) -> Self {
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let settings = InstallPagesSettings {
            public: base("https://ship.example.com"),
            chat: base("https://chat.example.com/api"),
            command_word: "/h".to_owned(),
        };
        let noted = Arc::new(Noted { codes: Mutex::default(), no });
        Self { router: install_router(&settings, noted.clone(), Arc::new(SystemSecrets)), noted }
    }

    async fn ask(&self, request: http::request::Builder, body: String) -> Seen {
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Seen { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Seen {
        self.ask(Request::get(path), String::new()).await
    }

    async fn post(&self, path: &str, cookie: &str, body: String) -> Seen {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, "https://ship.example.com")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request, body).await
    }

    /// Sets out; gives the cookie and the state.
    async fn set_out(&self) -> (String, String) {
        let seen = self.post("/slack/install", "", String::new()).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER);
        let set = seen.header("set-cookie").to_owned();
        assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Strict; Secure"), "{set}");
        let cookie = set.split(';').next().unwrap().to_owned();
        let state = seen.header("location").strip_prefix("https://chat.example.com/agree?state=").unwrap().to_owned();
        assert!(state.len() >= 43 && cookie.starts_with("__Host-install="), "{cookie}");
        (cookie, state)
    }

    fn codes(&self) -> Vec<String> {
        std::mem::take(&mut self.noted.codes.lock().unwrap())
    }
}

#[tokio::test]
async fn looking_changes_nothing_and_every_answer_keeps_to_itself() {
    let stage = Stage::set(None);
    for path in ["/slack/install", "/slack/installed?state=s&code=c", "/slack/installed?error=access_denied&state=s"] {
        let seen = stage.get(path).await;
        assert_eq!((seen.status, seen.header("set-cookie"), stage.codes().len()), (StatusCode::OK, "", 0), "{path}");
        assert_eq!(
            seen.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; form-action 'self' https://chat.example.com; frame-ancestors 'none'; base-uri 'none'"
        );
        assert_eq!((seen.header("cache-control"), seen.header("x-frame-options")), ("no-store", "DENY"));
        assert!(!seen.body.contains("<script") && !seen.body.contains("style="), "{}", seen.body);
    }
    let seen = stage.get("/slack/install").await;
    assert!(seen.body.contains("<code>commands</code>: to be asked by its command"), "{}", seen.body);
    assert_eq!(stage.get("/slack/installed").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_the_browser_that_set_out_comes_back_and_once() {
    let stage = Stage::set(None);
    let (cookie, state) = stage.set_out().await;
    let (other, _) = stage.set_out().await;
    let body = |state: &str| format!("state={state}&code=a-code");
    for (cookie, state) in [("", state.as_str()), (other.as_str(), state.as_str()), (cookie.as_str(), "another")] {
        let seen = stage.post("/slack/installed", cookie, body(state)).await;
        assert_eq!((seen.status, stage.codes().len()), (StatusCode::CONFLICT, 0), "{cookie} {state}");
    }
    let seen = stage.post("/slack/installed", &cookie, body(&state)).await;
    assert_eq!((seen.status, stage.codes()), (StatusCode::OK, vec!["a-code".to_owned()]));
    assert!(seen.header("set-cookie").contains("Max-Age=0"), "the way is used up");
    assert!(seen.body.contains("&#60;b&#62;Acme") && seen.body.contains("Not granted"), "{}", seen.body);
    let foreign = Request::post("/slack/install").header("sec-fetch-site", "cross-site");
    assert_eq!(stage.ask(foreign, String::new()).await.status, StatusCode::FORBIDDEN);
    let foreign = Request::post("/slack/installed").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(stage.ask(foreign, body(&state)).await.status, StatusCode::FORBIDDEN);
    assert!(stage.codes().is_empty());
}

#[tokio::test]
async fn what_did_not_work_is_told_with_a_way_on() {
    let refused = |fault| NotInstalled::Outside(PortError::new(Service::Chat, fault, "detail-for-the-log").saying("invalid_code"));
    for (no, status) in [
        (refused(Fault::Refused), StatusCode::BAD_REQUEST),
        (refused(Fault::Unclear), StatusCode::BAD_GATEWAY),
        (NotInstalled::Broken, StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let stage = Stage::set(Some(no));
        let (cookie, state) = stage.set_out().await;
        let seen = stage.post("/slack/installed", &cookie, format!("state={state}&code=c")).await;
        assert_eq!(seen.status, status);
        assert!(seen.body.contains("Begin again") && !seen.body.contains("detail-for-the-log"), "{}", seen.body);
    }
}
