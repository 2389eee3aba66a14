//! What the compiler says about a secret that cannot be one.

#[test]
fn wrong_secrets_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
