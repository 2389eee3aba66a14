//! The order in which things depend on each other. Everything here is linear in nodes and edges.

use std::collections::BTreeMap;

/// The nodes of a graph in an order in which each comes after what it needs.
#[derive(Debug)]
pub struct Order {
    /// Indices into the graph, each after what it needs.
    pub sequence: Vec<usize>,
    /// How many steps each node is away from one that needs nothing.
    pub level: Vec<usize>,
}

/// What cannot be put into an order.
#[derive(Debug, PartialEq, Eq)]
pub struct Knot {
    /// One cycle, its first node again at its end.
    pub cycle: Vec<usize>,
    /// Every node of a cycle, and what hangs on one.
    pub members: Vec<usize>,
}

impl Order {
    /// Sorts nodes of which `needs[n]` lists what `n` needs (Kahn's algorithm).
    ///
    /// # Errors
    /// [`Knot`] if some wait for each other.
    pub fn sort(needs: &[impl AsRef<[usize]>]) -> Result<Self, Knot> {
        let mut needed_by = vec![Vec::new(); needs.len()];
        let mut missing: Vec<usize> = needs.iter().map(|list| list.as_ref().len()).collect();
        for (node, list) in needs.iter().enumerate() {
            for need in list.as_ref() {
                needed_by[*need].push(node);
            }
        }
        let mut level = vec![0; needs.len()];
        let mut sequence: Vec<usize> = (0..needs.len()).filter(|node| missing[*node] == 0).collect();
        let mut next = 0;
        while let Some(&node) = sequence.get(next) {
            next += 1;
            for &user in &needed_by[node] {
                level[user] = level[user].max(level[node] + 1);
                missing[user] -= 1;
                if missing[user] == 0 {
                    sequence.push(user);
                }
            }
        }
        if sequence.len() == needs.len() {
            return Ok(Self { sequence, level });
        }
        let members = (0..needs.len()).filter(|node| missing[*node] > 0).collect();
        Err(Knot { cycle: cycle(needs, &missing), members })
    }
}

/// Follows unmet needs until a node comes up again.
fn cycle(needs: &[impl AsRef<[usize]>], missing: &[usize]) -> Vec<usize> {
    let Some(mut node) = missing.iter().position(|count| *count > 0) else { return Vec::new() };
    let mut seen_at = BTreeMap::new();
    let mut path = Vec::new();
    loop {
        if let Some(&first) = seen_at.get(&node) {
            path.push(node);
            return path.split_off(first);
        }
        seen_at.insert(node, path.len());
        path.push(node);
        match needs[node].as_ref().iter().find(|need| missing[**need] > 0) {
            Some(&need) => node = need,
            None => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_after_what_it_needs() {
        let order = Order::sort(&[vec![2], vec![0], vec![], vec![]]).unwrap();
        assert_eq!(order.sequence, [2, 3, 0, 1]);
        assert_eq!(order.level, [1, 2, 0, 0]);
    }

    #[test]
    fn a_cycle_is_named_without_what_only_hangs_on_it() {
        assert_eq!(Order::sort(&[vec![1], vec![2], vec![3], vec![1], vec![]]).unwrap_err().cycle, [1, 2, 3, 1]);
    }
}
