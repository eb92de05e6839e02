//! Whatever holds a secret prints without it: as it is shown, as it is looked at, as an error with its causes, and in a panic.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use http::{HeaderValue, Method};
use secrecy::SecretString;
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::http::call::{Call, authorized, exchange};
use slash_heroku::adapters::http::client::client;
use slash_heroku::adapters::slack::Sealer;
use slash_heroku::config::{self, Variables};
use slash_heroku::domain::actor::{Origin, Person, ReplyAddress};
use slash_heroku::domain::command::Command;
use slash_heroku::domain::request::Ask;
use slash_heroku::ports::{BuildOrder, Credentials, Incoming, Service, UploadedSource};
use slash_heroku::sandbox::company::{CODES, GITHUB_TOKEN, HEROKU_TOKEN};
use slash_heroku::sandbox::secrets::MARK;

use super::Needles;

fn of<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap()
}

fn origin() -> Origin {
    let reply = Some(ReplyAddress::sealed(format!("http://127.0.0.1:9/commands/T1/1/{MARK}")));
    Origin { person: Person { workspace: of("T1"), user: of("U1") }, channel: of("C1"), reply }
}

/// One of every type that holds a secret.
fn holders() -> Vec<Box<dyn Debug + Send>> {
    let source = || UploadedSource {
        address: SecretString::from(format!("https://s.example.com/uploads/1?X-Amz-Signature={MARK}")),
        sha256: "0".repeat(64),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    let order = BuildOrder {
        source: source(),
        commit: of(&"1".repeat(40)),
        repository: of("acme/hubot"),
        deployment: of("00000000-0000-0000-0000-000000000007"),
    };
    let incoming =
        Incoming { id: of("1.2.x"), origin: origin(), ask: Ask::Command(Command::Pipelines), code: Some(SecretString::from(CODES[0])) };
    let url = format!("https://user:{MARK}@api.example.com/uploads/1?X-Amz-Signature={MARK}").parse().unwrap();
    let call = Call::new(Service::Platform, Method::PUT, url, "/uploads").json(&serde_json::json!({ "url": MARK }));
    let call = authorized(call, &SecretString::from(HEROKU_TOKEN)).unwrap();
    let call = call.header(http::header::COOKIE, HeaderValue::from_static(GITHUB_TOKEN));
    let credentials = Credentials { source: SecretString::from(GITHUB_TOKEN), platform: SecretString::from(HEROKU_TOKEN) };
    let variables: Variables = [
        ("SLASH_HEROKU_SLACK_SIGNING_SECRET", "sandbox-signing-secret"),
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", "sandbox-bot-token"),
        ("SLASH_HEROKU_GITHUB_TOKEN", GITHUB_TOKEN),
        ("SLASH_HEROKU_HEROKU_TOKEN", HEROKU_TOKEN),
        ("SLASH_HEROKU_PERSON_WORKSPACE", "T1"),
        ("SLASH_HEROKU_PERSON_USER", "U1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let settings = config::load(&variables).unwrap();
    let sealer = Sealer::new(&[SecretString::from("sandbox-signing-secret")]).unwrap();
    vec![
        Box::new(source()),
        Box::new(order),
        Box::new(incoming),
        Box::new(call),
        Box::new(credentials),
        Box::new(settings),
        Box::new(sealer),
        Box::new(origin()),
    ]
}

#[test]
fn whatever_holds_a_secret_prints_without_it() {
    let needles = Needles::common(&[]);
    for holder in holders() {
        for text in [format!("{holder:?}"), format!("{holder:#?}")] {
            assert!(text.len() > 5, "something is printed");
            assert_eq!(needles.find("its own print", &text), None);
        }
    }
}

#[test]
fn a_panic_with_a_secret_in_hand_does_not_tell_it() {
    let told: Arc<Mutex<String>> = Arc::default();
    let here = std::thread::current().id();
    let before = std::panic::take_hook();
    let page = Arc::clone(&told);
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == here {
            page.lock().unwrap().push_str(&format!("{panic}\n{panic:?}\n"));
        } else {
            before(panic);
        }
    }));
    let needles = Needles::common(&[]);
    for holder in holders() {
        let payload = catch_unwind(AssertUnwindSafe(|| std::hint::black_box(Err::<(), _>(holder)).unwrap())).unwrap_err();
        let said = payload.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(said.contains("called `Result::unwrap()`"), "{said}");
        assert_eq!(needles.find("a panic", &said), None);
    }
    drop(std::panic::take_hook());
    let told = told.lock().unwrap();
    assert!(told.lines().count() >= 16, "the hook was told of every panic: {told}");
    assert_eq!(needles.find("the panic hook", &told), None);
}

/// What a failing call tells, down to its last cause, whatever is wrong with the address, the name or the connection.
#[tokio::test]
async fn an_error_with_its_causes_does_not_tell_the_address() {
    let needles = Needles::common(&[]);
    let client = client(Some(std::time::Duration::from_secs(5))).unwrap();
    for place in ["http://127.0.0.1:9", "http://127.0.0.1:0", "ftp://127.0.0.1", "http://nowhere.invalid"] {
        let url = format!("{place}/uploads/1?X-Amz-Signature={MARK}&token={MARK}").parse().unwrap();
        let call = Call::new(Service::Platform, Method::GET, url, "/uploads");
        let call = authorized(call, &SecretString::from(HEROKU_TOKEN)).unwrap();
        let fault = exchange(&client, call, 1000).await.unwrap_err();
        let error = fault.error(Service::Platform, "GET /uploads", true);
        let mut all = format!("{fault} {fault:?} {error} {error:?}");
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            all.push_str(&format!("{error} {error:?}"));
            cause = error.source();
        }
        assert_eq!(needles.find("an error", &all), None);
    }
    for bad in [format!("https://user:{MARK}@example.com"), format!("http://example.com/?token={MARK}"), MARK.to_owned()] {
        let error = BaseUrl::parse(&bad).unwrap_err();
        assert_eq!(needles.find("an error", &format!("{error} {error:?}")), None);
    }
}
