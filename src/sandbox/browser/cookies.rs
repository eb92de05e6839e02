//! Cookies, kept by origin, with the rules that ours rely on.

use std::collections::BTreeMap;

use url::Url;

#[derive(Debug)]
struct Cookie {
    value: String,
    /// It is sent only where no other site had a hand in it.
    strict: bool,
}

/// All cookies of a browser.
#[derive(Debug, Default)]
pub(super) struct Cookies(BTreeMap<(String, String), Cookie>);

impl Cookies {
    /// What is sent along with a request.
    pub(super) fn for_url(&self, url: &Url, same_site: bool) -> Option<String> {
        let origin = url.origin().ascii_serialization();
        let fitting = self.0.iter().filter(|((of, _), cookie)| *of == origin && (same_site || !cookie.strict));
        let pairs: Vec<String> = fitting.map(|((_, name), cookie)| format!("{name}={}", cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer sets; gives its value, which is a secret. An error: a browser would not take it, or it can be read by a
    /// script.
    pub(super) fn set(&mut self, url: &Url, text: &str) -> Result<Option<String>, String> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).ok_or("a cookie without a name")?;
        let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let has = |attribute: &str| attributes.iter().any(|known| known == attribute);
        let encrypted = url.scheme() == "https";
        if name.starts_with("__Host-")
            && !(encrypted && has("secure") && has("path=/") && !attributes.iter().any(|a| a.starts_with("domain")))
        {
            return Err(format!("a browser does not take the cookie {name}: {attributes:?}"));
        }
        if has("secure") && !encrypted {
            return Err(format!("the cookie {name} is for encrypted pages only"));
        }
        if !has("httponly") {
            return Err(format!("scripts can read the cookie {name}"));
        }
        let key = (url.origin().ascii_serialization(), name.to_owned());
        if has("max-age=0") {
            self.0.remove(&key);
            return Ok(None);
        }
        self.0.insert(key, Cookie { value: value.to_owned(), strict: has("samesite=strict") });
        Ok(Some(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_taken_and_sent_as_browsers_do() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (own, plain) = (url("https://a.example/login"), url("http://127.0.0.1:1/login"));
        let mut cookies = Cookies::default();
        let whole = "__Host-x=1; Path=/; HttpOnly; Secure; SameSite=Strict";
        assert_eq!(cookies.set(&own, whole), Ok(Some("1".to_owned())));
        assert_eq!(cookies.for_url(&own, true).as_deref(), Some("__Host-x=1"));
        assert_eq!(cookies.for_url(&own, false), None);
        assert_eq!(cookies.for_url(&url("https://b.example/login"), true), None);
        for wrong in [
            whole.replace("Secure", "a"),
            whole.replace("Path=/", "Path=/x"),
            format!("{whole}; Domain=a.example"),
            whole.replace("HttpOnly", "a"),
        ] {
            assert!(cookies.set(&own, &wrong).is_err(), "{wrong}");
        }
        assert!(cookies.set(&plain, whole).is_err() && cookies.set(&plain, "x=1; Secure; HttpOnly").is_err());
        assert_eq!(cookies.set(&own, &format!("{whole}; Max-Age=0")), Ok(None));
        assert_eq!(cookies.for_url(&own, true), None);
    }
}
