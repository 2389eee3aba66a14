use harmony_secret::Secret;

struct Admin;

fn name_of<T: Secret>() -> &'static str {
    T::NAME
}

fn main() {
    name_of::<Admin>();
}
