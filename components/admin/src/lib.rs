//! The component `admin`.
