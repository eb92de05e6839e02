//! A chat on the terminal, in the simulated workspace: type, watch the card move, press buttons by their numbers.

use std::collections::HashMap;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

use super::script::Service;
use super::script::transcript::headline;
use super::slack::{Forged, How, Rendered, SeenMessage, SlackWorkspace, Via};

/// What can be typed besides commands.
const HELP: &str = "\
Type a command, such as `help` or `deploy hubot to staging`; `/h` before it does no harm.
  3              press the button with that number
  /fill Code 123456    put something into a field of the form that came up        /send    send it
  /as bob        be somebody else        /in #quiet    be somewhere else
  /crash         kill the service and start it again; the world goes on meanwhile
  /help          this                    /quit         leave (the world ends)";

/// The words of the link that people open in their browsers.
const LINK: &str = "Link your logins";

/// Where the terminal prints.
#[derive(Debug)]
pub struct Screen<W> {
    /// Where to.
    pub output: W,
    /// Whether somebody sits before it: then there is a prompt, and what comes meanwhile takes its place.
    pub interactive: bool,
}

/// Runs the terminal until `/quit` or the end of the input.
pub async fn run<R, W>(slack: &SlackWorkspace, service: &mut dyn Service, input: R, screen: Screen<W>) -> std::io::Result<()>
where
    R: AsyncBufRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let Screen { output, interactive } = screen;
    let mut screen =
        Talk { output, interactive, slack, you: "ana".to_owned(), place: "general".to_owned(), buttons: Vec::new(), known: HashMap::new() };
    let mut lines = input.lines();
    let mut news = slack.news();
    let mut seen = *news.borrow_and_update();
    screen.say(HELP).await?;
    screen.prompt().await?;
    loop {
        tokio::select! {
            biased;
            changed = news.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                news.borrow_and_update();
                seen = screen.show(seen).await?;
                screen.show_form().await?;
                screen.prompt().await?;
            }
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                if !obey(&mut screen, service, line.trim()).await? {
                    return Ok(());
                }
                screen.prompt().await?;
            }
        }
    }
}

/// Does what a line says; `false` ends it.
async fn obey<W: AsyncWrite + Unpin + Send>(screen: &mut Talk<'_, W>, service: &mut dyn Service, line: &str) -> std::io::Result<bool> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" => {}
        "/quit" => return Ok(false),
        "/help" => screen.say(HELP).await?,
        "/as" if screen.slack.knows(rest) => rest.clone_into(&mut screen.you),
        "/as" => screen.say(&format!("There is no `{rest}` here.")).await?,
        "/in" if screen.slack.channel_id(rest.trim_start_matches('#')).is_some() => {
            rest.trim_start_matches('#').clone_into(&mut screen.place);
        }
        "/in" => screen.say(&format!("There is no channel `{rest}`.")).await?,
        "/crash" => {
            service.crash().await?;
            screen.say("The service was killed.").await?;
            service.start().await?;
            screen.say("It runs again, on the same store.").await?;
        }
        "/fill" => {
            let (label, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            if let Err(what) = screen.slack.fill_in(&screen.you, label, value.trim()) {
                screen.say(&format!("Nothing was filled in: {what}.")).await?;
            }
        }
        "/send" => {
            screen.slack.send_form(&service.address(), &screen.you, &Forged::default()).await;
            screen.show_form().await?;
        }
        own if own == screen.slack.seed().command => type_command(screen, service, rest).await,
        unknown if unknown.starts_with('/') => screen.say(&format!("`{unknown}` is not known here.\n{HELP}")).await?,
        number if rest.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => press(screen, service, number).await?,
        _ => type_command(screen, service, line).await,
    }
    Ok(true)
}

async fn type_command<W>(screen: &Talk<'_, W>, service: &dyn Service, text: &str) {
    screen.slack.command(&service.address(), &screen.you, &screen.place, text, None).await;
}

async fn press<W: AsyncWrite + Unpin + Send>(screen: &mut Talk<'_, W>, service: &dyn Service, number: &str) -> std::io::Result<()> {
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let Some(button) = place.and_then(|place| screen.buttons.get(place)) else {
        return screen.say(&format!("There is no button {number}.")).await;
    };
    match screen.slack.button_under(&button.channel, &button.ts, &button.label) {
        Some(pressed) => {
            screen.slack.press(&service.address(), &screen.you, &pressed).await;
            Ok(())
        }
        None => {
            let gone = format!("[{}] is not there any more.", button.label);
            screen.say(&gone).await
        }
    }
}

struct Button {
    channel: String,
    ts: String,
    label: String,
}

struct Talk<'a, W> {
    output: W,
    interactive: bool,
    slack: &'a SlackWorkspace,
    you: String,
    place: String,
    /// All buttons ever shown; the number is the place, from 1.
    buttons: Vec<Button>,
    known: HashMap<(String, String), Rendered>,
}

