//! Lithe's host: serves the components that a manifest declares.
//!
//! [`manifest`] says what there is, [`runtime`] holds it compiled and linked, [`feature`] and
//! [`dependency`] run it, [`service`] brings requests to it, and [`serve`] connects all that to
//! sockets. The host knows no feature by name and no route but those of the manifest; it opens no
//! repository and no database.

mod answer;
mod body;
mod budget;
pub mod cli;
mod clock;
mod code;
mod connection;
mod data_directory;
mod dependency;
mod engine;
mod feature;
mod forwarded;
mod guest;
mod guest_output;
pub mod limits;
mod link;
pub mod manifest;
mod memory;
mod operator;
mod operator_socket;
mod request_id;
pub mod router;
mod run_to_end;
mod runtime;
pub mod serve;
mod service;
mod slots;
mod tasks;
mod turns;
