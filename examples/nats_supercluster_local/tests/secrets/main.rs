//! No secret is anywhere but where it must be.

#[cfg(test)]
mod kept;
#[cfg(test)]
mod nowhere;
