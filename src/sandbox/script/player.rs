//! Playing a script: act, let the world settle, write down what was seen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::ScriptError;
use super::checks::{Check, Tally};
use super::directives::{Directive, Vendor};
use super::parse::{Act, Script, Step};
use super::transcript::{Instant, Transcript};
use crate::ports::Clock;
use crate::sandbox::browser::{Browser, Page};
use crate::sandbox::clock::SteppedClock;
use crate::sandbox::company::{GITHUB_APP, PUBLIC, install_settings, sign_in_settings, slack_app};
use crate::sandbox::fault::{FaultRule, Strikes};
use crate::sandbox::slack::{Ack, Forged, Pressed, ServiceAddress, SlackWorkspace};

/// How long nothing may happen before a step is over, in simulated time.
const QUIET: SignedDuration = SignedDuration::from_secs(60);
/// A step that is not over after this much simulated time never will be.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// The words of the link that people are given.
const LINK: &str = "Link your logins";
/// How long the service may take to come to rest, in real time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The service that is tried, as something to start and to kill.
#[async_trait]
pub trait Service: Send {
    /// Starts it, or starts it again on the same store. When this returns it listens.
    async fn start(&mut self) -> std::io::Result<()>;

    /// Where it listens.
    fn address(&self) -> ServiceAddress;

    /// Stops it tidily.
    async fn stop(&mut self) -> std::io::Result<()>;

    /// Kills it, without a tidy shutdown.
    async fn crash(&mut self) -> std::io::Result<()>;

    /// Gives a setting another value, from the next start on.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        Err(format!("{name} cannot be set to {value} here"))
    }

    /// Has its store, while it is stopped, be one that was begun when this version of the privacy page was the newest.
    async fn began_under(&mut self, version: u32) -> std::io::Result<()> {
        Err(std::io::Error::other(format!("no store can be made here that was begun under version {version}")))
    }

    /// Called whenever the service is at rest: one that dies on purpose can be started again here. Whether it was.
    async fn tend(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }
}

/// The outside besides the chat: GitHub and Heroku.
pub trait Outside: Send {
    /// Makes a directive come true. Those of the chat and the service, and those that make calls fail, are not given to it.
    fn perform(&mut self, directive: &Directive) -> Result<(), String>;

    /// Makes calls fail.
    fn fail(&mut self, vendor: Vendor, rule: FaultRule) -> Result<Strikes, String>;

    /// When something outside will end by itself next, if nothing holds it.
    fn next_event_at(&self) -> Option<Timestamp>;

    /// The states of what can be counted, in order.
    fn count(&self, tally: &Tally) -> Result<Vec<String>, String>;

    /// What should never have been done.
    fn violations(&self) -> Vec<String>;
}

/// How a script went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// What was seen, for each step.
    pub seen: Vec<Vec<String>>,
    /// What was not as it must be, apart from what was seen.
    pub failures: Vec<ScriptError>,
    /// The secrets that browsers were given and that are nobody else's.
    pub secrets: Vec<String>,
    /// The service's pages and files that browsers were shown: where, and the whole text.
    pub pages: Vec<(String, String)>,
}

/// Plays scripts in one world with one service.
pub struct Player<'a> {
    clock: Arc<SteppedClock>,
    slack: Arc<SlackWorkspace>,
    outside: &'a mut dyn Outside,
    service: &'a mut dyn Service,
    running: bool,
    transcript: Transcript,
    seen: u64,
    /// The last event of each instant of the present step.
    instants: Vec<u64>,
    you: String,
    home: String,
    typed: Option<(String, String, String, Ack)>,
    pressed: HashMap<String, Pressed>,
    /// By whose it is, and whether it is the other one.
    browsers: BTreeMap<(String, bool), Browser>,
    /// What the browser shows that something was just done in.
    page: Vec<String>,
    /// The next step follows in the same moment.
    hurried: bool,
    /// What makes calls fail, and what is to be said where none does.
    faults: Vec<(Strikes, ScriptError)>,
    /// What the present step makes fail.
    set_off: Option<Strikes>,
}

