//! The features' side of `lithe:forge`: its interfaces as Rust functions, and what a request says
//! about who makes it.
//!
//! A component imports only the interfaces whose functions it calls: what is unused here is left
//! out when the component is linked. `wit/worlds.wit` says which those may be.

pub mod opening;
mod operator;
mod requester;

pub use operator::is_operator;
pub use requester::{Requester, SESSION_COOKIE, cookies, host_header, is_https};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "features",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}

pub use bindings::lithe::forge::{
    access, accounts, identity, issue_links, journal, locks, passwords, push_rules, quotas, repositories,
    settings, signers, types,
};
pub use bindings::lithe::highlighting::highlighter;
pub use bindings::lithe::policy::push_policy;