impl<W: AsyncWrite + Unpin + Send> Talk<'_, W> {
    async fn say(&mut self, words: &str) -> std::io::Result<()> {
        let wipe = if self.interactive { "\r\x1b[K" } else { "" };
        self.output.write_all(format!("{wipe}{words}\n").as_bytes()).await
    }

    async fn prompt(&mut self) -> std::io::Result<()> {
        if self.interactive {
            let prompt = format!("\r\x1b[K{} in #{}> ", self.you, self.place);
            self.output.write_all(prompt.as_bytes()).await?;
        }
        self.output.flush().await
    }

    /// Shows what happened since; what others alone see is left out.
    async fn show(&mut self, seen: u64) -> std::io::Result<u64> {
        let events = self.slack.events_since(seen);
        for event in &events {
            if event.via == Via::Echo || event.to.as_ref().is_some_and(|to| *to != self.you) {
                continue;
            }
            self.show_event(event).await?;
        }
        Ok(events.last().map_or(seen, |event| event.seq))
    }

    /// Shows what came up or changed of a form.
    async fn show_form(&mut self) -> std::io::Result<()> {
        let news = self.slack.form_news(&self.you);
        if news.is_empty() { Ok(()) } else { self.say(&news.join("\n")).await }
    }

    async fn show_event(&mut self, event: &SeenMessage) -> std::io::Result<()> {
        let key = (event.channel.clone(), event.ts.clone());
        let now = self.slack.render(event);
        let before = self.known.insert(key, now.clone());
        if before.as_ref() == Some(&now) && event.how != How::Deleted {
            return Ok(());
        }
        let home = format!("#{}", self.place);
        let mut text = headline(&now, event.how == How::Deleted, &self.you, &home);
        let old = before.as_ref().map(|before| before.lines.as_slice()).unwrap_or_default();
        // Of a card that moves, only what is new.
        for line in now.lines.iter().filter(|line| !old.contains(line)) {
            text.push_str(&format!("\n     {line}"));
        }
        // A terminal shows no links behind words: the one that has to be opened is shown itself.
        if let Some(link) = super::slack::link_in(event, LINK) {
            text.push_str(&format!("\n     {link}"));
        }
        if event.how != How::Deleted && before.is_none_or(|before| before.buttons != now.buttons) {
            let mut row = String::new();
            for label in now.buttons {
                self.buttons.push(Button { channel: event.channel.clone(), ts: event.ts.clone(), label: label.clone() });
                row.push_str(&format!(" {} [{label}]", self.buttons.len()));
            }
            if !row.is_empty() {
                text.push_str(&format!("\n    {row}"));
            }
        }
        self.say(&text).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use tokio::io::BufReader;

    use super::*;
    use crate::sandbox::clock::SteppedClock;
    use crate::sandbox::serve::Servers;
    use crate::sandbox::slack::{ServiceAddress, SlackSeed};

    struct Dead(Vec<&'static str>);

    #[async_trait]
    impl Service for Dead {
        async fn start(&mut self) -> std::io::Result<()> {
            self.0.push("start");
            Ok(())
        }

        fn address(&self) -> ServiceAddress {
            ServiceAddress::new("http://127.0.0.1:1")
        }

        async fn stop(&mut self) -> std::io::Result<()> {
            Ok(())
        }

        async fn crash(&mut self) -> std::io::Result<()> {
            self.0.push("crash");
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_terminal_obeys_and_shows() {
        let servers = Servers::default();
        let slack = SlackWorkspace::start(&servers, SteppedClock::new(), 0, SlackSeed::default()).await.unwrap();
        slack.add_user("U1", "ana", "T1");
        slack.add_channel("C1", "general", true);
        slack.add_channel("C2", "quiet", true);
        let slack: Arc<SlackWorkspace> = slack;
        let mut service = Dead(Vec::new());
        let input = "status\n/fill Code 123456\n/as zoe\n/in #quiet\n/h help\n7\n/crash\n/what\n";
        let mut output = Vec::new();
        // The input is given by and by, so that what happens is shown before the next line is read.
        let (mut keys, keyboard) = tokio::io::duplex(1);
        let typing = async {
            keys.write_all(input.as_bytes()).await.unwrap();
            keys.write_all(b"\n/quit\n").await.unwrap();
        };
        let (ran, ()) = tokio::join!(
            run(&slack, &mut service, BufReader::with_capacity(1, keyboard), Screen { output: &mut output, interactive: true }),
            typing
        );
        ran.unwrap();
        let shown = String::from_utf8(output).unwrap();
        for expected in [
            "(only you) /h failed with the error \"dispatch_failed\"",
            "Nothing was filled in: ana sees no form.",
            "There is no `zoe` here.",
            "ana in #quiet> ",
            "There is no button 7.",
            "It runs again",
            "`/what` is not known here.",
        ] {
            assert!(shown.contains(expected), "{expected} in\n{shown}");
        }
        assert_eq!(service.0, ["crash", "start"]);
    }
}