impl std::fmt::Debug for Player<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("running", &self.running).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<'a> Player<'a> {
    /// A player; the service is started with the first script.
    pub fn new(clock: Arc<SteppedClock>, slack: Arc<SlackWorkspace>, outside: &'a mut dyn Outside, service: &'a mut dyn Service) -> Self {
        let seen = slack.seen();
        Self {
            clock,
            slack,
            outside,
            service,
            running: false,
            transcript: Transcript::default(),
            seen,
            instants: Vec::new(),
            you: "ana".to_owned(),
            home: "#general".to_owned(),
            typed: None,
            pressed: HashMap::new(),
            browsers: BTreeMap::new(),
            page: Vec::new(),
            hurried: false,
            faults: Vec::new(),
            set_off: None,
        }
    }

    /// Plays a script to its end and stops the service. A fault that nothing met by then is a failure, also where it was taken back. An
    /// error means that it could not go on.
    pub async fn play(&mut self, script: &Script) -> Result<Played, ScriptError> {
        let mut played = self.play_on(script).await?;
        played.failures.extend(self.unmet());
        if self.running {
            self.stop().await.map_err(|what| ScriptError { file: script.file.clone(), line: script.steps.len(), what })?;
        }
        Ok(played)
    }

    /// Plays a script to its end and leaves the service running, for the next one.
    pub async fn play_on(&mut self, script: &Script) -> Result<Played, ScriptError> {
        let mut played = Played::default();
        if !self.running {
            self.start().await.map_err(|what| ScriptError { file: script.file.clone(), line: 1, what })?;
        }
        for (place, step) in script.steps.iter().enumerate() {
            self.hurried = script.steps.get(place.saturating_add(1)).is_some_and(|next| next.meanwhile);
            let error = |what: String| ScriptError { file: script.file.clone(), line: step.line, what };
            if let Act::Check(check) = &step.act {
                played.failures.extend(self.check(check).err().map(error));
                played.seen.push(Vec::new());
                continue;
            }
            self.act(step).await.map_err(error)?;
            let set_off = self.set_off.take();
            self.faults.extend(set_off.map(|strikes| (strikes, error(format!("no call met this fault: {}", script.written(step))))));
            let mut seen = std::mem::take(&mut self.page);
            if let Act::Type { person, .. } | Act::Press { person, .. } | Act::Pick { person, .. } | Act::Send { person, .. } = &step.act {
                seen.extend(self.slack.form_news(person));
            }
            if let Act::OpenHome { person } | Act::PressHome { person, .. } = &step.act {
                let news = self.slack.home_news(person);
                seen.extend(if news.is_empty() { vec!["(page) stays as it is".to_owned()] } else { news });
                if let Act::PressHome { person, .. } = &step.act {
                    seen.extend(self.slack.form_news(person));
                }
            }
            let asks = matches!(step.act, Act::Type { .. } | Act::Press { .. } | Act::Pick { .. } | Act::Send { .. } | Act::SignIn { .. });
            seen.extend(self.write(asks));
            played.seen.push(seen);
        }
        played.secrets = self.browsers.values().flat_map(Browser::secrets).map(str::to_owned).collect();
        played.pages = self.browsers.values().flat_map(Browser::shown).cloned().collect();
        Ok(played)
    }

    /// Each line that was to make calls fail and made none fail up to now.
    pub fn unmet(&self) -> Vec<ScriptError> {
        self.faults.iter().filter(|(strikes, _)| strikes.count() == 0).map(|(_, error)| error.clone()).collect()
    }

