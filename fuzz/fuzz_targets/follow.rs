//! The door `follow`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slash_heroku::fuzzing::feed("follow", bytes));
