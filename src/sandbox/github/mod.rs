//! The simulated github.
