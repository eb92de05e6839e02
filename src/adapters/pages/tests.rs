//! The pages, asked as a browser asks: what they show, what they keep to themselves, and that looking changes nothing.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use secrecy::{ExposeSecret, SecretString};
use tower::ServiceExt;

use super::*;
use crate::domain::account::{Provider, Right};
use crate::domain::actor::Person;
use crate::domain::names::{ScopeName, UserId, WorkspaceId};
use crate::domain::sign_in::{Asked, Dead, End, Leg, View};
use crate::ports::{Fault, NoVisit, PortError, Service};

/// Visits that note what is done and answer as told.
#[derive(Debug)]
struct Noted {
    done: Mutex<Vec<String>>,
    no: Option<NoVisit>,
}

impl Noted {
    fn note<T>(&self, what: String, yes: T) -> Result<T, NoVisit> {
        self.done.lock().unwrap().push(what);
        self.no.clone().map_or(Ok(yes), Err)
    }
}

fn person() -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() }
}

#[async_trait]
impl Visits for Noted {
    async fn look(&self, _: &SecretString) -> Result<Person, NoVisit> {
        self.no.clone().map_or(Ok(person()), Err)
    }

    async fn open(&self, link: &SecretString) -> Result<SecretString, NoVisit> {
        self.note(format!("open {}", link.expose_secret()), "of-this-browser".into())
    }

    async fn view(&self, browser: &SecretString) -> Result<View, NoVisit> {
        if browser.expose_secret() != "of-this-browser" {
            return Err(NoVisit::Unknown);
        }
        let asks = |scope: &str, right| vec![Asked { scope: Some(ScopeName::parse(scope).unwrap()), rights: vec![right] }];
        let legs = vec![
            Leg { at: Provider::SourceControl, linked: true, before: false, asks: asks("repo", Right::ReadSource) },
            Leg { at: Provider::Platform, linked: false, before: false, asks: asks("write", Right::Ship) },
        ];
        self.no.clone().map_or(Ok(View { person: person(), legs }), Err)
    }

    async fn set_out(&self, _: &SecretString, to: Provider) -> Result<SecretString, NoVisit> {
        self.note(format!("set out to {to:?}"), "https://id.example.com/agree?state=s".into())
    }

    async fn come_back(&self, _: &SecretString, state: &SecretString, code: Option<SecretString>) -> Result<Provider, NoVisit> {
        let code = code.map(|code| code.expose_secret().to_owned());
        self.note(format!("come back with {} and {code:?}", state.expose_secret()), Provider::Platform)
    }

    async fn done(&self, _: &SecretString) -> Result<SecretString, NoVisit> {
        self.note("done".to_owned(), "12345678".into())
    }
}

struct Stage {
    router: Router,
    noted: Arc<Noted>,
}

struct Seen {
    status: StatusCode,
    headers: header::HeaderMap,
    body: String,
}

impl Stage {
    fn at(public: &str, no: Option<NoVisit>) -> Self {
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let settings = PagesSettings {
            public: base(public),
            services: vec![base("https://code.example.com/below"), base("https://id.example.com")],
            command_word: "/h".to_owned(),
        };
        let noted = Arc::new(Noted { done: Mutex::default(), no });
        Self { router: router(&settings, Arc::<Noted>::clone(&noted) as Arc<dyn Visits>), noted }
    }

    fn set(no: Option<NoVisit>) -> Self {
        Self::at("https://ship.example.com", no)
    }

