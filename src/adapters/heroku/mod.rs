//! The heroku adapter.