    fn write(&mut self, asked: bool) -> Vec<String> {
        let events = self.slack.events_since(self.seen);
        self.seen = events.last().map_or(self.seen, |event| event.seq);
        let mut instants: Vec<Instant> = Vec::new();
        let first = self.instants.first().copied().unwrap_or_default();
        let mut ends = std::mem::take(&mut self.instants).into_iter().peekable();
        let mut open = false;
        for event in events {
            while ends.next_if(|end| *end < event.seq).is_some() {
                open = false;
            }
            match instants.last_mut().filter(|_| open) {
                Some(instant) => instant.events.push(event),
                None => instants.push(Instant { answers: asked && event.seq <= first, events: vec![event] }),
            }
            open = true;
        }
        self.transcript.write(&self.slack, instants, &self.you, &self.home)
    }

    async fn act(&mut self, step: &Step) -> Result<(), String> {
        match &step.act {
            Act::Type { person, channel, text } => {
                self.you.clone_from(person);
                self.home = format!("#{channel}");
                if !self.slack.knows(person) || self.slack.channel_id(channel).is_none() {
                    return Err(format!("there is no {person} or no #{channel} in this company"));
                }
                let text = &self.with_passcode(person, text)?;
                let ack = self.slack.command(&self.service.address(), person, channel, text, None).await;
                self.typed = Some((person.clone(), channel.clone(), text.clone(), ack));
                self.settle().await
            }
            Act::Press { person, label, again } => {
                self.you.clone_from(person);
                let found = if *again { self.pressed.get(label).cloned() } else { self.slack.find_button(person, label) };
                let pressed = found.ok_or_else(|| self.no_button(person, label))?;
                self.home = self.slack.channel_name(&pressed.message.channel);
                self.slack.press(&self.service.address(), person, &pressed).await;
                self.pressed.insert(label.clone(), pressed);
                self.settle().await
            }
            Act::FillIn { person, label, value } => {
                person.clone_into(&mut self.you);
                self.slack.put_in(&self.service.address(), person, label, value).await
            }
            Act::Pick { person, channel, said } => {
                person.clone_into(&mut self.you);
                self.home = format!("#{channel}");
                self.slack.pick(&self.service.address(), person, channel, said).await;
                self.settle().await
            }
            Act::OpenHome { person } => {
                person.clone_into(&mut self.you);
                let ack = self.slack.open_home(&self.service.address(), person, "home").await?;
                taken(&[ack])?;
                self.settle().await
            }
            Act::PressHome { person, label } => {
                person.clone_into(&mut self.you);
                self.slack.press_home(&self.service.address(), person, label).await?;
                self.settle().await
            }
            Act::LookFor { person, label, typed } => {
                person.clone_into(&mut self.you);
                let offered = self.slack.offers(&self.service.address(), person, label, typed).await?;
                self.page = vec![if offered.is_empty() {
                    "(nothing is offered)".to_owned()
                } else {
                    format!("(offered) {}", offered.join(" · "))
                }];
                Ok(())
            }
            Act::Send { person, label } => {
                person.clone_into(&mut self.you);
                self.slack.may_send(person, label)?;
                self.slack.send_form(&self.service.address(), person, &Forged::default()).await;
                self.settle().await
            }
            Act::Open { person, whose, label, first, another } => {
                self.you.clone_from(person);
                let address = self.slack.find_link(whose, label, *first).ok_or_else(|| format!("{whose} was given no link [{label}]"))?;
                let (service, browser) = self.browser(person, *another)?;
                browser.open(&service, &address).await?;
                self.page = browser.page().map(Page::told).unwrap_or_default();
                self.settle().await
            }
            Act::Look { person, path } => {
                self.you.clone_from(person);
                let (service, browser) = self.browser(person, false)?;
                browser.open(&service, &format!("{PUBLIC}{path}")).await?;
                self.page = browser.page().map(Page::told).unwrap_or_default();
                self.settle().await
            }
            Act::Click { person, label, another } => {
                self.you.clone_from(person);
                let (service, browser) = self.browser(person, *another)?;
                browser.click(&service, label).await?;
                self.page = browser.page().map(Page::told).unwrap_or_default();
                self.settle().await
            }
            Act::SignIn { person } => self.sign_in(person).await,
            Act::Pass(time) => self.pass(*time).await,
            Act::Outside(directive) => {
                self.outside(directive).await?;
                if directive.goes_on() { self.settle().await } else { Ok(()) }
            }
            Act::Check(_) => Ok(()),
        }
    }

