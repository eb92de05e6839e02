//! Whatever holds a secret prints without it: as it is shown, as it is looked at, as an error with its causes, and in a panic.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::Method;
use secrecy::SecretString;
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::http::call::{Call, authorized, exchange};
use slash_heroku::adapters::http::client::client;
use slash_heroku::ports::Service;
use slash_heroku::sandbox::company::HEROKU_TOKEN;
use slash_heroku::sandbox::secrets::MARK;

use super::Needles;
use super::holders::holders;
use super::search::files_below;

#[test]
fn whatever_holds_a_secret_prints_without_it() {
    let needles = Needles::common(&[]);
    for (name, holder) in holders() {
        for text in [format!("{holder:?}"), format!("{holder:#?}")] {
            assert!(text.len() > 5, "{name} is printed");
            assert_eq!(needles.find("its own print", &text), None, "{name}");
        }
    }
}

/// Types that hold a secret and need not be printed here, and why.
const NOT_PRINTED: [(&str, &str); 7] = [
    ("Token", "read from an answer, opened at once; it has no Debug"),
    ("Told", "read from an answer, opened at once; it has no Debug"),
    ("Given", "read from an answer, opened at once; it has no Debug"),
    ("Brought", "read from the address of a request; it has no Debug"),
    ("Opened", "private to what answers an address; it has no Debug"),
    ("Known", "an address of a stream; it has no Debug, and the memory around it prints nothing of it"),
    ("Ask", "private to the adapter: prints method and path by itself, which the adapter's own tests look at"),
];

/// The types that a source declares with a secret in them, tests of its own left out.
fn declared(tokens: proc_macro2::TokenStream) -> BTreeSet<String> {
    use proc_macro2::TokenTree as Tree;
    let (mut found, mut named, mut declares): (_, Option<String>, _) = (BTreeSet::new(), None, false);
    for tree in tokens {
        match tree {
            Tree::Ident(word) if word == "struct" || word == "enum" => (declares, named) = (true, None),
            Tree::Ident(word) if declares && named.is_none() => named = Some(word.to_string()),
            Tree::Group(group) => {
                if let Some(name) = named.take_if(|_| declares) {
                    declares = false;
                    if group
                        .stream()
                        .to_string()
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == "SecretString" || word == "SecretBox")
                    {
                        found.insert(name);
                    }
                } else {
                    found.extend(declared(group.stream()));
                }
            }
            Tree::Punct(mark) if mark.as_char() == ';' => (declares, named) = (false, None),
            Tree::Ident(_) | Tree::Punct(_) | Tree::Literal(_) => {}
        }
    }
    found
}

#[test]
fn every_type_that_holds_a_secret_is_printed_here() {
    let (top, mut sources) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), Vec::new());
    sources.extend(files_below(&top).into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")));
    let mut found = BTreeSet::new();
    for file in sources {
        let text = std::fs::read_to_string(&file).unwrap();
        if text.contains("SecretString") || text.contains("SecretBox") {
            found.extend(declared(text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()))));
        }
    }
    assert!(found.len() > 15, "the types were not found: {found:?}");
    let printed: BTreeSet<&str> = holders().into_iter().map(|(name, _)| name).collect();
    let excepted: BTreeSet<&str> = NOT_PRINTED.iter().map(|(name, _)| *name).collect();
    let missing: Vec<&String> = found.iter().filter(|name| !printed.contains(name.as_str()) && !excepted.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?} hold secrets: print one in `holders`, or say in NOT_PRINTED why not");
    let gone: Vec<&&str> = excepted.iter().filter(|name| !found.contains(**name) || printed.contains(**name)).collect();
    assert!(gone.is_empty(), "{gone:?} hold no secret any more, or are printed: take them off NOT_PRINTED");
}

#[test]
fn a_type_that_holds_a_secret_is_found() {
    let source = "pub struct A<'a> { x: Option<&'a SecretString> } struct B(SecretBox<str>); struct C; enum D { E(SecretString) } \
                  struct F { x: u8 } mod inner { struct G { x: Vec<SecretString> } } fn f(x: SecretString) { struct H { x: u8 } }";
    let found: Vec<String> = declared(source.parse().unwrap()).into_iter().collect();
    assert_eq!(found, ["A", "B", "D", "G"]);
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
    let holders = holders();
    let many = holders.len();
    for (_, holder) in holders {
        let payload = catch_unwind(AssertUnwindSafe(|| std::hint::black_box(Err::<(), _>(holder)).unwrap())).unwrap_err();
        let said = payload.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(said.contains("called `Result::unwrap()`"), "{said}");
        assert_eq!(needles.find("a panic", &said), None);
    }
    drop(std::panic::take_hook());
    let told = told.lock().unwrap();
    assert!(told.lines().count() >= 2 * many, "the hook was told of every panic: {told}");
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
