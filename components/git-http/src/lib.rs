//! The component `git-http`.
