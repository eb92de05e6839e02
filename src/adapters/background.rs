//! Threads of work that can wait, and step back for those that take commands in.

/// How far they step back, in steps of the scheduler (`nice`; 0 is where everybody begins, 19 is last). Slack waits three seconds for
/// an acknowledgement and half an hour for an answer.
const BACK: i32 = 10;

/// Has the thread that calls step back, and those that it starts from now on. On Linux that is about no other thread.
pub fn step_back() {
    if let Err(error) = rustix::process::nice(BACK) {
        tracing::debug!(%error, "a thread could not step back");
    }
}
