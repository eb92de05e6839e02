//! Every phase, every outcome.
