//! git

pub mod bitmap;
pub mod check;
mod checksum;
mod chunks;
pub mod commit_graph;
pub mod config;
pub mod connectivity;
mod disk;
pub mod durable;
#[cfg(any(test, feature = "faults"))]
pub mod faults;
pub mod format;
pub mod fsck;
pub mod health;
pub mod index_pack;
pub mod init;
pub mod limits;
pub mod listing;
pub mod maintenance;
pub mod odb;
pub mod pack;
pub mod pkt_line;
pub mod proposed;
pub mod quarantine;
pub mod refs;
mod run;
mod shortcut;
pub mod small_blobs;
pub mod stamp;
#[cfg(test)]
mod testing;
pub mod walk;
mod watched;