    async fn ask(&self, request: http::request::Builder, body: &'static str) -> Seen {
        let response: Response<Body> = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Seen { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Seen {
        self.ask(Request::get(path).header("cookie", "other=1; __Host-sign-in=of-this-browser"), "").await
    }

    async fn post(&self, path: &str, body: &'static str) -> Seen {
        let request = Request::post(path)
            .header("cookie", "__Host-sign-in=of-this-browser")
            .header("origin", "https://ship.example.com")
            .header("content-type", "application/x-www-form-urlencoded");
        self.ask(request, body).await
    }

    fn done(&self) -> Vec<String> {
        std::mem::take(&mut self.noted.done.lock().unwrap())
    }
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

const PATHS: [&str; 5] =
    ["/login", "/login/a-link", "/login/back?state=s&code=c", "/login/back?error=access_denied&state=s", "/login/style.css"];

#[tokio::test]
async fn looking_changes_nothing_and_every_answer_keeps_to_itself() {
    let stage = Stage::set(None);
    for path in PATHS {
        let seen = stage.get(path).await;
        assert_eq!((seen.status, stage.done().as_slice()), (StatusCode::OK, [].as_slice()), "{path}");
        assert_eq!(seen.header("set-cookie"), "", "{path}");
        assert_eq!(
            seen.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; form-action 'self' https://code.example.com https://id.example.com; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        assert_eq!((seen.header("x-content-type-options"), seen.header("x-frame-options")), ("nosniff", "DENY"));
        assert_eq!(seen.header("referrer-policy"), "same-origin");
        assert!(seen.header("strict-transport-security").starts_with("max-age="));
        assert_eq!(seen.header("cache-control"), if path.ends_with("css") { "max-age=3600" } else { "no-store" });
        // Nothing is asked of anybody else, and nothing runs.
        for foreign in ["<script", "src=", "url(", "@import", "style=", "http-equiv", "onclick"] {
            assert!(!seen.body.contains(foreign), "{foreign} in {path}");
        }
        for attribute in ["href=\"", "action=\""] {
            assert!(seen.body.split(attribute).skip(1).all(|to| to.starts_with('/')), "{attribute} in {path}");
        }
        for method in [Request::head(path), Request::options(path)] {
            stage.ask(method, "").await;
        }
        assert_eq!(stage.done(), [""; 0]);
    }
}

#[tokio::test]
async fn a_form_counts_only_where_one_of_our_pages_sent_it() {
    let stage = Stage::set(None);
    for path in ["/login/a-link", "/login/to/github", "/login/back", "/login/done"] {
        let bare = || {
            Request::post(path)
                .header("cookie", "__Host-sign-in=of-this-browser")
                .header("content-type", "application/x-www-form-urlencoded")
        };
        for foreign in [
            bare(),
            bare().header("origin", "https://evil.example.com"),
            bare().header("origin", "null"),
            bare().header("origin", "https://ship.example.com").header("sec-fetch-site", "cross-site"),
            bare().header("sec-fetch-site", "same-site"),
        ] {
            let seen = stage.ask(foreign, "state=s&code=c").await;
            assert_eq!((seen.status, stage.done().as_slice()), (StatusCode::FORBIDDEN, [].as_slice()), "{path}");
        }
    }
}

#[tokio::test]
async fn each_step_is_one_form() {
    let stage = Stage::set(None);
    let opened = stage.post("/login/a-link", "").await;
    assert_eq!((opened.status, opened.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert_eq!(opened.header("set-cookie"), "__Host-sign-in=of-this-browser; Path=/; Max-Age=1200; HttpOnly; SameSite=Strict; Secure");
    let out = stage.post("/login/to/heroku", "").await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "https://id.example.com/agree?state=s"));
    assert_eq!(stage.post("/login/to/nowhere", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.post("/login/back", "state=s&code=c").await.header("location"), "/login");
    assert_eq!(stage.post("/login/back", "state=s").await.header("location"), "/login");
    let done = stage.post("/login/done", "").await;
    assert!(done.body.contains("12345678") && done.body.contains("A login at Heroku will still be missing."), "{}", done.body);
    assert!(done.body.contains("<code>/h login PASSCODE</code>"), "{}", done.body);
    assert_eq!(
        stage.done(),
        ["open a-link", "set out to Platform", "come back with s and Some(\"c\")", "come back with s and None", "done"]
    );
    // Where nothing is encrypted, on this machine, browsers would not take the cookie of an encrypted page.
    let plain = Stage::at("http://127.0.0.1:8080", None);
    let opened = plain.ask(Request::post("/login/a-link").header("sec-fetch-site", "same-origin"), "").await;
    assert_eq!(opened.header("set-cookie"), "sign-in=of-this-browser; Path=/; Max-Age=1200; HttpOnly; SameSite=Strict");
    assert_eq!(opened.header("strict-transport-security"), "");
}

#[tokio::test]
async fn what_is_asked_for_stands_there_with_its_reason() {
    let stage = Stage::set(None);
    let page = stage.get("/login").await.body;
    for words in [
        "<html lang=\"en\">",
        "width=device-width",
        "<code>repo</code>: to read branches",
        "<code>write</code>: to see your apps, build and release, without their config vars",
        "Sign in to Heroku",
        "<span class=\"state done\">signed in</span>",
        "Still missing: Heroku.",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(page.matches("<button").count(), page.matches("<button type=\"submit\"").count());
    let back = stage.get("/login/back?state=%22%3E%3Cb%3E&code=c").await.body;
    assert!(!back.contains("<b>") && back.contains("name=\"state\" value=\"&#34;&#62;&#60;b&#62;\""), "{back}");
}

#[tokio::test]
async fn whatever_leads_nowhere_says_why_and_the_way_on() {
    let ends = [End::Confirmed, End::Replaced, End::RanOut, End::WrongPasscodes, End::GivenUp];
    let dead = [Dead::OpenedBefore, Dead::RanOut, Dead::OtherBrowser, Dead::NoSuchWay, Dead::NothingLinked];
    let mut titles = std::collections::BTreeSet::new();
    for dead in ends.into_iter().map(Dead::Over).chain(dead) {
        let seen = Stage::set(Some(NoVisit::Dead(dead))).get("/login/a-link").await;
        assert!(seen.status.is_client_error() && seen.status != StatusCode::NOT_FOUND, "{dead:?}: {}", seen.status);
        assert!(
            seen.body.contains("/h login") || seen.body.contains("Back to the choice") || dead == Dead::Over(End::Confirmed),
            "{dead:?}: {}",
            seen.body
        );
        titles.insert(seen.body.split("<h1>").nth(1).unwrap().split('<').next().unwrap().to_owned());
    }
    assert_eq!(titles.len(), 8, "{titles:?}");
    let unknown = Stage::set(Some(NoVisit::Unknown)).get("/login").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.header("set-cookie"), "__Host-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    let error = PortError {
        mend_at: Some("https://code.example.com/sso?x=1&y=2".to_owned()),
        ..PortError::new(Service::SourceControl, Fault::Forbidden, "who")
    };
    let saml = Stage::set(Some(NoVisit::Outside(error.saying("Resource protected by <SAML>")))).post("/login/back", "state=s&code=c").await;
    assert_eq!(saml.status, StatusCode::BAD_GATEWAY);
    assert!(saml.body.contains("Resource protected by &#60;SAML&#62;"), "{}", saml.body);
    assert!(
        saml.body.contains("<a href=\"https://code.example.com/sso?x=1&#38;y=2\" rel=\"noreferrer\">Mend it there</a>"),
        "{}",
        saml.body
    );
    assert_eq!(Stage::set(Some(NoVisit::Broken)).get("/login").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}
