use super::programs::{assembled, main_job, said};
use crate::modules::nats::spec::assemble;

/// Calls `visit` with every order of `items` (Heap's algorithm).
fn permutations<T: Clone>(items: &mut Vec<T>, length: usize, visit: &mut impl FnMut(&[T])) {
    if length <= 1 {
        return visit(items);
    }
    for at in 0..length {
        permutations(items, length - 1, visit);
        items.swap(if length.is_multiple_of(2) { at } else { 0 }, length - 1);
    }
}

#[test]
fn the_order_of_the_scores_does_not_matter() {
    let mut fragments = said(main_job());
    let expected = assemble("nats", fragments.clone()).unwrap();
    let mut count = 0;
    let length = fragments.len();
    permutations(&mut fragments, length, &mut |order| {
        count += 1;
        assert_eq!(assemble("nats", order.to_vec()).unwrap(), expected);
    });
    assert_eq!(count, 720);
}

#[test]
fn the_same_word_twice_is_one_word() {
    let once = assembled(main_job()).unwrap();
    let mut fragments = said(main_job());
    fragments.extend(said(main_job()));
    assert_eq!(assemble("nats", fragments).unwrap(), once);
}
