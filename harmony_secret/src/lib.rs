//! Typed secrets and where they are kept.
