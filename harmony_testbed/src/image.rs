//! Images of containers without a registry: an archive that a container runtime takes in.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::error::TestbedError;

/// An image that holds static programs and nothing else but a `/tmp` that everybody may write to.
///
/// ```
/// use harmony_testbed::Image;
///
/// let image = Image::new("harmony.test/nats-server:2.15.1", &["/nats-server"]).with_program("/nats-server", "/usr/bin/nats-server");
/// assert_eq!(image.name(), "harmony.test/nats-server:2.15.1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Image {
    name: String,
    entrypoint: Vec<String>,
    programs: Vec<(String, PathBuf)>,
}

/// Nobody in particular, and not root.
const USER: &str = "1000:1000";

impl Image {
    /// An image called `name`, with registry and tag (not `latest`: that one would be looked for in the registry), whose containers run
    /// `entrypoint` as user 1000.
    pub fn new(name: &str, entrypoint: &[&str]) -> Self {
        let entrypoint = entrypoint.iter().map(|&word| word.to_owned()).collect();
        Self { name: name.to_owned(), entrypoint, programs: Vec::new() }
    }

    /// Holds the program `source` of this machine as `path`, which is absolute. It must be static: there is no library beside it.
    pub fn with_program(mut self, path: &str, source: impl Into<PathBuf>) -> Self {
        self.programs.push((path.to_owned(), source.into()));
        self
    }

    /// By this name containers run it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes the archive: <https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format>.
    ///
    /// # Errors
    /// [`TestbedError::File`] if a program cannot be read or the archive cannot be written.
    pub(crate) fn write(&self, archive: &Path) -> Result<(), TestbedError> {
        let layer = archive.with_extension("layer");
        self.write_layer(&layer)?;
        let written = write_archive(archive, &layer, |digest| self.render_config(digest), &self.name);
        fs::remove_file(&layer).map_err(TestbedError::file("remove", &layer))?;
        written.map_err(TestbedError::file("write", archive))
    }

    fn write_layer(&self, path: &Path) -> Result<(), TestbedError> {
        let failed = |error| TestbedError::file("write", path)(error);
        let mut layer = Builder::new(File::create(path).map_err(failed)?);
        append_directory(&mut layer, "tmp/", 0o1777).map_err(failed)?;
        for (name, source) in &self.programs {
            let program = fs::read(source).map_err(TestbedError::file("read", source))?;
            append_file(&mut layer, name.trim_start_matches('/'), 0o755, &program).map_err(failed)?;
        }
        layer.into_inner().and_then(|mut file| file.flush()).map_err(failed)
    }

    fn render_config(&self, layer_digest: &str) -> String {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        json!({
            "architecture": architecture,
            "os": "linux",
            "config": {"User": USER, "Entrypoint": self.entrypoint, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
        })
        .to_string()
    }
}

fn write_archive(path: &Path, layer: &Path, render_config: impl Fn(&str) -> String, name: &str) -> io::Result<()> {
    let layer = fs::read(layer)?;
    let config = render_config(&HEXLOWER.encode(&Sha256::digest(&layer)));
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).to_string();
    let mut archive = Builder::new(File::create(path)?);
    append_file(&mut archive, "layer.tar", 0o644, &layer)?;
    append_file(&mut archive, "config.json", 0o644, config.as_bytes())?;
    append_file(&mut archive, "manifest.json", 0o644, manifest.as_bytes())?;
    archive.into_inner()?.flush()
}

fn append_file(archive: &mut Builder<File>, path: &str, mode: u32, contents: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(contents.len() as u64);
    header.set_mode(mode);
    archive.append_data(&mut header, path, contents)
}

fn append_directory(archive: &mut Builder<File>, path: &str, mode: u32) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_size(0);
    header.set_mode(mode);
    archive.append_data(&mut header, path, io::empty())
}
