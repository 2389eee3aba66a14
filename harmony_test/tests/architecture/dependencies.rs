//! Who may depend on whom: rings, owners of SDKs, and lints for all.

use crate::repository::{Crate, TextFile, Use, Violation, assert_kept, crates, tracked_files};

/// A crate depends only on smaller rings.
const RINGS: [(&str, u8); 11] = [
    ("harmony_types", 0),
    ("harmony_io", 0),
    ("harmony_secret_derive", 1),
    ("harmony_secret", 1),
    ("harmony", 2),
    ("harmony_local", ADAPTERS),
    ("harmony_k8s", ADAPTERS),
    ("harmony_nats", ADAPTERS),
    ("harmony_cli", 4),
    ("harmony_operator", 5),
    ("harmony_agent", 5),
];
const ADAPTERS: u8 = 3;
const EXAMPLES: u8 = 6;
/// They stand beside the rings: they may depend on all, and nothing that is shipped depends on them.
const OUTSIDE: [&str; 4] = ["harmony_test", "harmony_testbed", "harmony_crash", "xtask"];
/// A derive macro and the crate that hands it on are one thing in two crates.
const ONE_THING: [(&str, &str); 1] = [("harmony_secret", "harmony_secret_derive")];

/// Who may depend on an SDK. Tests may use any.
const OWNERS: [(&str, &[&str]); 9] = [
    ("async-nats", &["harmony_nats"]),
    ("kube", &["harmony_k8s"]),
    ("rcgen", &["harmony", "harmony_testbed"]),
    ("bcrypt", &["harmony"]),
    ("clap", &["harmony_cli", "xtask"]),
    ("clap_complete", &["harmony_cli"]),
    ("nix", &["harmony_io"]),
    ("ureq", &["harmony_local", "harmony_testbed"]),
    ("anyhow", &["harmony_cli", "harmony_operator", "harmony_agent", "xtask", "examples"]),
];

/// There is one cryptographic library, and that is ring: a second one costs minutes of build time and a C compiler.
const FORBIDDEN_PACKAGES: [&str; 3] = ["aws-lc-rs", "aws-lc-sys", "openssl-sys"];

#[test]
fn crates_depend_only_on_smaller_rings() {
    assert_kept(
        &ring_violations(&crates()),
        "Put what both need into a smaller ring, or a port into `harmony` that the site program injects. A new crate gets its ring in RINGS, with an ADR.",
    );
}

#[test]
fn an_sdk_is_used_by_its_owner_alone() {
    assert_kept(&owner_violations(&crates()), "Ask the owner through a port in `harmony`, in domain types.");
}

#[test]
fn forbidden_packages_are_not_in_the_graph() {
    let files = tracked_files();
    let lock = files.iter().find(|file| file.path == "Cargo.lock").unwrap();
    assert_kept(&package_violations(lock), "Find who brings it with `cargo tree -i PACKAGE`, and choose features without it.");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    assert_kept(&lint_violations(&crates()), "Write `[lints]` and `workspace = true` into it.");
}

fn ring_violations(crates: &[Crate]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let ring = |name: &str| ring_of(crates, name);
    for member in crates {
        if ring(&member.name).is_none() && !OUTSIDE.contains(&member.name.as_str()) {
            violations.push(member.manifest.violation(1, format!("`{}` has no ring", member.name)));
        }
        for name in shipped_dependencies(member) {
            let allowed = OUTSIDE.contains(&member.name.as_str())
                || ONE_THING.contains(&(&member.name, name))
                || match (ring(&member.name), ring(name)) {
                    (Some(4), Some(ADAPTERS)) => false,
                    // One story on several places: what it says is said once.
                    (Some(EXAMPLES), Some(EXAMPLES)) => true,
                    (Some(own), Some(other)) => other < own,
                    _ => !OUTSIDE.contains(&name),
                };
            if !allowed {
                violations.push(at_dependency(member, name, format!("`{}` depends on `{name}`", member.name)));
            }
        }
    }
    violations
}

fn owner_violations(crates: &[Crate]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in crates {
        for name in shipped_dependencies(member) {
            let Some((_, owners)) = OWNERS.iter().find(|(package, _)| *package == name) else { continue };
            let is_example = owners.contains(&"examples") && is_example(member);
            if !owners.contains(&member.name.as_str()) && !is_example {
                let what = format!("`{}` depends on `{name}`, which only {owners:?} may", member.name);
                violations.push(at_dependency(member, name, what));
            }
        }
    }
    violations
}

fn package_violations(lock: &TextFile) -> Vec<Violation> {
    let of = |package: &&str| {
        let wanted = format!("name = \"{package}\"");
        let line = lock.text.lines().position(|line| line == wanted)?;
        Some(lock.violation(line + 1, format!("`{package}` is in the graph")))
    };
    FORBIDDEN_PACKAGES.iter().filter_map(of).collect()
}

