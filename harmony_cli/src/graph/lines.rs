//! A graph as lines of JSON.

use super::model::{Graph, Need, Shape};
use crate::report::Line;

/// Each box, then each arrow.
pub(crate) fn graph_lines(graph: &Graph) -> String {
    let boxes = graph.boxes.iter().enumerate().map(|(id, node)| {
        let group = &graph.groups[node.group];
        let (place, origin) = (group.place.as_str(), &group.origin());
        let is_proof = node.shape == Shape::Proof;
        Line::GraphNode { id, place, origin, title: &node.title, is_proof, members: &node.members }.text()
    });
    let arrows = graph.arrows.iter().map(|arrow| {
        let is_gate = arrow.need == Need::Gate;
        Line::GraphEdge { from: arrow.from, to: arrow.to, is_gate }.text()
    });
    boxes.chain(arrows).collect()
}
