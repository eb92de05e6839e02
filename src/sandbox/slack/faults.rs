//! Making calls fail on purpose.

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered with `ok: false` and this name.
    Error(String),
    /// Answered with 429 and this many seconds to wait.
    RateLimited(u32),
    /// Answered with this HTTP status and no JSON.
    Status(u16),
    /// The connection is cut and nothing is done.
    CutBefore,
    /// It is done, and the connection is cut before the answer.
    CutAfter,
    /// It is not done, and never answered.
    Hang,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(String, u32, Fault)>);

impl Faults {
    pub(super) fn add(&mut self, method: &str, times: u32, fault: Fault) {
        self.0.push((method.to_owned(), times, fault));
    }

    /// The fault for a call of `method`, which uses it up once.
    pub(super) fn take(&mut self, method: &str) -> Option<Fault> {
        let (_, times, fault) = self.0.iter_mut().find(|(name, times, _)| name == method && *times > 0)?;
        *times -= 1;
        Some(fault.clone())
    }
}
