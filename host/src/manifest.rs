//! The manifest, `spin.toml`: which components there are, which routes they answer, and what each
//! may touch.
//!
//! [`raw`] is the file as it is written, [`Manifest`] what it means once every reference in it is
//! known to hold. Nothing is opened here but the file itself.

mod raw;

use crate::limits;
use crate::router::{Pattern, PatternError};
pub use raw::Access;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Component as PathComponent, Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The variable that tells components which run of the host this is (`lithe_git` reads it).
const RUN_VARIABLE: &str = "LITHE_RUN";

/// An application whose parts fit together.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The application's name.
    pub name: String,
    /// Patterns in the order of the file, each with the name of the component that answers.
    pub routes: Vec<(Pattern, String)>,
    /// By name.
    pub components: BTreeMap<String, Component>,
    /// What the host asks for by itself.
    pub tasks: Vec<Task>,
}

/// One component, and all that it may touch.
#[derive(Debug, Clone)]
pub struct Component {
    /// The name, as it is in routes, dependencies and logs.
    pub name: String,
    /// The `.wasm` file.
    pub source: PathBuf,
    /// The directories that it gets.
    pub mounts: Vec<Mount>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// What is different in the environment where it runs for one command of the command line.
    pub command_environment: BTreeMap<String, String>,
    /// Whether its environment says which run of the host this is.
    pub has_run_variable: bool,
    /// The components whose interfaces it may call.
    pub dependencies: Vec<Dependency>,
    /// Names of the interfaces, without package and version, that it may call.
    pub imports: Vec<String>,
    /// Names of its own interfaces that any number of instances may answer.
    pub pooled: Vec<String>,
    /// Names of its own interfaces whose callers go on where a call of them fails.
    pub contained: Vec<String>,
    /// What it may use.
    pub limits: Limits,
}

/// A request that the host makes by itself, in the operator's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What is posted to, `/-/admin/maintenance`.
    pub path: String,
    /// From the end of one to the next, at the least.
    pub every: Duration,
}

/// A directory that a component gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The directory of this machine.
    pub source: PathBuf,
    /// Its name in the component, `/repos`.
    pub destination: String,
    /// What the component may do there.
    pub access: Access,
}

/// A package of interfaces that another component exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package, `lithe:forge`.
    pub package: String,
    /// Its version, `0.1.0`.
    pub version: String,
    /// The name of the component that exports it.
    pub component: String,
}

/// What a component may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory_bytes_max: usize,
    /// Linear memory above which an instance is not kept for the next request or call, in bytes.
    pub kept_bytes_max: usize,
    /// Requests at once.
    pub requests_max: usize,
    /// From the request to the headers of the response; for a dependency, one call.
    pub request_time_max: Duration,
    /// From the headers of the response to the end of its body.
    pub transfer_time_max: Duration,
}

/// Why a manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    #[error("the manifest {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("the manifest {} is larger than {} bytes", path.display(), limits::MANIFEST_BYTES_MAX)]
    TooLarge { path: PathBuf },
    #[error("the manifest {} is not understood: {error}", path.display())]
    NotUnderstood { path: PathBuf, error: Box<toml::de::Error> },
    #[error("{}: `{key}`: {problem}", path.display())]
    Wrong { path: PathBuf, key: String, problem: Problem },
}

