//! `graph`.

use harmony::Stage;
use harmony::topology::Topology;

use super::look::{Ended, On};
use crate::arguments::{GraphArguments, GraphFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::graph::{Depth, Graph, dot, graph_lines, mermaid, svg};
use crate::invocation::Session;

/// Shows what stands on what, without looking at anything.
pub(super) fn graph<T: Topology>(
    session: &Session,
    arguments: &GraphArguments,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    let (arrangement, _) = Stage::play_all(scores, inventory, topology)?;
    let graph = Graph::of(&arrangement, if arguments.all { Depth::All } else { Depth::Things });
    session.text(&match arguments.format {
        GraphFormat::Mermaid => mermaid(&graph),
        GraphFormat::Dot => dot(&graph),
        GraphFormat::Svg => svg(&graph),
    });
    session.json(|| graph_lines(&graph));
    Ok(Ended::with(Exit::Done))
}
