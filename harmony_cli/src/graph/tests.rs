//! What graphs look like, and that their pictures can be read.

use harmony::Origin;
use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, ProofNode, ResourceNode, What};
use harmony::resource::Loss;
use roxmltree::Document;
use serde_json::json;

use super::{Depth, Graph, dot, mermaid, svg};

/// Of the n-th Score.
fn origin(score: u32) -> Origin {
    Origin::new(&format!("Score \"{score}\" <&>"), "src/main.rs", score)
}

fn resource(score: u32, uses: &[&str], after: &[&str]) -> Node {
    let used: Vec<_> = uses.iter().map(|of| json!({ "$later": format!("{of}#value") })).collect();
    let node = ResourceNode {
        kind: "local-file/v1".to_owned(),
        identity: json!("x"),
        label: "x".to_owned(),
        access: json!(null),
        spec: json!({ "used": used }),
        loss: Loss::Nothing,
        may_be_lost: false,
    };
    with(score, What::Resource(Box::new(node)), after)
}

fn proof(score: u32, after: &[&str]) -> Node {
    let proof = ProofNode { kind: "works/v1".to_owned(), claim: "it `works` #1".to_owned(), proof: json!({}) };
    with(score, What::Proof(proof), after)
}

fn with(score: u32, what: What, after: &[&str]) -> Node {
    let after = after.iter().map(|address| address.parse().unwrap()).collect();
    Node { place: "east".parse().unwrap(), what, after, turn: None, origin: origin(score) }
}

fn arrangement(nodes: Vec<(&str, Node)>) -> Arrangement {
    let nodes = nodes.into_iter().map(|(address, node)| (address.parse::<Address>().unwrap(), node)).collect();
    Arrangement { nodes, ..Arrangement::default() }
}

/// Two servers that know each other's ports, a proof of them, and a bucket behind it, of another Score.
fn servers() -> Arrangement {
    arrangement(vec![
        ("east/secret", resource(1, &[], &[])),
        ("east/nats/a/port", resource(1, &[], &[])),
        ("east/nats/a/file", resource(1, &["east/nats/b/port", "east/secret"], &[])),
        ("east/nats/b/port", resource(1, &[], &[])),
        ("east/nats/b/file", resource(1, &["east/nats/a/port", "east/secret"], &[])),
        ("east/nats/proof/works", proof(1, &["east/nats/a/file", "east/nats/b/file"])),
        ("east/nats/bucket/\"quoted\"<b>&\\n", resource(2, &["east/secret"], &["east/nats/proof/works"])),
    ])
}

