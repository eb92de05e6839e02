//! A service's base address: a setting, `https` unless it is on this machine.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// Where a service lives. Paths are joined to it; a path prefix of the base survives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why an address is no base address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BaseUrlError {
    /// Not an absolute address.
    #[error("is not an absolute address like https://api.example.com")]
    NotAnAddress,
    /// Not encrypted, and not on this machine.
    #[error("has to be https (plain http is taken for loopback addresses only)")]
    NotHttps,
    /// Carries what a base address must not carry.
    #[error("must not hold a user, a password, a query or a fragment")]
    Extras,
}

impl BaseUrl {
    /// Checks an address.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::NotAnAddress)?;
        if url.host().is_none() {
            return Err(BaseUrlError::NotAnAddress);
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Extras);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err(BaseUrlError::NotHttps),
        }
    }

    /// The address of a path below the base, given as segments: each is percent-encoded.
    pub fn at<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Whether `url` has the same scheme, host and port.
    pub fn same_origin(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// Whether an address that the service handed out may be opened: encrypted, or on this machine like the base itself,
    /// and without a user or a password in it.
    pub fn may_lead_to(&self, url: &Url) -> bool {
        let bare = url.username().is_empty() && url.password().is_none() && url.host().is_some();
        bare && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url) && is_loopback(&self.0)))
    }

    /// The base itself.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_or_loopback() {
        assert!(BaseUrl::parse("https://api.github.com").is_ok());
        assert!(BaseUrl::parse("http://127.0.0.1:9").is_ok());
        assert!(BaseUrl::parse("http://[::1]:9").is_ok());
        assert_eq!(BaseUrl::parse("http://api.github.com"), Err(BaseUrlError::NotHttps));
        assert_eq!(BaseUrl::parse("http://127.0.0.1.example.com"), Err(BaseUrlError::NotHttps));
        assert_eq!(BaseUrl::parse("https://a@b"), Err(BaseUrlError::Extras));
        assert_eq!(BaseUrl::parse("api"), Err(BaseUrlError::NotAnAddress));
    }

    #[test]
    fn addresses_handed_out_are_encrypted_or_as_near_as_the_base() {
        let url = |text: &str| Url::parse(text).unwrap();
        let far = BaseUrl::parse("https://api.example.com").unwrap();
        let near = BaseUrl::parse("http://127.0.0.1:1").unwrap();
        assert!(far.may_lead_to(&url("https://files.example.com/x?token=1")));
        assert!(!far.may_lead_to(&url("http://127.0.0.1:2/x")));
        assert!(!far.may_lead_to(&url("https://a:b@files.example.com/x")));
        assert!(near.may_lead_to(&url("http://127.0.0.1:2/x")));
        assert!(!near.may_lead_to(&url("http://files.example.com/x")));
    }

    #[test]
    fn a_prefix_survives_and_segments_are_encoded() {
        let base = BaseUrl::parse("https://git.example.com/api/v3").unwrap();
        assert_eq!(base.at(["repos", "a", "b", "branches", "x/y"]).as_str(), "https://git.example.com/api/v3/repos/a/b/branches/x%2Fy");
    }
}
