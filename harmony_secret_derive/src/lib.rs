//! Derive for typed secrets.
