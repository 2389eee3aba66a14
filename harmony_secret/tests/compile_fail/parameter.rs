use harmony_secret::Secret;

#[derive(Secret)]
struct Token<T> {
    value: T,
}

fn main() {}
