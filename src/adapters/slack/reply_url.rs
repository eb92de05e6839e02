//! Which answer addresses are taken: only Slack's own, so that nobody can make us call another place.

use url::{Host, Url};

use crate::adapters::http::base_url::is_loopback;

/// Where Slack's answer addresses live; the second is the one for public bodies.
const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// Longer ones are not Slack's.
const LONGEST: usize = 1000;

/// The address, if it is one that we answer to. `allow_loopback` also takes plain `http` on this machine.
pub(super) fn accepted(text: &str, allow_loopback: bool) -> Option<Url> {
    if text.len() > LONGEST {
        return None;
    }
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let slacks = url.scheme() == "https" && url.port().is_none() && matches!(url.host(), Some(Host::Domain(host)) if HOSTS.contains(&host));
    let ours = allow_loopback && url.scheme() == "http" && is_loopback(&url);
    (slacks || ours).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slacks_own() {
        for good in
            ["https://hooks.slack.com/commands/T1/2/x", "https://hooks.slack-gov.com/actions/T1/2/x", "https://hooks.slack.com:443/x"]
        {
            assert!(accepted(good, false).is_some(), "{good}");
        }
        for bad in [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com.example.com/x",
            "https://hooks.slack.com@example.com/x",
            "https://a@hooks.slack.com/x",
            "https://slack.com/x",
            "https://evil-hooks.slack.com/x",
            "https://127.0.0.1/x",
            "http://127.0.0.1:9/x",
            "file:///etc/passwd",
            "hooks.slack.com",
            "",
        ] {
            assert!(accepted(bad, false).is_none(), "{bad}");
        }
        assert!(accepted(&format!("https://hooks.slack.com/{}", "x".repeat(1000)), false).is_none());
    }

    #[test]
    fn loopback_only_with_the_switch() {
        assert!(accepted("http://127.0.0.1:9/x", true).is_some());
        assert!(accepted("http://localhost:9/x", true).is_some());
        assert!(accepted("http://192.168.0.1/x", true).is_none());
        assert!(accepted("http://example.com/x", true).is_none());
    }
}
