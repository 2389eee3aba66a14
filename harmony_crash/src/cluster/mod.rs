//! Site programs on a real API server: each in a part of it that no other one uses, beside what others have put there.
//!
//! Entry points: [`Matrix::on_cluster`](crate::Matrix::on_cluster) for whoever disturbs them, [`every_sort`] for the program itself.

mod others;
mod part;
mod scores;
mod things;

pub use part::{life, place};
pub use scores::every_sort;

pub use others::Others;
pub(crate) use part::Part;
pub(crate) use things::Things;
