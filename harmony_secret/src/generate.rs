//! Values made of the operating system's randomness.

use rand::distributions::{Alphanumeric, Distribution};
use rand::{RngCore, rngs::OsRng};
use zeroize::Zeroizing;

/// A password of `length` characters of `A-Z`, `a-z` and `0-9`: 5.95 bits each, so 22 are as strong as a 128 bit key.
///
/// A plain `String`, because it goes into a field of a secret's struct.
#[must_use]
pub fn password(length: usize) -> String {
    let mut password = String::with_capacity(length);
    password.extend(Alphanumeric.sample_iter(OsRng).take(length).map(char::from));
    password
}

/// `N` random bytes, wiped when dropped.
#[must_use]
pub fn bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    OsRng.fill_bytes(bytes.as_mut_slice());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_alphanumeric_and_new_each_time() {
        let password = password(64);
        assert_eq!(password.len(), 64);
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(password, super::password(64));
        assert_ne!(*bytes::<32>(), *bytes::<32>());
    }
}
