//! The product, tested through the doors its users use.

mod auth;
