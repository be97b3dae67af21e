//! The manifest as it is written: the part of Spin's format, version 2, that Lithe understands.
//! Whatever else a manifest holds is refused by its name.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub spin_manifest_version: toml::Spanned<u32>,
    pub application: Application,
    #[serde(default)]
    pub trigger: Triggers,
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    pub name: String,
    #[serde(default, rename = "version")]
    _version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    pub route: String,
    pub component: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub source: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default)]
    pub files: Vec<Files>,
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub tool: Tools,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub source: String,
    pub destination: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    pub component: String,
    /// For Spin, where the dependency is composed into the component.
    #[serde(default, rename = "inherit_configuration")]
    _inherit_configuration: Vec<String>,
}

/// The tables of other tools are none of our business.
#[derive(Debug, Default, Deserialize)]
pub struct Tools {
    #[serde(default)]
    pub lithe: Lithe,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lithe {
    /// For a dependency, which under Spin may have none of its own.
    #[serde(default)]
    pub files: Vec<Files>,
    #[serde(default)]
    pub mounts: BTreeMap<String, Access>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub command_environment: BTreeMap<String, String>,
    #[serde(default)]
    pub run_variable: bool,
    #[serde(default)]
    pub imports: Vec<String>,
    #[serde(default)]
    pub pooled: Vec<String>,
    #[serde(default)]
    pub contained: Vec<String>,
    #[serde(default)]
    pub routes: Vec<String>,
    #[serde(default)]
    pub tasks: Vec<Task>,
    pub memory_mib_max: Option<u64>,
    pub kept_mib_max: Option<u64>,
    pub requests_max: Option<u64>,
    pub request_seconds_max: Option<u64>,
    pub transfer_seconds_max: Option<u64>,
}

/// A request that the host makes by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Task {
    pub path: String,
    pub every_seconds: u64,
}

/// What a component may do in a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    ReadOnly,
    ReadWrite,
}
