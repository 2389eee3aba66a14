//! One file out of an archive, in memory.

use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use zip::result::ZipError;

/// Ten times the program; what unpacks to more is not it.
const LENGTH_LIMIT: u64 = 192 << 20;

/// The file `entry` of a gzipped tar file; `None` if it has none.
pub(super) fn from_tar(archive: &[u8], entry: &str) -> io::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for file in archive.entries()? {
        let file = file?;
        if file.header().entry_type().is_file() && file.path()? == Path::new(entry) {
            return read_limited(file).map(Some);
        }
    }
    Ok(None)
}

/// The file `entry` of a zip file, such as a wheel; `None` if it has none.
pub(super) fn from_zip(archive: &[u8], entry: &str) -> io::Result<Option<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
    match archive.by_name(entry) {
        Ok(file) => read_limited(file).map(Some),
        Err(ZipError::FileNotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_limited(file: impl Read) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(LENGTH_LIMIT + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > LENGTH_LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(contents)
}
