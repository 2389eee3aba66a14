//! What Harmony says to NATS servers.
