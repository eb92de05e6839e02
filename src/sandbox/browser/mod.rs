//! A browser, as the simulated people use it: keeps cookies by the rules that browsers have for them, follows redirects, says where a
//! form stood, and holds a page to what it says of its own forms. No script runs in it.

mod cookies;
mod page;

use std::collections::BTreeSet;

use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use url::Url;

use cookies::Cookies;
pub use page::Page;

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// A browser.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    /// Where the service says that it is, and where it listens in truth: what ends HTTPS stands between in the real world.
    public: Url,
    cookies: Cookies,
    page: Option<Page>,
    secrets: BTreeSet<String>,
    shown: Vec<(String, String)>,
}

/// Where a request comes from.
struct Sender<'a> {
    /// The origin of the page that sends it; `None`: another program.
    origin: Option<&'a str>,
    /// Where that page lets its forms lead to.
    forms: Option<&'a [String]>,
}

impl Browser {
    /// A browser without a past, for a service that says of itself that it is at `public`.
    pub fn new(public: &str) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent("a simulated browser")
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| format!("no client: {error}"))?;
        let public = Url::parse(public).map_err(|_| format!("{public} is no address"))?;
        Ok(Self { client, public, cookies: Cookies::default(), page: None, secrets: BTreeSet::new(), shown: Vec::new() })
    }

    /// The page that it shows.
    pub fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// Every secret that it was given and that is nobody else's: links, cookies, passcodes.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    /// Every page and file of the service that it was shown: where, and the whole text but for what it brought itself.
    pub fn shown(&self) -> &[(String, String)] {
        &self.shown
    }

    /// Opens an address that stood in another program, such as a chat.
    pub async fn open(&mut self, service: &str, address: &str) -> Result<(), String> {
        let url = Url::parse(address).map_err(|_| format!("{address} is no address"))?;
        if let Some(secret) = url.path_segments().and_then(|mut segments| segments.next_back()).filter(|last| last.len() > 30) {
            self.secrets.insert(secret.to_owned());
        }
        self.go(service, Method::GET, url, None, &Sender { origin: None, forms: None }).await
    }

    /// Presses a button, or follows a link, with this label on the page that it shows.
    pub async fn click(&mut self, service: &str, label: &str) -> Result<(), String> {
        let page = self.page.take().ok_or("the browser shows no page yet")?;
        let clicked = self.click_on(service, &page, label).await;
        if self.page.is_none() {
            self.page = Some(page);
        }
        clicked
    }

    async fn click_on(&mut self, service: &str, page: &Page, label: &str) -> Result<(), String> {
        let origin = page.url.origin().ascii_serialization();
        let at = |to: &str| page.url.join(to).map_err(|_| format!("{to} is no address"));
        if let Some((form, button)) = page.button(label) {
            let mut fields = form.fields.clone();
            fields.extend(button.field.clone());
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let from = Sender { origin: Some(&origin), forms: page.forms_lead_to.as_deref() };
            return match form.posts {
                true => self.go(service, Method::POST, at(&form.action)?, Some(body), &from).await,
                false => Err(format!("[{label}] is a form that is not posted")),
            };
        }
        let link = page.link(label).ok_or_else(|| format!("there is no [{label}] on `{}`: {}", page.title, page.labels().join(" ")))?;
        self.go(service, Method::GET, at(link)?, None, &Sender { origin: Some(&origin), forms: None }).await
    }

    /// Asks, and follows where it is sent.
    async fn go(&mut self, service: &str, method: Method, url: Url, body: Option<String>, from: &Sender<'_>) -> Result<(), String> {
        let (mut method, mut url, mut body) = (method, url, body);
        // A cookie that is for the own site only is left out as soon as another site has had a hand in it.
        let mut same_site = true;
        for _ in 0..REDIRECTS {
            let origin = url.origin().ascii_serialization();
            same_site &= from.origin == Some(origin.as_str());
            self.may_lead_to(&origin, from)?;
            let mut request = self.client.request(method.clone(), self.listens_at(service, &url)?);
            if let Some(cookies) = self.cookies.for_url(&url, same_site) {
                request = request.header(COOKIE, cookies);
            }
            if let Some(body) = body.take() {
                let sender = if same_site { from.origin.unwrap_or("null") } else { "null" };
                request = request.header(ORIGIN, sender).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
            }
            let site = match (from.origin, same_site) {
                (None, _) => "none",
                (Some(_), true) => "same-origin",
                (Some(_), false) => "cross-site",
            };
            let answer =
                request.header("sec-fetch-site", site).send().await.map_err(|error| format!("no answer: {}", error.without_url()))?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            for set in headers.get_all(SET_COOKIE) {
                let set = set.to_str().map_err(|_| "a cookie is no text")?;
                self.secrets.extend(self.cookies.set(&url, set)?);
            }
            if let Some(to) = headers.get(LOCATION).filter(|_| (300..400).contains(&status)) {
                let to = to.to_str().ok().and_then(|to| url.join(to).ok()).ok_or("it is sent to what is no address")?;
                if matches!(status, 302 | 303) {
                    method = Method::GET;
                }
                url = to;
                continue;
            }
            let text = answer.text().await.map_err(|error| format!("half an answer: {}", error.without_url()))?;
            if url.origin() == self.public.origin() {
                // What it brought itself is nothing that it was shown.
                let brought = url.query_pairs().filter(|(_, value)| value.len() > 5);
                let shown = brought.fold(text.clone(), |shown, (_, value)| shown.replace(value.as_ref(), ""));
                self.shown.push((format!("the page {}", url.path()), shown));
            }
            let page = Page::read(url, status, &text, forms_lead_to(&headers));
            self.secrets.extend(page.passcode.clone());
            self.page = Some(page);
            return Ok(());
        }
        Err("it is sent from one page to the next without an end".to_owned())
    }

    /// A page says where its forms may lead to, over any number of redirects.
    fn may_lead_to(&self, origin: &str, from: &Sender<'_>) -> Result<(), String> {
        let Some(forms) = from.forms else { return Ok(()) };
        let own = forms.iter().any(|source| source == "'self'") && from.origin == Some(origin);
        if own || forms.iter().any(|source| source == origin) {
            Ok(())
        } else {
            Err(format!("the page does not let its forms lead to {origin}"))
        }
    }

    fn listens_at(&self, service: &str, url: &Url) -> Result<Url, String> {
        if url.origin() != self.public.origin() {
            return Ok(url.clone());
        }
        let mut there = Url::parse(service).map_err(|_| format!("{service} is no address"))?;
        there.set_path(url.path());
        there.set_query(url.query());
        Ok(there)
    }
}

/// What the page's policy says of its forms; `None`: it says nothing.
fn forms_lead_to(headers: &HeaderMap) -> Option<Vec<String>> {
    let policy = headers.get(CONTENT_SECURITY_POLICY)?.to_str().ok()?;
    let sources = policy.split(';').find_map(|directive| directive.trim().strip_prefix("form-action "))?;
    Some(sources.split_whitespace().map(str::to_owned).collect())
}
