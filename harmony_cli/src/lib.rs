//! The command line of a site program.
