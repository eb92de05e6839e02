//! A script of a conversation: read, or refused with its line.

use crate::sandbox::script::Script;

pub(super) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Script::parse("a.chat", &text) {
        assert!(error.to_string().contains("a.chat"), "a refusal names the script: {error}");
    }
}