fn lint_violations(crates: &[Crate]) -> Vec<Violation> {
    let takes_them = |text: &str| {
        let mut section = text.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
        section.find(|line| !line.is_empty()) == Some("workspace = true")
    };
    crates
        .iter()
        .filter(|member| !takes_them(&member.manifest.text))
        .map(|member| member.manifest.violation(1, format!("`{}` has lints of its own", member.name)))
        .collect()
}

fn ring_of(crates: &[Crate], name: &str) -> Option<u8> {
    let known = RINGS.iter().find(|(member, _)| *member == name).map(|(_, ring)| *ring);
    known.or_else(|| crates.iter().any(|member| member.name == name && is_example(member)).then_some(EXAMPLES))
}

fn is_example(member: &Crate) -> bool {
    member.manifest.path.starts_with("examples/")
}

fn shipped_dependencies(member: &Crate) -> impl Iterator<Item = &str> {
    member.dependencies.iter().filter(|(_, use_)| *use_ == Use::Shipped).map(|(name, _)| name.as_str())
}

fn at_dependency(member: &Crate, name: &str, what: String) -> Violation {
    let names_it = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    member.manifest.violation(member.manifest.line_where(names_it), what)
}

mod finds {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, Use)]) -> Crate {
        let listed: String = dependencies.iter().map(|(name, _)| format!("{name}.workspace = true\n")).collect();
        let directory = if name.starts_with("example") { format!("examples/{name}") } else { name.to_owned() };
        Crate {
            name: name.to_owned(),
            manifest: TextFile::new(&format!("{directory}/Cargo.toml"), &format!("[dependencies]\n{listed}")),
            dependencies: dependencies.iter().map(|(name, use_)| ((*name).to_owned(), *use_)).collect(),
        }
    }

    fn lines(violations: &[Violation]) -> Vec<String> {
        violations.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn edges_to_the_same_and_to_larger_rings() {
        let crates = [
            member("harmony", &[("serde", Use::Shipped), ("harmony_local", Use::Shipped), ("harmony_test", Use::OnlyInTests)]),
            member("harmony_local", &[("harmony", Use::Shipped), ("harmony_nats", Use::Shipped)]),
            member("harmony_cli", &[("harmony_local", Use::Shipped)]),
            member("example_a", &[("harmony_cli", Use::Shipped), ("harmony_local", Use::Shipped), ("xtask", Use::Shipped)]),
            member("harmony_secret", &[("harmony_secret_derive", Use::Shipped)]),
            member("harmony_other", &[]),
        ];
        assert_eq!(
            lines(&ring_violations(&crates)),
            [
                "harmony/Cargo.toml:3: `harmony` depends on `harmony_local`",
                "harmony_local/Cargo.toml:3: `harmony_local` depends on `harmony_nats`",
                "harmony_cli/Cargo.toml:2: `harmony_cli` depends on `harmony_local`",
                "examples/example_a/Cargo.toml:4: `example_a` depends on `xtask`",
                "harmony_other/Cargo.toml:1: `harmony_other` has no ring",
            ]
        );
    }

    #[test]
    fn sdks_outside_their_owner() {
        let crates = [
            member("harmony_nats", &[("async-nats", Use::Shipped)]),
            member("harmony_local", &[("async-nats", Use::OnlyInTests), ("anyhow", Use::Shipped)]),
            member("example_a", &[("anyhow", Use::Shipped), ("async-nats", Use::Shipped)]),
        ];
        let found = lines(&owner_violations(&crates));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("harmony_local/Cargo.toml:3: `harmony_local` depends on `anyhow`"), "{found:?}");
        assert!(found[1].starts_with("examples/example_a/Cargo.toml:3: `example_a` depends on `async-nats`"), "{found:?}");
    }

    #[test]
    fn forbidden_packages() {
        let lock = TextFile::new("Cargo.lock", "[[package]]\nname = \"aws-lc-rs\"\n");
        assert_eq!(lines(&package_violations(&lock)), ["Cargo.lock:2: `aws-lc-rs` is in the graph"]);
    }

    #[test]
    fn crates_with_lints_of_their_own() {
        let mut good = member("harmony", &[]);
        good.manifest.text.push_str("\n[lints]\nworkspace = true\n");
        let mut own = member("harmony_io", &[]);
        own.manifest.text.push_str("\n[lints.rust]\nunsafe_code = \"allow\"\n");
        assert_eq!(lines(&lint_violations(&[good, own])), ["harmony_io/Cargo.toml:1: `harmony_io` has lints of its own"]);
    }
}
