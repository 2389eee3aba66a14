//! A graph as a picture (<https://www.w3.org/TR/SVG2/>), drawn here: nothing else has to be installed.

use super::layout::{Area, CHARACTER, LONGEST_TEXT, Layout, PADDING, ROW, columns_of, columns_of_character};
use super::model::{Graph, GraphBox, Need, Shape};
use crate::report::visible;

const STYLE: &str = "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2933}\
.band{fill:#f4f6f8;stroke:#d9e0e6}.title,.group{font-weight:bold}.row,.legend{fill:#52606d}\
.resource{fill:#fff;stroke:#486581}.proof{fill:#e3f9e5;stroke:#207227}\
.way{fill:none;stroke:#829ab1;stroke-width:1.2}.gate{stroke-dasharray:5 4}.head{fill:#829ab1}";

/// The graph as SVG: proofs are green with round corners, dashed arrows are gates. In a browser, pointing at a box shows its arrows.
pub(crate) fn svg(graph: &Graph) -> String {
    let layout = Layout::of(graph);
    // The legend and the titles of bands have to fit too.
    let titles = graph.groups.iter().map(|group| columns_of(&group.title())).max().unwrap_or_default();
    let width = layout.width.max(CHARACTER * titles.max(columns_of(LEGEND)) + 80);
    let height = layout.height;
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <style>{STYLE}{}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text class=\"legend\" x=\"20\" y=\"28\">{LEGEND}</text>\n",
        shown_when_pointed_at(graph)
    );
    for area in &layout.bands {
        let area = Area { width: area.width.max(width - 2 * area.left), ..*area };
        page.push_str(&rectangle("band", area, 4));
    }
    for (arrow, way) in graph.arrows.iter().zip(&layout.ways) {
        let gate = if arrow.need == Need::Gate { " gate" } else { "" };
        let (from, to) = (arrow.from, arrow.to);
        page.push_str(&format!("<path class=\"way{gate} w{from} w{to}\" d=\"{}\" marker-end=\"url(#head)\"/>\n", curve(way)));
    }
    for (group, area) in graph.groups.iter().zip(&layout.bands) {
        page.push_str(&text("group", area.left + PADDING, area.top + ROW + 2, &group.title()));
    }
    for (index, (node, area)) in graph.boxes.iter().zip(&layout.boxes).enumerate() {
        page.push_str(&drawn_box(index, node, *area));
    }
    page.push_str("</svg>\n");
    page
}

const LEGEND: &str =
    "What is needed stands before what needs it. Solid: a value of it is used. Dashed: only the order. Green: proofs.";

fn drawn_box(index: usize, node: &GraphBox, area: Area) -> String {
    let (class, round) = match node.shape {
        Shape::Resource => ("resource", 2),
        Shape::Proof => ("proof", 14),
    };
    let all: Vec<&str> = node.members.iter().map(harmony::address::Address::as_str).collect();
    let mut drawn = format!("<g id=\"b{index}\"><title>{}</title>", escaped(&tooltip(node, &all)));
    drawn.push_str(rectangle(class, area, round).trim_end());
    let left = area.left + PADDING;
    drawn.push_str(text("title", left, area.top + ROW, &cut(&node.title)).trim_end());
    for (row, line) in node.lines.iter().enumerate() {
        drawn.push_str(text("row", left, area.top + ROW * (row + 2), &cut(line)).trim_end());
    }
    drawn + "</g>\n"
}

fn tooltip(node: &GraphBox, members: &[&str]) -> String {
    [node.lines.join("; "), members.join(", ")].join(": ")
}

fn rectangle(class: &str, Area { left, top, width, height }: Area, round: usize) -> String {
    format!("<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>\n")
}

fn text(class: &str, x: usize, y: usize, text: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>\n", escaped(text))
}

/// The text, as far as a box is wide.
fn cut(text: &str) -> String {
    if columns_of(text) <= LONGEST_TEXT {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |character: &char| {
        used += columns_of_character(*character);
        used <= LONGEST_TEXT
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Straight where it passes a column, curved between columns.
fn curve(points: &[(usize, usize)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        match at.checked_sub(1).map(|before| points[before]) {
            None => path.push_str(&format!("M{x} {y}")),
            Some((before, height)) if at % 2 == 0 => {
                let bend = before.abs_diff(*x) / 2;
                path.push_str(&format!("C{} {height} {} {y} {x} {y}", before + bend, x.saturating_sub(bend)));
            }
            Some(_) => path.push_str(&format!("L{x} {y}")),
        }
    }
    path
}

/// A rule for each box: while it is pointed at, its arrows stand out.
fn shown_when_pointed_at(graph: &Graph) -> String {
    let rule = |index| format!("svg:has(#b{index}:hover) .w{index}{{stroke:#d64545;stroke-width:2.2}}");
    (0..graph.boxes.len()).map(rule).collect()
}

/// XML knows five entities, and no control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
