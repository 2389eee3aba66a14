//! What the compiler says about a Score on a place that cannot play it.

#[test]
fn scores_on_places_that_cannot_play_them_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
