//! The component `store`.
