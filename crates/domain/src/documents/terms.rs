//! Words for keyword search.
