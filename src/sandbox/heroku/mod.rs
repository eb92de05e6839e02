//! The simulated heroku.
