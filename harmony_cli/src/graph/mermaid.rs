//! A graph in the language of Mermaid (<https://mermaid.js.org/syntax/flowchart.html>), which code hosts draw in Markdown.

use super::model::{Graph, Need, Shape};
use crate::report::visible;

/// The graph as a flowchart: proofs are hexagons, dashed arrows are gates.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut page = String::from(
        "%% What is needed stands before what needs it. Solid: a value of it is used. Dashed: only the order. Hexagons are proofs.\n\
         flowchart LR\n",
    );
    for (index, group) in graph.groups.iter().enumerate() {
        page.push_str(&format!("  subgraph g{index}[\"{}\"]\n", escaped(&group.title())));
        for (number, node) in graph.boxes.iter().enumerate().filter(|(_, node)| node.group == index) {
            let words: Vec<String> = std::iter::once(&node.title).chain(&node.lines).map(|line| escaped(line)).collect();
            let (open, close) = match node.shape {
                Shape::Resource => ("[", "]"),
                Shape::Proof => ("{{", "}}"),
            };
            page.push_str(&format!("    b{number}{open}\"{}\"{close}\n", words.join("<br/>")));
        }
        page.push_str("  end\n");
    }
    for arrow in &graph.arrows {
        let line = match arrow.need {
            Need::Reference => "-->",
            Need::Gate => "-.->",
        };
        page.push_str(&format!("  b{} {line} b{}\n", arrow.from, arrow.to));
    }
    page
}

/// Inside quotes Mermaid still reads entities, tags and Markdown, so whatever could begin one is written as its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in visible(text).chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' => {
                escaped.push_str(&format!("#{};", u32::from(character)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
