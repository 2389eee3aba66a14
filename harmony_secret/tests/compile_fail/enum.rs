use harmony_secret::Secret;

#[derive(Secret)]
enum Token {
    Short(String),
    Long(String),
}

fn main() {}
