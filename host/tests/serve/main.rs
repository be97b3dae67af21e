//! The host with real components, from the socket to the component and back.

mod dependencies;
mod http;
mod kit;
mod lifetime;
mod limits;
mod sandbox;
