//! What needs each other, and which needs follow from others.

use std::collections::BTreeSet;

/// For each of `count` nodes the number of its component: two nodes have the same one if each can be reached from the other.
pub(super) fn components(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let (mut forward, mut backward) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for &(from, to) in edges {
        forward[from].push(to);
        backward[to].push(from);
    }
    let mut component = vec![usize::MAX; count];
    for start in finished_last_first(&forward) {
        let mut queue = vec![start];
        while let Some(at) = queue.pop() {
            if component[at] == usize::MAX {
                component[at] = start;
                queue.extend(&backward[at]);
            }
        }
    }
    component
}

/// The nodes in the order in which a search that goes deep first leaves them, the last one first.
fn finished_last_first(forward: &[Vec<usize>]) -> Vec<usize> {
    let mut finished = Vec::with_capacity(forward.len());
    let mut seen = vec![false; forward.len()];
    for start in 0..forward.len() {
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match forward[at].get(next) {
                Some(&to) => {
                    stack.push((at, next + 1));
                    if !seen[to] {
                        stack.push((to, 0));
                    }
                }
                None => finished.push(at),
            }
        }
    }
    finished.reverse();
    finished
}

/// The level of each node: one more than the highest level of what it needs; what needs each other has one level.
pub(super) fn levels(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let component = components(count, edges);
    let between: BTreeSet<(usize, usize)> =
        edges.iter().map(|(from, to)| (component[*from], component[*to])).filter(|(from, to)| from != to).collect();
    let mut needed_by = vec![Vec::new(); count];
    let mut waits_for = vec![0_usize; count];
    for &(from, to) in &between {
        needed_by[from].push(to);
        waits_for[to] += 1;
    }
    let mut level = vec![0; count];
    let mut free: Vec<usize> = (0..count).filter(|node| component[*node] == *node && waits_for[*node] == 0).collect();
    while let Some(at) = free.pop() {
        for &to in &needed_by[at] {
            level[to] = level[to].max(level[at] + 1);
            waits_for[to] -= 1;
            if waits_for[to] == 0 {
                free.push(to);
            }
        }
    }
    (0..count).map(|node| level[component[node]]).collect()
}

/// The edges but for those that a longer way says too. Edges between nodes that need each other stay.
pub(super) fn without_implied(count: usize, edges: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let component = components(count, edges);
    let level = levels(count, edges);
    let mut next = vec![Vec::new(); count];
    for &(from, to) in edges.iter().filter(|(from, to)| component[*from] != component[*to]) {
        next[from].push(to);
    }
    let mut later_first: Vec<usize> = (0..count).collect();
    later_first.sort_by_key(|node| std::cmp::Reverse(level[*node]));
    let mut reached: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for &node in &later_first {
        let mut all: BTreeSet<usize> = next[node].iter().copied().collect();
        for to in &next[node] {
            all.extend(&reached[*to]);
        }
        reached[node] = all;
    }
    let is_implied = |from: usize, to: usize| next[from].iter().any(|by| *by != to && reached[*by].contains(&to));
    edges.iter().copied().filter(|(from, to)| component[*from] == component[*to] || !is_implied(*from, *to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> BTreeSet<(usize, usize)> {
        pairs.iter().copied().collect()
    }

    #[test]
    fn what_can_be_reached_from_each_other_is_one_component() {
        let found = components(6, &edges(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3)]));
        assert!(found[0] == found[1] && found[1] == found[2] && found[3] == found[4]);
        assert!(found[0] != found[3] && found[5] != found[0] && found[5] != found[3]);
    }

    #[test]
    fn levels_grow_along_edges_and_are_one_within_a_component() {
        assert_eq!(levels(5, &edges(&[(0, 1), (1, 2), (2, 1), (0, 3), (2, 3), (3, 4)])), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn an_edge_that_a_longer_way_says_is_left_out() {
        let all = edges(&[(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (4, 5), (5, 4)]);
        assert_eq!(without_implied(6, &all), edges(&[(0, 1), (1, 2), (2, 3), (4, 5), (5, 4)]));
    }
}
