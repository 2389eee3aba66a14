//! Infrastructure as Rust values: scores, topologies and the engine.
