//! The kinds of things that a machine holds: directories, files, ports. Each file has the kind and its provider.

mod directory;
mod file;
mod port;

pub(crate) use directory::Directories;
pub use directory::LocalDirectory;
pub(crate) use file::Files;
pub use file::{Access, FilePath, LocalFile, NoOutputs};
pub(crate) use port::Ports;
pub use port::{LocalPort, PortIdentity, PortOutputs};