    async fn sign_in(&mut self, person: &str) -> Result<(), String> {
        self.you = person.to_owned();
        "#general".clone_into(&mut self.home);
        self.slack.command(&self.service.address(), person, "general", "login", None).await;
        self.settle().await?;
        let address = self.slack.find_link(person, LINK, false).ok_or_else(|| format!("{person} was given no link [{LINK}]"))?;
        let (service, browser) = self.browser(person, false)?;
        browser.open(&service, &address).await?;
        let (at_github, at_heroku) = (format!("Authorize as {person}"), format!("Allow Access as {person}@example.com"));
        for label in ["Begin", "Sign in to GitHub", &at_github, "Go on", "Sign in to Heroku", &at_heroku, "Go on", "Show the passcode"] {
            // Where a login is good from before, it can be linked all the same.
            let anew = format!("{label} anew");
            let there = browser.page().is_some_and(|page| page.shows(&anew));
            browser.click(&service, if there { &anew } else { label }).await?;
        }
        let text = self.with_passcode(person, "login {passcode}")?;
        self.slack.command(&self.service.address(), person, "general", &text, None).await;
        self.settle().await
    }

    fn browser(&mut self, person: &str, another: bool) -> Result<(String, &mut Browser), String> {
        let service = self.service.address().at("/");
        match self.browsers.entry((person.to_owned(), another)) {
            Entry::Occupied(browser) => Ok((service, browser.into_mut())),
            Entry::Vacant(place) => Ok((service, place.insert(Browser::new(PUBLIC)?))),
        }
    }

    /// A text with the passcode that a browser shows in the place of `{passcode}`.
    fn with_passcode(&self, person: &str, text: &str) -> Result<String, String> {
        let Some((before, rest)) = text.split_once("{passcode") else { return Ok(text.to_owned()) };
        let (of, after) = rest.split_once('}').ok_or("a passcode stands in braces")?;
        let of = of.strip_prefix(" of ").unwrap_or(person);
        let shown = self.browsers.iter().filter(|((whose, _), _)| whose == of).find_map(|(_, browser)| browser.page()?.passcode.clone());
        let shown = shown.ok_or_else(|| format!("no browser of {of} shows a passcode"))?;
        Ok(format!("{before}{shown}{after}"))
    }

    fn no_button(&self, person: &str, label: &str) -> String {
        let messages = self.slack.messages();
        let seen = messages.iter().filter(|message| message.to.as_deref().is_none_or(|to| to == person));
        let labels: Vec<String> = seen.flat_map(|message| message.buttons()).map(|label| format!("[{label}]")).collect();
        format!("{person} sees no button [{label}]; there are: {}", labels.join(" "))
    }

