//! What the compiler says about NATS on a place that cannot run it.

#[test]
fn nats_on_a_place_that_cannot_run_it_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
