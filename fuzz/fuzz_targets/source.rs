//! The door `source`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slash_heroku::fuzzing::feed("source", bytes));