    async fn outside(&mut self, directive: &Directive) -> Result<(), String> {
        match directive {
            Directive::Crash => {
                self.service.crash().await.map_err(|error| format!("the service could not be killed: {error}"))?;
                self.running = false;
                self.start().await
            }
            Directive::Stop => self.stop().await,
            Directive::Start => self.start().await,
            Directive::Redeliver => {
                let (person, channel, text, ack) = self.typed.clone().ok_or("nobody has typed anything yet")?;
                self.slack.command(&self.service.address(), &person, &channel, &text, Some(&ack.trigger_id)).await;
                Ok(())
            }
            Directive::Setting { name, value } => self.service.set(name, value),
            Directive::BegunUnder { version } => {
                self.stop().await?;
                self.service.began_under(*version).await.map_err(|error| error.to_string())?;
                self.start().await
            }
            Directive::SignIn { app } => {
                self.stop().await?;
                sign_in_settings(app).iter().try_for_each(|(name, value)| self.service.set(name, value))?;
                self.start().await
            }
            Directive::Installable { rotates } => {
                self.stop().await?;
                self.slack.add_app(slack_app(*rotates));
                let settings = sign_in_settings(GITHUB_APP).into_iter().chain(install_settings());
                for (name, value) in settings {
                    self.service.set(name, &value)?;
                }
                self.start().await
            }
            Directive::Removed { person, order } => {
                let team = self.slack.team_of(person).ok_or_else(|| format!("there is no {person}"))?;
                taken(&self.slack.uninstall(&self.service.address(), &team, *order).await)
            }
            Directive::EventAgain => {
                let ack = self.slack.event_again(&self.service.address()).await.ok_or("nothing was told yet")?;
                taken(&[ack])
            }
            Directive::Withdraws { person, vendor: Vendor::Slack } => {
                let team = self.slack.team_of(person).ok_or_else(|| format!("there is no {person}"))?;
                taken(&[self.slack.people_withdraw(&self.service.address(), &team, &[person]).await])
            }
            Directive::Lacks { scope } => {
                self.slack.take_scope(scope);
                Ok(())
            }
            Directive::Standing { person, kind } => self.slack.is_now(person, *kind).then_some(()).ok_or(format!("there is no {person}")),
            Directive::UserGroup { handle, people } => {
                let people: Vec<&str> = people.iter().map(String::as_str).collect();
                self.slack.group(handle, &people).then_some(()).ok_or(format!("not all of {people:?} are in one workspace"))
            }
            Directive::BotIn { channel, is } => self.slack.invite_bot(channel, *is).then_some(()).ok_or(format!("there is no #{channel}")),
            Directive::ShareChannel { channel } => self.slack.share_channel(channel).then_some(()).ok_or(format!("there is no #{channel}")),
            Directive::CloseChannel { channel } => self.slack.close_channel(channel).then_some(()).ok_or(format!("there is no #{channel}")),
            Directive::ArchiveChannel { channel } => {
                self.slack.archive_channel(channel).then_some(()).ok_or(format!("there is no #{channel}"))
            }
            Directive::Fails { vendor, rule } => {
                self.set_off = Some(match vendor {
                    Vendor::Slack => self.slack.fail_by(rule.clone()),
                    Vendor::Github | Vendor::Heroku => self.outside.fail(*vendor, rule.clone())?,
                });
                Ok(())
            }
            Directive::Clock { vendor: Vendor::Slack, ahead } => {
                self.slack.set_clock(*ahead);
                Ok(())
            }
            Directive::Mended(Vendor::Slack) => {
                self.slack.mend();
                Ok(())
            }
            Directive::Status { .. }
            | Directive::Withdraws { vendor: Vendor::Github | Vendor::Heroku, .. }
            | Directive::AccessEnds { .. }
            | Directive::Rotates
            | Directive::Endable
            | Directive::CheckRun { .. }
            | Directive::Requires { .. }
            | Directive::Push { .. }
            | Directive::DeleteBranch { .. }
            | Directive::Tag { .. }
            | Directive::Point { .. }
            | Directive::NewRepository { .. }
            | Directive::Size { .. }
            | Directive::OpenPull { .. }
            | Directive::ArchiveRepository { .. }
            | Directive::SingleSignOn { .. }
            | Directive::ShutsOutApps { .. }
            | Directive::RenameRepository { .. }
            | Directive::DefaultBranch { .. }
            | Directive::RepoRight { .. }
            | Directive::AppRight { .. }
            | Directive::NoToken(_)
            | Directive::Token(_)
            | Directive::Hold { .. }
            | Directive::LetGo { .. }
            | Directive::NextFails { .. }
            | Directive::State { .. }
            | Directive::Streams { .. }
            | Directive::Slots { .. }
            | Directive::Dynos { .. }
            | Directive::Fir { .. }
            | Directive::Config { .. }
            | Directive::Mended(Vendor::Github | Vendor::Heroku)
            | Directive::Clock { vendor: Vendor::Github | Vendor::Heroku, .. }
            | Directive::DynosFlap { .. } => self.outside.perform(directive),
        }
    }