#[test]
fn things_that_need_each_other_are_one_box_and_what_follows_is_left_out() {
    insta::assert_snapshot!(mermaid(&Graph::of(&servers(), Depth::Things)), @r##"
    %% What is needed stands before what needs it. Solid: a value of it is used. Dashed: only the order. Hexagons are proofs.
    flowchart LR
      subgraph g0["east: Score #34;1#34; #60;#38;#62; (src/main.rs:1)"]
        b0["2 things that need each other<br/>nats/a: 2 resources<br/>nats/b: 2 resources"]
        b1["secret<br/>local-file"]
        b2{{"nats/proof/works<br/>it #96;works#96; #35;1"}}
      end
      subgraph g1["east: Score #34;2#34; #60;#38;#62; (src/main.rs:2)"]
        b3["nats/bucket/#34;quoted#34;#60;b#62;#38;#92;n<br/>local-file"]
      end
      b0 -.-> b2
      b1 --> b0
      b2 -.-> b3
    "##);
}

#[test]
fn every_resource_is_shown_on_request() {
    insta::assert_snapshot!(dot(&Graph::of(&servers(), Depth::All)), @r##"
    // What is needed stands before what needs it. Solid: a value of it is used. Dashed: only the order. Hexagons are proofs.
    digraph site {
      rankdir=LR;
      node [shape=box, fontname="monospace", fontsize=10];
      subgraph cluster_0 {
        label="east: Score \"1\" <&amp;> (src/main.rs:1)";
        b0 [label="nats/a/file\nlocal-file"];
        b1 [label="nats/a/port\nlocal-file"];
        b2 [label="nats/b/file\nlocal-file"];
        b3 [label="nats/b/port\nlocal-file"];
        b4 [label="secret\nlocal-file"];
        b5 [label="nats/proof/works\nit `works` #1", shape=hexagon];
      }
      subgraph cluster_1 {
        label="east: Score \"2\" <&amp;> (src/main.rs:2)";
        b6 [label="nats/bucket/\"quoted\"<b>&amp;\\n\nlocal-file"];
      }
      b0 -> b5 [style=dashed];
      b1 -> b2;
      b2 -> b5 [style=dashed];
      b3 -> b0;
      b4 -> b0;
      b4 -> b2;
      b5 -> b6 [style=dashed];
    }
    "##);
}

#[test]
fn the_picture_is_drawn_here() {
    insta::assert_snapshot!(svg(&Graph::of(&servers(), Depth::Things)));
}

#[test]
fn a_program_without_scores_has_an_empty_graph() {
    let empty = Graph::of(&Arrangement::default(), Depth::All);
    assert!(mermaid(&empty).ends_with("flowchart LR\n"));
    assert!(Document::parse(&svg(&empty)).is_ok());
}

/// A site of many things: each needs some of those before it, and a few need each other.
fn many(seed: u64) -> Arrangement {
    let mut state = seed;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let names: Vec<String> = (0..130).map(|n| format!("east/nats/thing-{}/{n}-日本-part", random(40))).collect();
    let mut nodes = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let mut some = |most: usize| -> Vec<&str> { (0..random(most + 1)).map(|_| names[random(n.max(1))].as_str()).collect() };
        let (uses, after) = if n == 0 { (Vec::new(), Vec::new()) } else { (some(4), some(2)) };
        let score = u32::try_from(random(4)).unwrap();
        nodes.push((name.as_str(), if n % 9 == 8 { proof(score, &after) } else { resource(score, &uses, &after) }));
    }
    arrangement(nodes)
}

type Rectangle = (f64, f64, f64, f64);

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn rectangles(document: &Document<'_>, classes: &[&str]) -> Vec<Rectangle> {
    let drawn = document.descendants().filter(|node| node.attribute("class").is_some_and(|class| classes.contains(&class)));
    drawn
        .filter(|node| node.tag_name().name() == "rect")
        .map(|node| (number(node, "x"), number(node, "y"), number(node, "width"), number(node, "height")))
        .collect()
}

fn overlap(one: Rectangle, other: Rectangle) -> bool {
    one.0 < other.0 + other.2 && other.0 < one.0 + one.2 && one.1 < other.1 + other.3 && other.1 < one.1 + one.3
}

fn contains(outer: Rectangle, inner: Rectangle) -> bool {
    outer.0 <= inner.0 && outer.1 <= inner.1 && inner.0 + inner.2 <= outer.0 + outer.2 && inner.1 + inner.3 <= outer.1 + outer.3
}

#[test]
fn boxes_do_not_overlap_and_stand_in_their_bands() {
    for seed in 0..20 {
        for depth in [Depth::Things, Depth::All] {
            let graph = Graph::of(&many(seed), depth);
            let page = svg(&graph);
            let document = Document::parse(&page).unwrap();
            let boxes = rectangles(&document, &["resource", "proof"]);
            assert_eq!(boxes.len(), graph.boxes.len());
            for (index, one) in boxes.iter().enumerate() {
                assert!(boxes[index + 1..].iter().all(|other| !overlap(*one, *other)), "seed {seed}, box {index}");
            }
            let bands = rectangles(&document, &["band"]);
            assert!(bands.iter().enumerate().all(|(at, one)| bands[at + 1..].iter().all(|other| !overlap(*one, *other))));
            for (node, area) in graph.boxes.iter().zip(&boxes) {
                assert!(contains(bands[node.group], *area), "seed {seed}: {}", node.title);
            }
            let size = (0.0, 0.0, number(document.root_element(), "width"), number(document.root_element(), "height"));
            assert!(bands.iter().all(|band| contains(size, *band)), "seed {seed}");
        }
    }
}

/// Places on a way, close to each other.
fn places_on(way: &str) -> Vec<(f64, f64)> {
    let mut places: Vec<(f64, f64)> = Vec::new();
    for step in way.split(['M', 'C', 'L']).skip(1) {
        let numbers: Vec<f64> = step.split(' ').map(|number| number.parse().unwrap()).collect();
        let to = (numbers[numbers.len() - 2], numbers[numbers.len() - 1]);
        let Some(&from) = places.last() else {
            places.push(to);
            continue;
        };
        let (first, second) = if numbers.len() == 6 { ((numbers[0], numbers[1]), (numbers[2], numbers[3])) } else { (from, to) };
        for step in 1..=40 {
            let t = f64::from(step) / 40.0;
            let mix = |a: f64, b: f64, c: f64, d: f64| {
                let s = 1.0 - t;
                s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
            };
            places.push((mix(from.0, first.0, second.0, to.0), mix(from.1, first.1, second.1, to.1)));
        }
    }
    places
}

#[test]
fn no_arrow_runs_through_a_box() {
    let mut longest = 0;
    for seed in 0..20 {
        let page = svg(&Graph::of(&many(seed), Depth::All));
        let document = Document::parse(&page).unwrap();
        let boxes = rectangles(&document, &["resource", "proof"]);
        for way in document.descendants().filter(|node| node.attribute("class").is_some_and(|class| class.starts_with("way"))) {
            let places = places_on(way.attribute("d").unwrap());
            for place in &places {
                let point = (place.0 - 0.05, place.1, 0.1, 0.1);
                let ends_at = |area: &Rectangle| [area.0, area.0 + area.2].iter().any(|side| (side - place.0).abs() < 0.2);
                let through = boxes.iter().find(|area| overlap(point, **area) && !ends_at(area));
                assert_eq!(through, None, "seed {seed}: {place:?}");
            }
            longest = longest.max(places.len());
        }
    }
    assert!(longest > 200, "the test has seen arrows that pass several columns");
}
