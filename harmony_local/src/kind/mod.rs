//! The kinds of things that a machine holds: directories, files, ports. Each file has the kind and its provider.

mod directory;
mod file;
mod port;

pub use directory::LocalDirectory;
pub(crate) use directory::{Contents, Directories, DirectoryKind};
pub(crate) use file::Files;
pub use file::{Access, FilePath, LocalFile, NoOutputs};
pub(crate) use port::Ports;
pub use port::{LocalPort, PortHolder, PortIdentity, PortOutputs};
