//! Where boxes and arrows stand: columns by what they need, bands by group. No two boxes touch, and no arrow crosses a box.

use std::collections::BTreeMap;

use super::components::levels;
use super::model::{Graph, GraphBox};

/// In pixels, as everything here.
pub(super) const ROW: usize = 16;
pub(super) const PADDING: usize = 8;
/// What the widest of the usual fonts takes at 12 pixels.
pub(super) const CHARACTER: usize = 8;
const BETWEEN_COLUMNS: usize = 80;
const BETWEEN_BOXES: usize = 14;
const BETWEEN_BANDS: usize = 16;
const MARGIN: usize = 20;
/// Above the boxes of a band stands its title.
const BAND_TITLE: usize = 30;
/// An arrow that passes a column takes so much of its height.
const PASSAGE: usize = 6;
/// In characters; what is longer is cut, and whole in the box's tooltip.
pub(super) const LONGEST_TEXT: usize = 46;
/// How often the order within the columns is made better.
const SWEEPS: usize = 8;

/// A picture's measures.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Of each group.
    pub(super) bands: Vec<Area>,
    /// Of each box.
    pub(super) boxes: Vec<Area>,
    /// Of each arrow: where it begins, bends and ends. Straight and bent parts take turns, the first being straight, to the edge of its column.
    pub(super) ways: Vec<Vec<(usize, usize)>>,
}

/// An upright rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// What takes a place in a column: a box, or the passage of the arrows from one box to a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Box(usize),
    Passage { from: usize, column: usize, band: usize },
}

/// The items of a picture and what is next to what.
struct Columns {
    items: Vec<Item>,
    /// Of each item.
    column: Vec<usize>,
    band: Vec<usize>,
    /// Between items of columns that are next to each other, or wherever two boxes need each other.
    links: Vec<(usize, usize)>,
    /// Of each arrow: the items it passes, from its first to its last.
    ways: Vec<Vec<usize>>,
}

/// Where everything stands, before the arrows.
struct Placed {
    /// Of each item.
    areas: Vec<Area>,
    /// The right edge of each column.
    edges: Vec<usize>,
    bands: Vec<Area>,
    width: usize,
    height: usize,
}

impl Layout {
    /// Where everything stands.
    pub(super) fn of(graph: &Graph) -> Self {
        let columns = Columns::of(graph);
        let rank = columns.order();
        let Placed { areas, edges, bands, width, height } = columns.place(graph, &rank);
        let ways = columns.ways.iter().map(|way| columns.points(way, &areas, &edges)).collect();
        Self { width, height, bands, boxes: areas[..graph.boxes.len()].to_vec(), ways }
    }
}

impl Area {
    fn right(self) -> usize {
        self.left + self.width
    }

    fn middle(self) -> usize {
        self.top + self.height / 2
    }
}

impl Columns {
    fn of(graph: &Graph) -> Self {
        let edges = graph.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
        let column = levels(graph.boxes.len(), &edges);
        let band = graph.boxes.iter().map(|node| node.group).collect();
        let items = (0..graph.boxes.len()).map(Item::Box).collect();
        let mut all = Self { items, column, band, links: Vec::new(), ways: Vec::new() };
        let mut passages = BTreeMap::new();
        for arrow in &graph.arrows {
            let mut way = vec![arrow.from];
            for column in all.column[arrow.from] + 1..all.column[arrow.to] {
                let item = Item::Passage { from: arrow.from, column, band: all.band[arrow.to] };
                way.push(*passages.entry(item).or_insert_with(|| all.add(item)));
            }
            way.push(arrow.to);
            all.links.extend(way.windows(2).map(|pair| (pair[0], pair[1])));
            all.ways.push(way);
        }
        all
    }

    fn add(&mut self, item: Item) -> usize {
        if let Item::Passage { column, band, .. } = item {
            self.column.push(column);
            self.band.push(band);
        }
        self.items.push(item);
        self.items.len() - 1
    }

