//! What the ports promise, as suites that run against every adapter of a port.

mod store;
