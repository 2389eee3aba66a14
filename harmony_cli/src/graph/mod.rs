//! What the Scores become, as a graph: what is needed stands before what needs it. Pure, from data to text.

mod components;
mod dot;
mod layout;
mod lines;
mod mermaid;
mod model;
mod svg;
#[cfg(test)]
mod tests;

pub(crate) use dot::dot;
pub(crate) use lines::graph_lines;
pub(crate) use mermaid::mermaid;
pub(crate) use model::{Depth, Graph};
pub(crate) use svg::svg;
