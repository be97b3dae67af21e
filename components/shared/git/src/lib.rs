//! git

pub mod check;
pub mod connectivity;
pub mod quarantine;
mod durable;
pub mod fsck;
pub mod index_pack;
pub mod init;
pub mod refs;
pub mod limits;
pub mod odb;
pub mod pkt_line;
pub mod pack;
pub mod walk;
