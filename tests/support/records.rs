//! Records to put into stores.

pub use slash_heroku::testing::records::*;
