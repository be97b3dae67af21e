//! Calls from one component to another.

use crate::kit::{DEADLINE, Site, guest};
use http::{Request, StatusCode};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn all_requests_meet_one_instance() {
    let site = Site::default().start().await;
    let answers = futures::future::join_all((0..20).map(|_| site.get("/add?1"))).await;
    let mut sums: Vec<u64> = answers.iter().map(|answer| answer.text.parse().expect("a number")).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_come_through_unchanged() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/carry").await.text, "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_the_call_and_the_next_meets_a_fresh_instance() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/add?5").await.text, "5");
    assert_eq!(site.get("/call-fail").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.get("/add?1").await.text, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_ended() {
    let site = Site { keeper: "request-seconds-max = 1", ..Site::default() }.start().await;
    let began = Instant::now();
    assert_eq!(site.get("/call-hang").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.get("/add?1").await.text, "1");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_of_a_contained_interface_is_told_of_a_failure_and_goes_on() {
    let keeper = "contained = [\"trial\"]\nrequest-seconds-max = 1\nmemory-mib-max = 64";
    let site = Site { keeper, ..Site::default() }.start().await;
    let cases = [
        ("well", "Ok(\"well\")"),
        ("error", "Err(\"an error\")"),
        ("trap", "Err(\"the component `keeper` failed\")"),
        ("memory", "Err(\"the component `keeper` failed\")"),
        ("hang", "Err(\"the component `keeper` took longer than 1 s\")"),
        ("still", "Ok(\"still\")"),
    ];
    for (how, expected) in cases {
        assert_eq!(site.get(&format!("/attempt/{how}")).await.text, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_of_any_other_interface_fails_with_it() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/attempt/error").await.text, "Err(\"an error\")");
    assert_eq!(site.get("/attempt/trap").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_whose_functions_do_not_fail_by_a_string_cannot_be_contained() {
    let refusal = Site { keeper: "contained = [\"labour\"]", ..Site::default() }.refusal().await;
    assert_eq!(
        refusal,
        "the function `work` of the interface `test:kit/labour@0.1.0` of the component `keeper` cannot be \
         contained: it does not return a result whose error is a string"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_finished_though_its_caller_is_gone() {
    let site = Site { pages: "request-seconds-max = 1", ..Site::default() }.start().await;
    let request = Request::get("/mark?1500").body(http_body_util::Empty::new()).expect("a request");
    let response = site.begin(request).await.expect("a response");
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    let mark = site.data().join("db/mark");
    let began = Instant::now();
    while !mark.exists() {
        assert!(began.elapsed() < DEADLINE, "no mark");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_work_in_a_pooled_interface_holds_nobody_up() {
    let site = Site::default().start().await;
    let began = Instant::now();
    let calls = async {
        while began.elapsed() < Duration::from_millis(500) {
            let call = Instant::now();
            site.get("/add?1").await;
            assert!(call.elapsed() < Duration::from_millis(400), "{:?}", call.elapsed());
        }
    };
    let (work, ()) = tokio::join!(site.get("/work?600"), calls);
    assert_eq!(work.text, "1");
    assert_eq!(site.get("/work?0").await.text, "2", "its instance is used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_that_is_not_listed_is_not_linked() {
    let refusal = Site { pages: "imports = [\"counter\"]", ..Site::default() }.refusal().await;
    assert_eq!(
        refusal,
        "the component `pages` imports the interface `test:kit/labour@0.1.0`, which its \
         `tool.lithe.imports` does not list"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_lacks_what_is_asked_of_it_is_refused() {
    let swap = |name: &str, file: &str| {
        let (name, file) = (name.to_owned(), guest("pages").with_file_name(file));
        move |config: &mut lithe::serve::Config| config.swaps.push((name, file))
    };
    let directory = tempfile::tempdir().expect("a directory");
    let cases = [
        ("keeper", "pages.wasm", "the component `keeper` imports what no component gives it"),
        ("pages", "keeper.wasm", "the component `pages` does not export `wasi:http/handler@0.3.0`"),
        ("nobody", "pages.wasm", "there is no component `nobody` to replace"),
        ("pages", "missing.wasm", "missing.wasm cannot be read"),
    ];
    for (name, file, expected) in cases {
        let mut config = Site::default().config(directory.path());
        swap(name, file)(&mut config);
        let error = lithe::serve::Server::open(config).await.err().expect("a refusal").to_string();
        assert!(error.contains(expected), "{name} by {file}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn components_are_replaced_while_the_others_run() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/add?5").await.text, "5");
    site.handle.swap("keeper", &guest("keeper")).await.expect("replaced");
    assert_eq!(site.get("/add?1").await.text, "1", "a fresh instance");
    assert_eq!(site.get("/served").await.text, "1");
    site.handle.swap("pages", &guest("pages")).await.expect("replaced");
    assert_eq!(site.get("/served").await.text, "1", "a fresh instance");
    assert_eq!(site.get("/add?1").await.text, "2", "the same dependency");
    site.handle.swap("keeper", &guest("pages")).await.expect_err("it lacks the interfaces");
    assert_eq!(site.get("/add?1").await.text, "3", "nothing changed");
}
