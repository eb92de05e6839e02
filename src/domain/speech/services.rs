//! The words for the services outside, in one place: another source control or platform changes them here.

/// The source control, as people call it.
pub const GITHUB: &str = "GitHub";
/// The platform, as people call it.
pub const HEROKU: &str = "Heroku";
