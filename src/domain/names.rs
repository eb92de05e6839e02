//! Names and ids, checked once where they enter and trusted inside.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not the name it was meant to be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not {expected}")]
pub struct NameError {
    /// The text that was refused, cut to 100 characters.
    pub text: String,
    /// What would have been accepted, as the end of a sentence.
    pub expected: &'static str,
}

impl NameError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(100).collect(), expected }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $Name:ident, $expected:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $Name(String);

        impl $Name {
            /// Checks `text` and keeps it.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) { Ok(Self(text.to_owned())) } else { Err(NameError::new(text, $expected)) }
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $Name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl TryFrom<String> for $Name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$Name> for String {
            fn from(name: $Name) -> String {
                name.0
            }
        }
    };
}

/// An id of the outside: opaque, 1 to 255 visible ASCII characters.
fn is_foreign_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_slug(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_handle(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_repo_part(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The rules of `git check-ref-format` for one name below `refs/heads` or `refs/tags`.
fn is_ref_name(text: &str) -> bool {
    let forbidden = |c: char| c.is_ascii_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    (1..=255).contains(&text.len())
        && !text.chars().any(forbidden)
        && !text.contains("..")
        && !text.contains("@{")
        && text != "@"
        && !text.starts_with('-')
        && !text.ends_with('.')
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

name!(
    /// The name of a pipeline. Not unique at the platform: [`PipelineId`] is.
    PipelineName, "a pipeline name: up to 64 of a-z, 0-9, `-`, `_`, `.`", |text| is_slug(text, 64)
);
name!(
    /// The name of an app, unique at the platform.
    AppName, "an app name: up to 64 of a-z, 0-9, `-`, `_`, `.`", |text| is_slug(text, 64)
);
name!(
    /// A repository as `owner/name`.
    RepoName, "a repository: `owner/name`", |text| {
        text.split_once('/').is_some_and(|(owner, name)| is_repo_part(owner) && is_repo_part(name))
    }
);
name!(
    /// The name of a branch or a tag, without `refs/heads/` or `refs/tags/`; slashes allowed.
    RefName, "a branch or tag name", is_ref_name
);
name!(
    /// A full commit hash: 40 or 64 lower-case hexadecimal digits.
    CommitSha, "a full commit hash", |text| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
);
name!(
    /// The name of a check as its system reports it. Free text, 1 to 300 characters, no control characters.
    CheckName, "the name of a check", |text| {
        (1..=300).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    }
);
name!(/// The platform's id of a pipeline.
    PipelineId, "a pipeline id", is_foreign_id);
name!(/// The platform's id of an app.
    AppId, "an app id", is_foreign_id);
name!(/// The platform's id of a build.
    BuildId, "a build id", is_foreign_id);
name!(/// The platform's id of a release.
    ReleaseId, "a release id", is_foreign_id);
name!(/// The platform's id of what a release runs: the same code has the same id.
    CodeId, "the id of what a release runs", is_foreign_id);
name!(/// The source control's id of the deployment that we announced there.
    AnnouncementId, "an announcement id", is_foreign_id);
name!(/// A workspace of a chat.
    WorkspaceId, "a workspace id", is_foreign_id);
name!(/// An organisation that workspaces of a chat belong to.
    OrganisationId, "the id of an organisation", is_foreign_id);
name!(/// Our app, as a chat calls it.
    ChatAppId, "the id of an app", is_foreign_id);
name!(/// A person's id in one workspace of a chat; means nothing without the workspace.
    UserId, "a user id", is_foreign_id);
name!(/// A group of people in a chat.
    GroupId, "the id of a group of people", is_foreign_id);
name!(/// What people call a group, without the sign before it.
    GroupName, "the name of a group: up to 80 letters, digits, `-`, `_`, `.`", is_handle);
name!(/// A channel, group or direct conversation of a chat.
    ChannelId, "a channel id", is_foreign_id);
name!(/// A login's id at the source control or the platform: stays when its owner renames it.
    LoginId, "a login id", is_foreign_id);
name!(/// A scope of a token, as the service that gave it calls it.
    ScopeName, "the name of a scope", is_foreign_id);
name!(/// What a service calls the consent that a person's tokens hang on.
    GrantId, "the id of a grant", is_foreign_id);
name!(/// What a chat delivers once: the key under which a request is accepted.
    DeliveryId, "a delivery id", is_foreign_id);

impl From<uuid::Uuid> for DeliveryId {
    /// A delivery of our own.
    fn from(id: uuid::Uuid) -> Self {
        Self(id.to_string())
    }
}

impl CommitSha {
    /// The first seven digits, as people say it.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

impl RepoName {
    /// The part before the slash.
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// Whether both name the same repository: letters of any case.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

macro_rules! own_id {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $Name(pub uuid::Uuid);

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $Name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

own_id!(
    /// Our own id of a deployment; the only thing of ours that travels to the outside.
    DeploymentId
);
own_id!(
    /// A command that a button stands for.
    OfferId
);
own_id!(
    /// One visit to link accounts. No secret: the link to it carries one of its own.
    SignInId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_follow_git() {
        for good in ["main", "feature/x/y", "v1.2", "a@b", "é"] {
            assert!(RefName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a..b", "a b", "-x", "/a", "a/", "a//b", "a.lock", "x/.y", "a~1", "a^", "a:b", "@", "a@{1}", "a\\b", "a."] {
            assert!(RefName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_repository_has_two_parts() {
        assert!(RepoName::parse("acme/web.app").is_ok());
        for bad in ["web", "a/b/c", "/b", "a/", "a/..", "a b/c"] {
            assert!(RepoName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_commit_is_a_full_hash() {
        assert_eq!(CommitSha::parse(&"a".repeat(40)).unwrap().short(), "aaaaaaa");
        assert!(CommitSha::parse("27bd10a").is_err());
        assert!(CommitSha::parse(&"A".repeat(40)).is_err());
    }
}
