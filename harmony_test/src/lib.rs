//! Fixtures, fakes and architecture tests.

mod not_run;

pub use not_run::not_run;
