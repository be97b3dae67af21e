//! The component `auth`.