/// What is wrong with the value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("version {0} of the manifest format is not supported; this reads version 2")]
    Version(u32),
    #[error("there is no component `{0}`")]
    UnknownComponent(String),
    #[error("the route `{0}` {1}")]
    Pattern(String, PatternError),
    #[error("the route `{0}` matches the same paths as `{1}`")]
    EqualRoutes(String, String),
    #[error("no component answers any route")]
    NoRoutes,
    #[error("a name consists of letters, digits, `-` and `_`")]
    Name,
    #[error(
        "`{0}` is not a path to a file or directory that can be found from the manifest's own: use a relative path without `..`, or an absolute one"
    )]
    Path(String),
    #[error("`{0}` is not the path of an address of this application")]
    TaskPath(String),
    #[error("`{0}` is not an absolute path without `.` and `..`")]
    Destination(String),
    #[error("the mount `{0}` is not among the component's `files`")]
    UnknownMount(String),
    #[error("two of `files` have the destination `{0}`")]
    EqualDestinations(String),
    #[error("`{0}` is not a package with a version, such as `lithe:forge@0.1.0`")]
    Package(String),
    #[error("`{0}` has dependencies of its own; a dependency must be a leaf")]
    NotALeaf(String),
    #[error("a component cannot depend on itself")]
    OnItself,
    #[error("`{0}` is a dependency of others and cannot answer routes as well")]
    DependencyWithRoutes(String),
    #[error("interfaces can be imported only from a dependency, and there is none")]
    ImportsWithoutDependency,
    #[error("it is not a dependency of any component, so none of its interfaces is called")]
    WithoutDependents,
    #[error("components get no network; the list has to be empty")]
    Outbound,
    #[error("{value} is out of range; {} to {} is accepted", range.start(), range.end())]
    OutOfRange { value: u64, range: RangeInclusive<u64> },
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// Sources are relative to the manifest's directory, but `data/…` is below `data_directory`.
    pub fn read(path: &Path, data_directory: &Path) -> Result<Self, ManifestError> {
        let unreadable = |error| ManifestError::Unreadable { path: path.to_owned(), error };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > limits::MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, path, data_directory)
    }

    /// Parses the text of the manifest that stands at `path`.
    pub fn parse(text: &str, path: &Path, data_directory: &Path) -> Result<Self, ManifestError> {
        let raw: raw::Manifest = toml::from_str(text).map_err(|error| ManifestError::NotUnderstood {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let places = Places { manifest_directory: path.parent().unwrap_or(Path::new("")), data_directory };
        validate(raw, &places).map_err(|(key, problem)| ManifestError::Wrong {
            path: path.to_owned(),
            key,
            problem,
        })
    }

    /// As it holds in one run of the host, which has the data directory to itself: a component that
    /// asks for it is told which run this is, so that it knows what another left behind. One that
    /// writes outside that directory, where others may be at work, is told nothing.
    pub fn in_run(mut self, run: &str, data_directory: &Path) -> Self {
        for component in self.components.values_mut() {
            let mut writable = component.mounts.iter().filter(|mount| mount.access == Access::ReadWrite);
            if component.has_run_variable && writable.all(|mount| mount.source.starts_with(data_directory)) {
                component.environment.insert(RUN_VARIABLE.to_owned(), run.to_owned());
            }
        }
        self
    }

    /// As it holds where the application runs for one command of the command line, not as a server.
    pub fn for_command(mut self) -> Self {
        for component in self.components.values_mut() {
            component.environment.append(&mut component.command_environment);
        }
        self
    }

    /// The names of the components that others depend on.
    pub fn dependencies(&self) -> impl Iterator<Item = &str> {
        let is_dependency = |name: &&str| {
            let mut dependencies = self.components.values().flat_map(|other| &other.dependencies);
            dependencies.any(|dependency| dependency.component == *name)
        };
        self.components.keys().map(String::as_str).filter(is_dependency)
    }
}

/// The key of a value and what is wrong with it.
type Wrong = (String, Problem);

/// Where relative sources begin.
struct Places<'a> {
    manifest_directory: &'a Path,
    data_directory: &'a Path,
}

fn validate(raw: raw::Manifest, places: &Places) -> Result<Manifest, Wrong> {
    let version = *raw.spin_manifest_version.get_ref();
    if version != 2 {
        return Err(("spin_manifest_version".into(), Problem::Version(version)));
    }
    let routes = routes(&raw)?;
    let mut components = BTreeMap::new();
    for (name, component) in &raw.component {
        let component = self::component(name, component, &raw, places)
            .map_err(|(key, problem)| (format!("component.{name}{key}"), problem))?;
        components.insert(name.clone(), component);
    }
    let tasks = tasks(&raw)?;
    let manifest = Manifest { name: raw.application.name, routes, components, tasks };
    check_dependents(&manifest)?;
    Ok(manifest)
}

