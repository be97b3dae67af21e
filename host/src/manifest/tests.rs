//! Manifests and what becomes of them.

use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"site\"\n";

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(text, Path::new("/site/spin.toml"), Path::new("/srv/data"))
}

fn parse_site(text: &str) -> Result<Manifest, ManifestError> {
    parse(&format!("{HEAD}{text}"))
}

const PAGES: &str = r#"
    [[trigger.http]]
    route = "/..."
    component = "pages"
    [component.pages]
    source = "out/pages.wasm"
"#;

#[test]
fn a_command_has_an_environment_of_its_own() {
    let manifest = parse_site(&format!(
        r#"{PAGES}
        environment = {{ A = "1", B = "1" }}
        [component.pages.tool.lithe]
        environment = {{ B = "2", C = "2" }}
        command-environment = {{ C = "3", D = "3" }}"#
    ))
    .expect("it is sound");
    let environment = |manifest: &Manifest| {
        let pairs = manifest.components["pages"].environment.iter();
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(environment(&manifest), "A=1 B=2 C=2");
    assert_eq!(environment(&manifest.for_command()), "A=1 B=2 C=3 D=3");
}

#[test]
fn a_component_that_asks_for_it_is_told_the_run() {
    let within = r#"{ source = "data/a", destination = "/a" }"#;
    let outside = r#"{ source = "data/a", destination = "/a" }, { source = "/else", destination = "/b" }"#;
    // What is mounted, what of it may be written, whether the component asks, and its environment.
    let cases = [
        (within, r#"{ "/a" = "read-write" }"#, true, "A=1 LITHE_RUN=7"),
        (within, r#"{ "/a" = "read-write" }"#, false, "A=1"),
        (outside, r#"{ "/a" = "read-write" }"#, true, "A=1 LITHE_RUN=7"),
        (outside, r#"{ "/a" = "read-write", "/b" = "read-write" }"#, true, "A=1"),
    ];
    for (files, mounts, asks, expected) in cases {
        let text = format!(
            "{PAGES}environment = {{ A = \"1\" }}
            [component.pages.tool.lithe]
            run-variable = {asks}
            files = [{files}]
            mounts = {mounts}"
        );
        let manifest = parse_site(&text).expect("it is sound").in_run("7", Path::new("/srv/data"));
        let pairs = manifest.components["pages"].environment.iter();
        let environment: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(environment.join(" "), expected, "{files} {mounts} {asks}");
    }
}

#[test]
fn a_component_gets_what_its_manifest_says() {
    let manifest = parse_site(
        r#"
        [[trigger.http]]
        route = "/-/x"
        component = "pages"
        [component.store]
        source = "/opt/store.wasm"
        environment = { A = "1", B = "1" }
        [component.store.tool.lithe]
        files = [{ source = "data/db", destination = "/db" }]
        mounts = { "/db" = "read-write" }
        environment = { B = "2" }
        pooled = ["slow"]
        [component.pages]
        source = "out/pages.wasm"
        files = [
            { source = "data/db", destination = "/db" },
            { source = "data/repos", destination = "/repos" },
            { source = "static", destination = "/static" },
        ]
        [component.pages.dependencies]
        "a:b@0.1.0" = { component = "store", inherit_configuration = ["files"] }
        [component.pages.tool.other]
        whatever = true
        [component.pages.tool.lithe]
        mounts = { "/repos" = "read-only", "/static" = "read-only" }
        imports = ["fast", "slow"]
        routes = ["/.../x"]
        memory-mib-max = 2
        kept-mib-max = 1
        requests-max = 3
        request-seconds-max = 4
        transfer-seconds-max = 5
        "#,
    )
    .expect("a sound manifest");

    let pages = &manifest.components["pages"];
    assert_eq!(pages.source, Path::new("/site/out/pages.wasm"));
    let mount = |source: &str, destination: &str| Mount {
        source: source.into(),
        destination: destination.into(),
        access: Access::ReadOnly,
    };
    assert_eq!(pages.mounts, [mount("/srv/data/repos", "/repos"), mount("/site/static", "/static")]);
    assert_eq!(
        pages.limits,
        Limits {
            memory_bytes_max: 2 << 20,
            kept_bytes_max: 1 << 20,
            requests_max: 3,
            request_time_max: Duration::from_secs(4),
            transfer_time_max: Duration::from_secs(5),
        }
    );
    assert_eq!(
        pages.dependencies,
        [Dependency { package: "a:b".into(), version: "0.1.0".into(), component: "store".into() }]
    );
    let store = &manifest.components["store"];
    assert_eq!(store.source, Path::new("/opt/store.wasm"));
    assert_eq!(store.mounts[0].access, Access::ReadWrite);
    assert_eq!(store.environment, [("A".into(), "1".into()), ("B".into(), "2".into())].into());
    assert_eq!(manifest.dependencies().collect::<Vec<_>>(), ["store"]);
    let routes: Vec<_> = manifest.routes.iter().map(|(route, _)| route.to_string()).collect();
    assert_eq!(routes, ["/-/x", "/.../x"]);
}

#[test]
fn mistakes_are_named_with_file_and_key() {
    let cases = [
        ("", "`trigger.http`: no component answers any route"),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"pages\"",
            "`trigger.http.component`: there is no component `pages`",
        ),
        (
            "[[trigger.http]]\nroute = \"/:x\"\ncomponent = \"pages\"\n[[trigger.http]]\nroute = \"/:y\"\ncomponent = \"pages\"\n[component.pages]\nsource = \"a\"",
            "`trigger.http.route`: the route `/:y` matches the same paths as `/:x`",
        ),
        (
            "[[trigger.http]]\nroute = \"x\"\ncomponent = \"pages\"\n[component.pages]\nsource = \"a\"",
            "`trigger.http.route`: the route `x` has to begin with `/`",
        ),
        (
            "@routes = [\"/a/.../b\"]",
            "`component.pages.tool.lithe.routes`: the route `/a/.../b` has `...` in its middle; it may only begin or end with it",
        ),
        (
            "@mounts = { \"/x\" = \"read-only\" }",
            "`component.pages.tool.lithe.mounts`: the mount `/x` is not among the component's `files`",
        ),
        (
            "@memory-mib-max = 0",
            "`component.pages.tool.lithe.memory-mib-max`: 0 is out of range; 1 to 4096 is accepted",
        ),
        (
            "@requests-max = 1001",
            "`component.pages.tool.lithe.requests-max`: 1001 is out of range; 1 to 1000 is accepted",
        ),
        (
            "@request-seconds-max = 86401",
            "`component.pages.tool.lithe.request-seconds-max`: 86401 is out of range; 1 to 86400 is accepted",
        ),
        (
            "@imports = [\"x\"]",
            "`component.pages.tool.lithe.imports`: interfaces can be imported only from a dependency, and there is none",
        ),
        (
            "@pooled = [\"x\"]",
            "`component.pages.tool.lithe.pooled`: it is not a dependency of any component, so none of its interfaces is called",
        ),
        (
            "@contained = [\"x\"]",
            "`component.pages.tool.lithe.contained`: it is not a dependency of any component, so none of its interfaces is called",
        ),
        (
            "allowed_outbound_hosts = [\"*://*:*\"]",
            "`component.pages.allowed_outbound_hosts`: components get no network; the list has to be empty",
        ),
        (
            "files = [{ source = \"../x\", destination = \"/x\" }]",
            "`component.pages.files`: `../x` is not a path to a file or directory that can be found from the manifest's own: use a relative path without `..`, or an absolute one",
        ),
        (
            "files = [{ source = \"x\", destination = \"x\" }]",
            "`component.pages.files`: `x` is not an absolute path without `.` and `..`",
        ),
        (
            "files = [{ source = \"x\", destination = \"/a\" }, { source = \"y\", destination = \"/a\" }]",
            "`component.pages.files`: two of `files` have the destination `/a`",
        ),
        (
            "dependencies = { \"a:b\" = { component = \"pages\" } }",
            "`component.pages.dependencies.\"a:b\"`: `a:b` is not a package with a version, such as `lithe:forge@0.1.0`",
        ),
        (
            "dependencies = { \"a:b@1.0.0\" = { component = \"x\" } }",
            "`component.pages.dependencies.\"a:b@1.0.0\"`: there is no component `x`",
        ),
        (
            "dependencies = { \"a:b@1.0.0\" = { component = \"pages\" } }",
            "`component.pages.dependencies.\"a:b@1.0.0\"`: a component cannot depend on itself",
        ),
        (
            "dependencies = { \"a:b@1.0.0\" = { component = \"x\" } }\n[component.x]\nsource = \"x\"\ndependencies = { \"a:b@1.0.0\" = { component = \"y\" } }\n[component.y]\nsource = \"y\"",
            "`component.pages.dependencies.\"a:b@1.0.0\"`: `x` has dependencies of its own; a dependency must be a leaf",
        ),
        (
            "[component.x]\nsource = \"x\"\ndependencies = { \"a:b@1.0.0\" = { component = \"pages\" } }",
            "`trigger.http.component`: `pages` is a dependency of others and cannot answer routes as well",
        ),
        (
            "[component.\"a b\"]\nsource = \"x\"",
            "`component.a b`: a name consists of letters, digits, `-` and `_`",
        ),
    ];
    for (text, expected) in cases {
        let text = match text.strip_prefix('@') {
            Some(setting) => format!("{PAGES}\n[component.pages.tool.lithe]\n{setting}"),
            None if text.is_empty() || text.starts_with("[[") => text.to_owned(),
            None => format!("{PAGES}\n{text}"),
        };
        let error = parse_site(&text).expect_err(&text).to_string();
        assert_eq!(error, format!("/site/spin.toml: {expected}"));
    }
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let cases = [
        ("[variables]\nx = 1", "variables"),
        ("[component.pages.build]\ncommand = \"make\"", "build"),
        ("key_value_stores = [\"default\"]", "key_value_stores"),
        ("[component.pages.tool.lithe]\nmemory-max = 1", "memory-max"),
        ("[component.pages.tool.lithe]\nmounts = { \"/x\" = \"write\" }", "write"),
        ("[[trigger.redis]]\nchannel = \"x\"", "redis"),
    ];
    for (text, name) in cases {
        let error = parse_site(&format!("{PAGES}\n{text}")).expect_err(text).to_string();
        assert!(error.contains("/site/spin.toml") && error.contains(name), "{error}");
    }
}

#[test]
fn another_version_of_the_format_is_refused() {
    let error = parse("spin_manifest_version = 3\n[application]\nname = \"x\"").expect_err("version 3");
    assert!(error.to_string().contains("version 3"), "{error}");
}

#[test]
fn a_missing_or_huge_file_is_said_to_be_that() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("spin.toml");
    let error = Manifest::read(&path, directory.path()).expect_err("no file");
    assert!(matches!(error, ManifestError::Unreadable { .. }), "{error}");
    std::fs::write(&path, vec![b'\n'; limits::MANIFEST_BYTES_MAX as usize + 1]).expect("written");
    let error = Manifest::read(&path, directory.path()).expect_err("too large");
    assert!(matches!(error, ManifestError::TooLarge { .. }), "{error}");
}

#[test]
fn no_text_makes_the_parser_panic() {
    for end in 0..PAGES.len() {
        let _ = parse_site(&PAGES[..end]);
    }
}

#[test]
fn tasks_are_what_the_host_asks_for_by_itself() {
    let parse =
        |tasks: &str| parse_site(&format!("{PAGES}\n[component.pages.tool.lithe]\ntasks = [{tasks}]"));
    let manifest = parse(r#"{ path = "/-/sweep?all", every-seconds = 60 }"#).expect("it is sound");
    let expected = Task { path: "/-/sweep?all".into(), every: Duration::from_secs(60) };
    assert_eq!(manifest.tasks, [expected]);
    for wrong in [
        r#"{ path = "/-/sweep", every-seconds = 0 }"#,
        r#"{ path = "/-/sweep", every-seconds = 604801 }"#,
        r#"{ path = "sweep", every-seconds = 60 }"#,
        r#"{ path = "/a b", every-seconds = 60 }"#,
        r#"{ path = "/-/sweep" }"#,
    ] {
        parse(wrong).expect_err(wrong);
    }
}
