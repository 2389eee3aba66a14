//! Plays Scores on this machine with real processes.