fn tasks(raw: &raw::Manifest) -> Result<Vec<Task>, Wrong> {
    let all = raw.component.iter().flat_map(|(name, component)| {
        component
            .tool
            .lithe
            .tasks
            .iter()
            .map(move |task| (format!("component.{name}.tool.lithe.tasks"), task))
    });
    let check = |(key, task): (String, &raw::Task)| {
        let range = limits::TASK_SECONDS_RANGE;
        if !range.contains(&task.every_seconds) {
            return Err((key, Problem::OutOfRange { value: task.every_seconds, range }));
        }
        let is_path = task.path.starts_with('/') && task.path.parse::<http::uri::PathAndQuery>().is_ok();
        if !is_path {
            return Err((key, Problem::TaskPath(task.path.clone())));
        }
        Ok(Task { path: task.path.clone(), every: Duration::from_secs(task.every_seconds) })
    };
    all.map(check).collect()
}

fn routes(raw: &raw::Manifest) -> Result<Vec<(Pattern, String)>, Wrong> {
    let triggers = raw
        .trigger
        .http
        .iter()
        .map(|trigger| (&trigger.route, &trigger.component, "trigger.http.route".to_owned()));
    let extra = raw.component.iter().flat_map(|(name, component)| {
        let key = format!("component.{name}.tool.lithe.routes");
        component.tool.lithe.routes.iter().map(move |route| (route, name, key.clone()))
    });
    let mut routes: Vec<(Pattern, String)> = Vec::new();
    for (route, component, key) in triggers.chain(extra) {
        if !raw.component.contains_key(component) {
            let problem = Problem::UnknownComponent(component.clone());
            return Err(("trigger.http.component".into(), problem));
        }
        let pattern =
            Pattern::parse(route).map_err(|error| (key.clone(), Problem::Pattern(route.clone(), error)))?;
        if let Some((other, _)) = routes.iter().find(|(other, _)| other.is_equivalent(&pattern)) {
            return Err((key, Problem::EqualRoutes(route.clone(), other.to_string())));
        }
        routes.push((pattern, component.clone()));
    }
    match routes.is_empty() {
        true => Err(("trigger.http".into(), Problem::NoRoutes)),
        false => Ok(routes),
    }
}

/// Checks one component by itself. Keys of errors begin after the component's name.
fn component(
    name: &str,
    component: &raw::Component,
    raw: &raw::Manifest,
    places: &Places,
) -> Result<Component, Wrong> {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !is_name(name) {
        return Err((String::new(), Problem::Name));
    }
    if !component.allowed_outbound_hosts.is_empty() {
        return Err((".allowed_outbound_hosts".into(), Problem::Outbound));
    }
    let lithe = &component.tool.lithe;
    let source = places.resolve(&component.source);
    let source = source.map_err(|problem| (".source".to_owned(), problem))?;
    let dependencies = dependencies(name, component, raw)?;
    if dependencies.is_empty() && !lithe.imports.is_empty() {
        return Err((".tool.lithe.imports".into(), Problem::ImportsWithoutDependency));
    }
    let mut environment = component.environment.clone();
    environment.extend(lithe.environment.clone());
    Ok(Component {
        name: name.to_owned(),
        source,
        mounts: mounts(component, places)?,
        environment,
        command_environment: lithe.command_environment.clone(),
        has_run_variable: lithe.run_variable,
        dependencies,
        imports: lithe.imports.clone(),
        pooled: lithe.pooled.clone(),
        contained: lithe.contained.clone(),
        limits: Limits::from_raw(lithe)?,
    })
}

fn dependencies(
    name: &str,
    component: &raw::Component,
    raw: &raw::Manifest,
) -> Result<Vec<Dependency>, Wrong> {
    let check = |package: &str, target: &str| {
        let (package, version) = package
            .split_once('@')
            .filter(|(package, version)| package.contains(':') && !version.is_empty())
            .ok_or_else(|| Problem::Package(package.to_owned()))?;
        let dependency =
            raw.component.get(target).ok_or_else(|| Problem::UnknownComponent(target.to_owned()))?;
        if target == name {
            return Err(Problem::OnItself);
        }
        if !dependency.dependencies.is_empty() {
            return Err(Problem::NotALeaf(target.to_owned()));
        }
        Ok(Dependency {
            package: package.to_owned(),
            version: version.to_owned(),
            component: target.to_owned(),
        })
    };
    component
        .dependencies
        .iter()
        .map(|(package, dependency)| {
            check(package, &dependency.component)
                .map_err(|problem| (format!(".dependencies.\"{package}\""), problem))
        })
        .collect()
}

