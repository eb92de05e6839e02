//! The github adapter.
