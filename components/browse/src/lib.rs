//! The component `browse`.
