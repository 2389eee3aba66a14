//! `render`.

use std::path::{Path, PathBuf};

use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node};
use harmony::topology::{Providers, Topology};
use harmony::{Maestro, Stage};
use harmony_io::{Io, Mode};

use super::look::{Ended, On};
use crate::arguments::RenderArguments;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::{self, Secrets};

/// Shows what the Scores become, on the standard output or as one file per resource.
pub(super) async fn render<T: Topology>(
    session: &Session,
    arguments: &RenderArguments,
    on: On<'_, T>,
) -> Result<Ended, CommandError> {
    let (inventory, topology, scores) = on;
    let (mut arrangement, providers) = Stage::play_all(scores, inventory, topology)?;
    let secrets = if arguments.secrets { Secrets::Open } else { Secrets::Hidden };
    if secrets == Secrets::Open {
        arrangement = filled(session, on).await?;
    }
    match &arguments.to {
        Some(directory) => {
            let files = write_all(&topology.site().io, directory, &arrangement, &providers, secrets)?;
            session.console.say(&format!("{files} files in `{}`", directory.display()));
        }
        None => show(session, &arrangement, &providers),
    }
    Ok(Ended::with(Exit::Done))
}

async fn filled<T: Topology>(session: &Session, (inventory, topology, scores): On<'_, T>) -> Result<Arrangement, CommandError> {
    let maestro: Maestro = session.maestro(topology.site());
    let filled = maestro.arrange_filled(inventory, topology, scores).await?;
    session.progress.end();
    Ok(filled)
}

fn show(session: &Session, arrangement: &Arrangement, providers: &Providers) {
    let documents: Vec<String> = arrangement
        .nodes
        .iter()
        .map(|(address, node)| report::document(address, node, secret_fields(node, providers), Secrets::Hidden))
        .collect();
    session.text(&documents.join("---\n"));
    session.json(|| {
        let line = |(address, node): (&Address, &Node)| report::node_line(address, node, secret_fields(node, providers));
        arrangement.nodes.iter().map(line).collect()
    });
}

/// Writes each resource into a file of its own, which only the user can read, and says how many there are.
fn write_all(
    io: &Io,
    directory: &Path,
    arrangement: &Arrangement,
    providers: &Providers,
    secrets: Secrets,
) -> Result<usize, CommandError> {
    let mut files = 0;
    for (address, node) in arrangement.nodes.iter().filter(|(_, node)| node.resource().is_some()) {
        let path = file_of(directory, address);
        io.ensure_directory(path.parent().unwrap_or(directory), Mode::Private)?;
        let document = report::document(address, node, secret_fields(node, providers), secrets);
        io.write_file(&path, document.as_bytes(), Mode::Private)?;
        files += 1;
    }
    Ok(files)
}

/// A file below `directory`, whatever the address is called.
fn file_of(directory: &Path, address: &Address) -> PathBuf {
    let mut path = directory.to_owned();
    let mut segments = address.as_str().split('/').peekable();
    while let Some(segment) = segments.next() {
        let name = if segment.starts_with('.') { format!("_{segment}") } else { segment.to_owned() };
        path.push(if segments.peek().is_none() { format!("{name}.yaml") } else { name });
    }
    path
}

fn secret_fields<'a>(node: &Node, providers: &'a Providers) -> &'a [&'static str] {
    node.resource().map_or(&[], |resource| providers.secret_fields(&node.place, &resource.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_leaves_the_directory() {
        let path = |address: &str| file_of(Path::new("out"), &address.parse().unwrap());
        assert_eq!(path("laptop/nats/config"), Path::new("out/laptop/nats/config.yaml"));
        assert_eq!(path("laptop/../../etc/passwd"), Path::new("out/laptop/_../_../etc/passwd.yaml"));
        assert_eq!(path("laptop/.."), Path::new("out/laptop/_...yaml"));
    }
}
