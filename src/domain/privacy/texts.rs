//! The texts of the privacy page, old ones too, and what changed from one to the next.

/// One text of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its version.
    pub version: u32,
    /// Since when it holds, as a date.
    pub since: &'static str,
    /// What changed, as one line for people who knew the one before.
    pub changed: &'static str,
    /// The text, in Markdown. Its tables are those of that time.
    pub words: &'static str,
}

/// The newest version. A change of what the page promises is a new version: the text before goes into `privacy/`.
pub const CURRENT_TEXT: u32 = 5;

/// All of them, oldest first.
pub const TEXTS: &[Text] = &[
    Text { version: 1, since: "2026-11-01", changed: "The first one.", words: include_str!("../../../privacy/1.md") },
    Text {
        version: 2,
        since: "2026-11-29",
        changed: "deployments are kept for 24 months at most, and you can see, take and remove what is kept about you",
        words: include_str!("../../../privacy/2.md"),
    },
    Text {
        version: 3,
        since: "2026-11-29",
        changed: "locks are kept while you hold them, and for 30 days how they ended",
        words: include_str!("../../../privacy/3.md"),
    },
    Text {
        version: 4,
        since: "2026-11-29",
        changed: "what you set about notices is kept: that you want no news, and where a team wants them; and who gave a deploy another place in a line",
        words: include_str!("../../../privacy/4.md"),
    },
    Text {
        version: CURRENT_TEXT,
        since: "2026-11-29",
        changed: "people of other companies see nothing in conversations that are shared with them, unless admins let them; logins that were not used for 24 months are unlinked; what is yours is shown to you on your page of the app in the chat when you open it; who rides along with somebody else's deploy is kept with it, what was said below its card, and for which branch a lock is; your login tells us whom to tell when commits are taken back; that somebody ended another's lock is kept for 24 months; what looks like a secret is refused where none belongs; backups are on record",
        words: include_str!("../../../PRIVACY.md"),
    },
];

/// What changed since a version, oldest change first.
pub fn changed_since(version: u32) -> Vec<&'static str> {
    TEXTS.iter().filter(|text| text.version > version).map(|text| text.changed).collect()
}

/// A text, by its version.
pub fn text_of(version: u32) -> Option<&'static Text> {
    TEXTS.iter().find(|text| text.version == version)
}

/// What the page says of one installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivacyPage {
    /// How to reach whoever runs it.
    pub contact: Option<String>,
    /// Where data is processed.
    pub place: Option<String>,
    /// Where browsers reach the service, without a slash at the end.
    pub public: Option<String>,
}

impl PrivacyPage {
    /// Where the page is read.
    pub fn address(&self) -> Option<String> {
        self.public.as_ref().map(|public| format!("{public}/privacy"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_and_the_last_one_is_the_current_one() {
        let versions: Vec<u32> = TEXTS.iter().map(|text| text.version).collect();
        assert_eq!(versions, (1..=CURRENT_TEXT).collect::<Vec<_>>());
        assert_eq!(changed_since(CURRENT_TEXT), Vec::<&str>::new());
        assert_eq!(changed_since(1).len(), 4);
        assert_eq!(text_of(1).map(|text| text.version), Some(1));
        assert!(text_of(0).is_none());
    }

    #[test]
    fn each_text_says_its_version_and_date() {
        for text in TEXTS.iter().skip(1) {
            let says = format!("Version {} of this text, of {}", text.version, text.since);
            assert!(text.words.contains(&says), "`{says}` is not in the text");
        }
    }
}
