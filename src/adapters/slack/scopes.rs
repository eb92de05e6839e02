//! The scopes that the app asks for, and what each allows: one table for the manifest, the page of Slack and what was granted.

use std::collections::BTreeSet;

use crate::domain::installation::BotRight;
use crate::domain::names::ScopeName;

/// All of them.
pub(super) const ALL: [&str; 8] =
    ["commands", "chat:write", "users:read", "im:write", "chat:write.public", "usergroups:read", "channels:read", "groups:read"];

/// The scope that gives a right.
pub(super) fn scope(right: BotRight) -> &'static str {
    match right {
        BotRight::BeAsked => "commands",
        BotRight::Speak => "chat:write",
        BotRight::SeePeople => "users:read",
        BotRight::SpeakDirectly => "im:write",
        BotRight::SpeakUninvited => "chat:write.public",
        BotRight::SeeGroups => "usergroups:read",
        BotRight::SeeConversations => "channels:read",
        BotRight::SeePrivateConversations => "groups:read",
    }
}

/// Those that may be refused.
pub(super) fn optional() -> Vec<&'static str> {
    BotRight::ALL.into_iter().filter(|right| !right.is_needed()).map(scope).collect()
}

/// What scopes allow.
pub(super) fn rights(scopes: &BTreeSet<ScopeName>) -> BTreeSet<BotRight> {
    BotRight::ALL.into_iter().filter(|right| scopes.iter().any(|granted| granted.as_str() == scope(*right))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_used() {
        let used: BTreeSet<&str> = BotRight::ALL.into_iter().map(scope).collect();
        assert_eq!(used, ALL.into_iter().collect());
        let granted = ["commands", "chat:write", "team:read"].map(|scope| ScopeName::parse(scope).unwrap());
        assert_eq!(rights(&granted.into()), BTreeSet::from([BotRight::BeAsked, BotRight::Speak]));
    }
}
