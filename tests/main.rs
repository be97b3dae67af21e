//! Lithe as its users meet it: the real server, the real `git`, a real browser.
//!
//! One module a feature, named like its component; [`kit`] starts servers and runs scripts.
//! Run by `cargo xtask test`, which builds what these tests start.

mod kit;

mod admin;
mod alternates;
mod archive;
mod auth;
mod bad_input;
mod bundles;
mod cli;
mod clients;
mod composition;
mod contract;
mod crash;
mod crawler;
mod crowd;
mod damaged;
mod disk;
mod edit;
mod features;
mod feeds;
mod fuzz;
mod git_http;
mod git_scenarios;
mod highlighter;
mod isolation;
mod issue_links;
mod kept;
mod languages;
mod large_files;
mod lfs;
mod listing;
mod machines;
mod maintenance;
mod object_formats;
mod pages;
mod permissions;
mod protocol;
mod push_policy;
mod random;
mod reftable;
mod search;
mod signatures;
mod spin;
mod swap;