/// The directories that the component itself gets: those of `files` that `mounts` names.
fn mounts(component: &raw::Component, places: &Places) -> Result<Vec<Mount>, Wrong> {
    let wrong = |problem| (".files".to_owned(), problem);
    let mut sources = BTreeMap::new();
    for files in component.files.iter().chain(&component.tool.lithe.files) {
        let destination = &files.destination;
        if !is_destination(destination) {
            return Err(wrong(Problem::Destination(destination.clone())));
        }
        let source = places.resolve(&files.source).map_err(wrong)?;
        if sources.insert(destination.as_str(), source).is_some() {
            return Err(wrong(Problem::EqualDestinations(destination.clone())));
        }
    }
    let mount = |(destination, access): (&String, &Access)| {
        let source = sources
            .get(destination.as_str())
            .ok_or_else(|| (".tool.lithe.mounts".to_owned(), Problem::UnknownMount(destination.clone())))?;
        Ok(Mount { source: source.clone(), destination: destination.clone(), access: *access })
    };
    component.tool.lithe.mounts.iter().map(mount).collect()
}

fn is_destination(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.next() == Some(PathComponent::RootDir)
        && parts.all(|part| matches!(part, PathComponent::Normal(_)))
        && !path.contains("/./")
        && !path.ends_with("/.")
}

/// Checks what can be told only from all components together.
fn check_dependents(manifest: &Manifest) -> Result<(), Wrong> {
    let dependencies: Vec<&str> = manifest.dependencies().collect();
    for (_, component) in &manifest.routes {
        if dependencies.contains(&component.as_str()) {
            let problem = Problem::DependencyWithRoutes(component.clone());
            return Err(("trigger.http.component".into(), problem));
        }
    }
    for (name, component) in &manifest.components {
        for (key, interfaces) in [("pooled", &component.pooled), ("contained", &component.contained)] {
            if !interfaces.is_empty() && !dependencies.contains(&name.as_str()) {
                let key = format!("component.{name}.tool.lithe.{key}");
                return Err((key, Problem::WithoutDependents));
            }
        }
    }
    Ok(())
}

impl Places<'_> {
    fn resolve(&self, source: &str) -> Result<PathBuf, Problem> {
        let path = Path::new(source);
        let is_plain = |part| matches!(part, PathComponent::Normal(_) | PathComponent::RootDir);
        if source.is_empty() || !path.components().all(is_plain) {
            return Err(Problem::Path(source.to_owned()));
        }
        Ok(match path.strip_prefix("data") {
            Ok(rest) => self.data_directory.join(rest),
            Err(_) => self.manifest_directory.join(path),
        })
    }
}

impl Limits {
    fn from_raw(raw: &raw::Lithe) -> Result<Self, Wrong> {
        let check = |key: &str, value: Option<u64>, default, range: RangeInclusive<u64>| {
            let value = value.unwrap_or(default);
            match range.contains(&value) {
                true => Ok(value),
                false => Err((format!(".tool.lithe.{key}"), Problem::OutOfRange { value, range })),
            }
        };
        let seconds = |key: &str, value: Option<u64>, default| {
            check(key, value, default, limits::SECONDS_RANGE).map(Duration::from_secs)
        };
        let memory_mib = check(
            "memory-mib-max",
            raw.memory_mib_max,
            limits::MEMORY_MIB_DEFAULT,
            limits::MEMORY_MIB_RANGE,
        )?;
        let kept_mib =
            check("kept-mib-max", raw.kept_mib_max, limits::KEPT_MIB_DEFAULT, limits::MEMORY_MIB_RANGE)?;
        let requests =
            check("requests-max", raw.requests_max, limits::REQUESTS_DEFAULT, limits::REQUESTS_RANGE)?;
        Ok(Self {
            memory_bytes_max: (memory_mib << 20) as usize,
            kept_bytes_max: (kept_mib << 20) as usize,
            requests_max: requests as usize,
            request_time_max: seconds(
                "request-seconds-max",
                raw.request_seconds_max,
                limits::REQUEST_SECONDS_DEFAULT,
            )?,
            transfer_time_max: seconds(
                "transfer-seconds-max",
                raw.transfer_seconds_max,
                limits::TRANSFER_SECONDS_DEFAULT,
            )?,
        })
    }
}

#[cfg(test)]
mod tests;
