//! The log: lines for people on a terminal, one JSON object per line otherwise, always on standard error.
//!
//! The rule for whoever writes to it: name the step, the ids (deployment, app, request) and the outcome. Never log what a
//! person typed, a body in either direction, an address with a query, or a secret; log a [`crate::ports::PortError`]'s
//! `detail`, which holds none of these. People are named by their ids only. The filter keeps libraries at `debug` or less,
//! because beyond that they write what passes through them.

use std::io::{self, IsTerminal};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{LogFormat, LogSettings};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    /// The filter is none.
    #[error("the log's filter cannot be used")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("the log was started before")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process, once.
pub fn start(settings: &LogSettings) -> Result<(), LogFault> {
    let human = match settings.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stderr().is_terminal(),
    };
    let colours = human && io::stderr().is_terminal();
    let filter = EnvFilter::try_new(&settings.filter)?;
    tracing_subscriber::registry().with(layer(human, colours, io::stderr).with_filter(filter)).try_init()?;
    Ok(())
}

fn layer<W>(human: bool, colours: bool, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    if human {
        Box::new(layer.with_ansi(colours).with_target(false).compact())
    } else {
        Box::new(layer.with_ansi(false).json().flatten_event(true).with_current_span(true).with_span_list(false))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use secrecy::SecretString;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(human: bool, work: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = tracing_subscriber::registry().with(layer(human, false, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_object_per_line() {
        let text = logged(false, || tracing::info!(app = "hubot", "two\nlines"));
        assert_eq!(text.lines().count(), 1, "{text}");
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((object["app"].as_str(), object["level"].as_str()), (Some("hubot"), Some("INFO")));
    }

    #[test]
    fn people_get_a_line_without_control_characters() {
        let text = logged(true, || tracing::warn!(app = "hu\u{1b}[31mbot", "look"));
        assert!(text.contains("WARN") && text.contains("look") && !text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_secret_that_is_logged_by_mistake_stays_one() {
        let token = SecretString::from("hush");
        assert!(!logged(false, || tracing::error!(?token, "oh")).contains("hush"));
    }
}
