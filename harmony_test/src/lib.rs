//! Fixtures, fakes and architecture tests.
