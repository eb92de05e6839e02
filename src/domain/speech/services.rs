//! The words for the services outside, in one place: another source control or platform changes them here.

use crate::domain::fault::Service;

/// The source control, as people call it.
pub const GITHUB: &str = "GitHub";
/// The platform, as people call it.
pub const HEROKU: &str = "Heroku";

/// A service as people call it.
pub(super) fn service(of: Service) -> &'static str {
    match of {
        Service::Chat => "the chat",
        Service::SourceControl => GITHUB,
        Service::Platform => HEROKU,
    }
}
