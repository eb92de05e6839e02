//! The simulated slack.
