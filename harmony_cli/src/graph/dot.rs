//! A graph in the language of Graphviz (<https://graphviz.org/doc/info/lang.html>).

use super::model::{Graph, Need, Shape};
use crate::report::visible;

/// The graph as a digraph: proofs are hexagons, dashed edges are gates.
pub(crate) fn dot(graph: &Graph) -> String {
    let mut page = String::from(
        "// What is needed stands before what needs it. Solid: a value of it is used. Dashed: only the order. Hexagons are proofs.\n\
         digraph site {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n",
    );
    for (index, group) in graph.groups.iter().enumerate() {
        page.push_str(&format!("  subgraph cluster_{index} {{\n    label=\"{}\";\n", escaped(&group.title())));
        for (number, node) in graph.boxes.iter().enumerate().filter(|(_, node)| node.group == index) {
            let words: Vec<String> = std::iter::once(&node.title).chain(&node.lines).map(|line| escaped(line)).collect();
            let shape = match node.shape {
                Shape::Resource => "",
                Shape::Proof => ", shape=hexagon",
            };
            page.push_str(&format!("    b{number} [label=\"{}\"{shape}];\n", words.join("\\n")));
        }
        page.push_str("  }\n");
    }
    for arrow in &graph.arrows {
        let style = match arrow.need {
            Need::Reference => "",
            Need::Gate => " [style=dashed]",
        };
        page.push_str(&format!("  b{} -> b{}{style};\n", arrow.from, arrow.to));
    }
    page.push_str("}\n");
    page
}

/// Quotes end a text, a backslash begins an escape, and an ampersand an entity.
fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}
