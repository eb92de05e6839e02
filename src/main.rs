//! The binary: picks a mode.

fn main() {}