    /// The items by column and band, in an order in which what is linked is near: each item is put where its neighbours are on average.
    fn order(&self) -> BTreeMap<(usize, usize), Vec<usize>> {
        let mut cells: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for item in 0..self.items.len() {
            cells.entry((self.band[item], self.column[item])).or_default().push(item);
        }
        let mut neighbours = vec![Vec::new(); self.items.len()];
        for &(from, to) in &self.links {
            neighbours[from].push(to);
            neighbours[to].push(from);
        }
        let mut height = vec![0.0; self.items.len()];
        for _ in 0..SWEEPS {
            for cell in cells.values() {
                for (rank, item) in cell.iter().enumerate() {
                    height[*item] = f64::from(u32::try_from(rank).unwrap_or(u32::MAX)) / size(cell.len());
                }
            }
            for ((band, _), cell) in &mut cells {
                let wish = |item: &usize| {
                    let near = neighbours[*item].iter();
                    let heights = near.map(|other| size(self.band[*other]) - size(*band) + height[*other]);
                    let count = neighbours[*item].len();
                    if count == 0 { height[*item] } else { heights.sum::<f64>() / size(count) }
                };
                cell.sort_by(|one, other| wish(one).total_cmp(&wish(other)).then(one.cmp(other)));
            }
        }
        cells
    }

    /// Where all stands.
    fn place(&self, graph: &Graph, cells: &BTreeMap<(usize, usize), Vec<usize>>) -> Placed {
        let sizes: Vec<(usize, usize)> = self.items.iter().map(|item| self.size(*item, graph)).collect();
        let mut widths = vec![0; self.column.iter().max().map_or(0, |last| last + 1)];
        for (item, (width, _)) in sizes.iter().enumerate() {
            widths[self.column[item]] = widths[self.column[item]].max(*width);
        }
        let lefts: Vec<usize> = widths
            .iter()
            .scan(MARGIN + PADDING, |left, width| Some(std::mem::replace(left, *left + width + BETWEEN_COLUMNS)))
            .collect();
        let width = lefts.last().map_or(0, |left| left + widths[widths.len() - 1]) + PADDING + MARGIN;
        let height_of = |cell: &[usize]| cell.iter().map(|item| sizes[*item].1 + BETWEEN_BOXES).sum::<usize>();
        let mut areas = vec![Area::default(); self.items.len()];
        let mut bands = Vec::new();
        let mut top = MARGIN + ROW * 2;
        for band in 0..graph.groups.len() {
            let own = || cells.range((band, 0)..(band + 1, 0));
            let inside = own().map(|(_, cell)| height_of(cell)).max().unwrap_or_default();
            for ((_, column), cell) in own() {
                let mut below = top + BAND_TITLE + (inside - height_of(cell)) / 2;
                for &item in cell {
                    let (own_width, height) = sizes[item];
                    let width = if matches!(self.items[item], Item::Box(_)) { own_width } else { widths[*column] };
                    areas[item] = Area { left: lefts[*column], top: below, width, height };
                    below += height + BETWEEN_BOXES;
                }
            }
            bands.push(Area { left: MARGIN, top, width: width - 2 * MARGIN, height: BAND_TITLE + inside });
            top += BAND_TITLE + inside + BETWEEN_BANDS;
        }
        let edges = lefts.iter().zip(&widths).map(|(left, width)| left + width).collect();
        Placed { areas, edges, bands, width, height: top - BETWEEN_BANDS + MARGIN }
    }

    /// From the right side of the first, through the passages, to the left side of the last.
    fn points(&self, way: &[usize], areas: &[Area], edges: &[usize]) -> Vec<(usize, usize)> {
        let mut points = Vec::with_capacity(way.len() * 2);
        for (at, item) in way.iter().enumerate() {
            let area = areas[*item];
            points.push((if at == 0 { area.right() } else { area.left }, area.middle()));
            if at + 1 < way.len() {
                points.push((edges[self.column[*item]], area.middle()));
            }
        }
        points
    }

    fn size(&self, item: Item, graph: &Graph) -> (usize, usize) {
        match item {
            Item::Box(index) => size_of_box(&graph.boxes[index]),
            Item::Passage { .. } => (0, PASSAGE),
        }
    }
}

fn size_of_box(node: &GraphBox) -> (usize, usize) {
    let longest = std::iter::once(&node.title).chain(&node.lines).map(|line| columns_of(line)).max().unwrap_or_default();
    (longest.min(LONGEST_TEXT) * CHARACTER + 2 * PADDING, (1 + node.lines.len()) * ROW + PADDING)
}

/// How many columns a text takes; signs of East Asian scripts and pictures take two.
pub(super) fn columns_of(text: &str) -> usize {
    text.chars().map(columns_of_character).sum()
}

/// How many columns a character takes.
pub(super) fn columns_of_character(character: char) -> usize {
    if u32::from(character) >= 0x1100 { 2 } else { 1 }
}

fn size(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