    async fn start(&mut self) -> Result<(), String> {
        self.service.start().await.map_err(|error| format!("the service could not be started: {error}"))?;
        self.running = true;
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), String> {
        self.running = false;
        self.service.stop().await.map_err(|error| format!("the service could not be stopped: {error}"))
    }

    /// The service is at rest at the present instant.
    async fn rest(&mut self) -> Result<(), String> {
        self.clock.idle_within(PATIENCE).await.map_err(|restless| restless.to_string())?;
        // A new life may die while it begins.
        while self.service.tend().await.map_err(|error| format!("the service could not be tended: {error}"))? {
            self.clock.idle_within(PATIENCE).await.map_err(|restless| restless.to_string())?;
        }
        self.instants.push(self.slack.seen());
        Ok(())
    }

    async fn pass(&mut self, time: SignedDuration) -> Result<(), String> {
        let until = after(self.clock.now(), time);
        self.rest().await?;
        while self.clock.step(until) {
            self.rest().await?;
        }
        self.clock.advance_to(until);
        self.rest().await
    }

    /// Lets the world settle, unless somebody else is about to act in the same moment: steps the clock while something outside is due, and until nothing was seen for a while.
    async fn settle(&mut self) -> Result<(), String> {
        if self.hurried {
            return self.rest().await;
        }
        let began = self.clock.now();
        let (mut quiet_since, mut seen, mut due) = (began, self.slack.seen(), None);
        loop {
            self.rest().await?;
            let (seen_now, due_now) = (self.slack.seen(), self.outside.next_event_at());
            if seen_now != seen || due_now != due {
                (quiet_since, seen, due) = (self.clock.now(), seen_now, due_now);
            }
            let limit = after(due.unwrap_or(quiet_since).max(quiet_since), QUIET);
            if limit > after(began, LONGEST) {
                return Err(format!("the world did not settle within {LONGEST:#} of its time"));
            }
            if !self.clock.step(limit) {
                return Ok(());
            }
        }
    }

    fn check(&self, check: &Check) -> Result<(), String> {
        match check {
            Check::NoViolations => {
                let mut all = self.outside.violations();
                all.extend(self.slack.violations().into_iter().map(|what| format!("slack: {what}")));
                if all.is_empty() { Ok(()) } else { Err(format!("violations:\n  {}", all.join("\n  "))) }
            }
            Check::NeverSaid(words) => {
                let events = self.slack.events();
                let said = events
                    .iter()
                    .find(|event| event.text.contains(words.as_str()) || self.slack.render(event).all().contains(words.as_str()));
                said.map_or(Ok(()), |event| Err(format!("`{words}` was said: {}", event.text)))
            }
            Check::Count(tally, many, states) => {
                let there = match tally {
                    Tally::Requests { vendor: Vendor::Slack, method, .. } => {
                        let requests = self.slack.requests().into_iter().filter(|request| request.method == *method);
                        requests.map(|request| request.error.unwrap_or_else(|| "ok".to_owned())).collect()
                    }
                    Tally::Builds(_) | Tally::Releases(_) | Tally::Deployments(_) | Tally::Authorizations(_) | Tally::Requests { .. } => {
                        self.outside.count(tally)?
                    }
                };
                let fits = there.len() == *many && states.as_ref().is_none_or(|states| *states == there);
                let found = || std::iter::once(there.len().to_string()).chain(there.clone()).collect::<Vec<_>>().join(", ");
                if fits { Ok(()) } else { Err(format!("there are {}", found())) }
            }
        }
    }
}

/// Events have to be taken at once.
fn taken(all: &[Ack]) -> Result<(), String> {
    match all.iter().find(|ack| ack.status != Some(200) || !ack.body.is_empty()) {
        None => Ok(()),
        Some(ack) => Err(format!("an event was answered with {:?} {}", ack.status, ack.body)),
    }
}

fn after(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
