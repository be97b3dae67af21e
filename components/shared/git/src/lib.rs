//! git

mod durable;
pub mod init;
pub mod refs;
