//! What a component can reach: its mounts, its environment, and nothing else.

use crate::kit::Site;

const REFUSED: [&str; 2] = ["PermissionDenied", "NotFound"];

fn is_refused(text: &str) -> bool {
    text.starts_with("Err(") && REFUSED.iter().any(|kind| text.contains(kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mounts_there_are_no_files() {
    let site = Site::default().start().await;
    for path in ["/read/etc/passwd", "/read/db/x", "/write/x", "/write/tmp/x", "/read/../etc/passwd"] {
        let text = site.get(path).await.text;
        assert!(is_refused(&text), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_is_what_the_manifest_says() {
    let site = Site {
        files: r#"files = [
            { source = "data/all", destination = "/all" },
            { source = "data/look", destination = "/look" },
            { source = "data/db", destination = "/db" },
        ]"#,
        pages: r#"mounts = { "/all" = "read-write", "/look" = "read-only" }"#,
        configure: |config| std::fs::create_dir_all(config.data.join("look")).expect("made"),
        ..Site::default()
    };
    let site = site.start().await;
    std::fs::write(site.data().join("look/x"), "seen").expect("written");
    std::os::unix::fs::symlink("/etc/passwd", site.data().join("all/link")).expect("a link");
    assert_eq!(site.get("/write/all/x").await.text, "Ok(())");
    assert_eq!(site.get("/read/all/x").await.text, "Ok(\"x\")");
    assert_eq!(site.get("/read/look/x").await.text, "Ok(\"seen\")");
    for path in
        ["/write/look/x", "/write/look/y", "/read/db/x", "/read/all/../look/x", "/read/all/link", "/read/x"]
    {
        let text = site.get(path).await.text;
        assert!(is_refused(&text), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_mount_has_to_be_there() {
    let site = Site {
        files: "files = [{ source = \"data/look\", destination = \"/look\" }]",
        pages: "mounts = { \"/look\" = \"read-only\" }",
        ..Site::default()
    };
    let refusal = site.refusal().await;
    assert!(refusal.contains("data/look of the mount `/look` cannot be used"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_what_the_manifest_says() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/environment").await.text, "[] []");
    let site = Site { pages: "environment = { A = \"1\" }", ..Site::default() }.start().await;
    assert_eq!(site.get("/environment").await.text, "[(\"A\", \"1\")] []");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_network() {
    let site = Site::default().start().await;
    let text = site.get("/connect").await.text;
    assert!(is_refused(&text), "{text}");
}
