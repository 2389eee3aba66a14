//! A Ledger as pieces that fit into objects, and back.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use harmony_types::Digest;

/// The size of a piece: an object may hold 1 MiB, lines of the journal included, and etcd takes 1.5 MiB at a time.
const PIECE: usize = 512 * 1024;

/// A Ledger, compressed and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    /// Of all pieces together.
    pub(super) digest: Digest,
    /// At least one.
    pub(super) pieces: Vec<Vec<u8>>,
}

/// Compresses and cuts it. Speed counts more than size: 5000 entries fit into one piece.
pub(super) fn pack(whole: &[u8]) -> std::io::Result<Packed> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(whole)?;
    let compressed = encoder.finish()?;
    let pieces = compressed.chunks(PIECE).map(<[u8]>::to_vec).collect();
    Ok(Packed { digest: Digest::of(&compressed), pieces })
}

/// What was packed; in words what is wrong with it, if it is not whole.
pub(super) fn unpack(pieces: &[Vec<u8>], digest: &str) -> Result<Vec<u8>, String> {
    let compressed = pieces.concat();
    if Digest::of(&compressed).to_string() != digest {
        return Err("its contents do not have the digest that is written beside them".to_owned());
    }
    let mut whole = Vec::new();
    GzDecoder::new(compressed.as_slice()).read_to_end(&mut whole).map_err(|error| error.to_string())?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not become shorter.
    fn noise(length: usize) -> Vec<u8> {
        let digests = (0_u64..).flat_map(|number| Digest::of(&number.to_le_bytes()).hex().as_bytes().to_vec());
        let mut halves = digests.map(|digit| if digit < b'a' { digit - b'0' } else { digit - b'a' + 10 });
        (0..length).map(|_| halves.next().unwrap() << 4 | halves.next().unwrap()).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked_whole_and_no_piece_is_too_large_for_an_object() {
        for whole in [Vec::new(), b"{}".to_vec(), noise(3 * PIECE + 7)] {
            let Packed { digest, pieces } = pack(&whole).unwrap();
            assert!(!pieces.is_empty() && pieces.iter().all(|piece| piece.len() <= PIECE));
            assert_eq!(unpack(&pieces, &digest.to_string()).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_not_whole_is_told() {
        let Packed { digest, mut pieces } = pack(&noise(2 * PIECE)).unwrap();
        pieces.pop();
        assert!(unpack(&pieces, &digest.to_string()).unwrap_err().contains("digest"));
        let nonsense = vec![b"nonsense".to_vec()];
        assert!(unpack(&nonsense, &Digest::of(b"nonsense").to_string()).is_err());
    }
}
