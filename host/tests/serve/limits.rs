//! What a component may use, at the limit and past it, and what it costs to go past.

use crate::kit::Site;
use http::StatusCode;
use lithe::limits;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn past_the_requests_at_once_clients_are_told_to_come_again() {
    // One is worked on, two wait in line.
    let site = Site { pages: "requests-max = 1", ..Site::default() }.start().await;
    let answers = futures::future::join_all((0..4).map(|_| site.get("/wait?300"))).await;
    let (done, busy): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status.is_success());
    assert_eq!((done.len(), busy.len()), (3, 1));
    assert_eq!(busy[0].status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy[0].header("retry-after"), "2");
    assert_eq!(site.get("/hello").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_leaves_room_for_others() {
    let site = Site { pages: "requests-max = 4", ..Site::default() }.start().await;
    let crowd = async {
        let answers = futures::future::join_all((0..6).map(|_| site.get("/wait?1500"))).await;
        assert!(answers.iter().all(|answer| answer.text == "waited"));
    };
    let other = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let began = Instant::now();
        assert_eq!(site.get_from("127.0.0.2", "/hello").await.text, "hello");
        assert!(began.elapsed() < Duration::from_secs(1), "answered after {:?}", began.elapsed());
    };
    futures::future::join(crowd, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clients_connections_leave_room_for_others() {
    let site = Site::default().start().await;
    let mut held = Vec::new();
    for _ in 0..limits::CONNECTIONS_MAX {
        held.push(tokio::net::TcpStream::connect(site.address).await.expect("it listens"));
    }
    assert_eq!(site.get_from("127.0.0.2", "/hello").await.text, "hello");
    assert!(site.raw(b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n").await.is_empty(), "it has its share");
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_has_cost_is_counted_and_told_to_components() {
    let site = Site { configure: |config| config.anonymous_budget = 60, ..Site::default() }.start().await;
    let wait = |text: &str| -> u32 {
        let line = text.lines().find_map(|line| line.strip_prefix("lithe-budget: "));
        line.expect("a component is told").parse().expect("a number of seconds")
    };
    let (whole, long) = (60 * limits::BUDGET_MINUTES_KEPT as u32, 30);
    assert_eq!(wait(&site.get("/headers").await.text), 0);
    let answer = site.get(&format!("/cost?{}", whole + long)).await;
    assert_eq!(
        (answer.text.as_str(), answer.header("lithe-cost")),
        ("worth it", ""),
        "it is the host's alone"
    );
    let left = wait(&site.get("/headers").await.text);
    assert!(left > 0 && left <= long + 1, "{left}");
    assert_eq!(wait(&site.get_from("127.0.0.2", "/headers").await.text), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_a_trusted_proxy_has_a_budget_of_its_own() {
    let configure = |config: &mut lithe::serve::Config| {
        config.anonymous_budget = 60;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    };
    let site = Site { configure, ..Site::default() }.start().await;
    let ask = async |client: &str, path: &str| {
        let request = http::Request::get(path).header("x-forwarded-for", client);
        site.send(request.body(http_body_util::Full::default()).expect("a request")).await.text
    };
    ask("2001:db8::1", "/cost?1000").await;
    for (client, is_free) in [("2001:db8::2", false), ("2001:db8:0:1::1", true), ("192.0.2.1", true)] {
        assert_eq!(ask(client, "/headers").await.contains("lithe-budget: 0\n"), is_free, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_counted_where_there_is_no_limit() {
    let site = Site { configure: |config| config.anonymous_budget = 0, ..Site::default() }.start().await;
    assert_eq!(site.get("/cost?1000000").await.header("lithe-cost"), "");
    assert!(!site.get("/headers").await.text.contains("lithe-budget"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_taken_until_the_response_is_read() {
    let site = Site { pages: "requests-max = 1", ..Site::default() }.start().await;
    let request = http::Request::get("/stream?64").body(http_body_util::Empty::new()).expect("a request");
    let response = site.begin(request).await.expect("a response");
    let began = Instant::now();
    let unread = tokio::time::timeout(Duration::from_millis(300), site.get("/hello")).await;
    assert!(unread.is_err(), "answered after {:?} while the slot was taken", began.elapsed());
    drop(response);
    assert_eq!(site.get("/hello").await.text, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_used_again() {
    // With one slot, the next request finds the instance that the last one left.
    let site = Site { pages: "requests-max = 1", ..Site::default() }.start().await;
    for count in 1..=3 {
        assert_eq!(site.get("/served").await.text, count.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_instance_works_for_two_at_once() {
    let site = Site::default().start().await;
    let began = Instant::now();
    let answers = futures::future::join_all((0..8).map(|_| site.get("/wait?500"))).await;
    assert!(answers.iter().all(|answer| answer.text == "waited"));
    assert!(began.elapsed() < Duration::from_secs(3), "they wait side by side: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_ends_at_the_limit() {
    let site = Site { pages: "memory-mib-max = 16", ..Site::default() }.start().await;
    assert_eq!(site.get("/memory?12000000").await.text, "12000000");
    let answer = site.get("/memory?17000000").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.get("/hello").await.text, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_ends_for_all_together_and_comes_back() {
    let site = Site { configure: |config| config.memory_bytes_max = 64 << 20, ..Site::default() };
    let site = site.start().await;
    for _ in 0..3 {
        // An instance may go a moment after its response has been sent.
        let began = Instant::now();
        let mut answer = site.get("/memory?50000000").await;
        while answer.status == StatusCode::SERVICE_UNAVAILABLE && began.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer = site.get("/memory?50000000").await;
        }
        assert_eq!(answer.text, "50000000");
        let answer = site.get("/memory?70000000").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "2");
        assert_eq!(site.get("/hello").await.text, "hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_ends_at_the_limit_while_others_are_served() {
    let site = Site { pages: "request-seconds-max = 1", ..Site::default() }.start().await;
    for path in ["/hang", "/wait?60000"] {
        let began = Instant::now();
        let endless = site.get(path);
        let others = async {
            while began.elapsed() < Duration::from_millis(800) {
                assert_eq!(site.get("/hello").await.text, "hello");
            }
        };
        let (answer, ()) = tokio::join!(endless, others);
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{path}");
        assert!(answer.text.contains("request-seconds-max"), "{}", answer.text);
        assert!(began.elapsed() < Duration::from_secs(5), "{path}: {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_has_a_limit_of_its_own() {
    let site =
        Site { pages: "request-seconds-max = 1\ntransfer-seconds-max = 2", ..Site::default() }.start().await;
    let began = Instant::now();
    let answer = site.get("/hang-late").await;
    assert_eq!((answer.status, &*answer.text, answer.is_whole), (StatusCode::OK, "the beginning", false));
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_its_request_and_its_instance() {
    let site = Site::default().start().await;
    assert_eq!(site.get("/served").await.text, "1");
    let answer = site.get("/trap").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let id = answer.header("x-request-id");
    assert!(id.len() == 16 && answer.text.contains(id), "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(site.get("/served").await.text, "1", "a fresh instance");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_within_the_response_is_no_clean_end() {
    let site = Site::default().start().await;
    let answer = site.get("/trap-late").await;
    assert_eq!((answer.status, &*answer.text, answer.is_whole), (StatusCode::OK, "the beginning", false));
    assert_eq!(site.get("/hello").await.text, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_clients_is_served() {
    let site = Site { pages: "requests-max = 8", ..Site::default() }.start().await;
    let clients = (0..16).map(|_| async {
        for _ in 0..50 {
            assert_eq!(site.get("/hello").await.text, "hello");
        }
    });
    futures::future::join_all(clients).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_gives_its_turn_at_the_processors_back() {
    let site = Site::default().start().await;
    let began = Instant::now();
    // More than there are turns on any machine that this runs on, less than `requests-max` leaves to one client.
    let answers = futures::future::join_all((0..32).map(|_| site.get("/wait?2000"))).await;
    assert!(answers.iter().all(|answer| answer.text == "waited"));
    // One after the other in two turns, it would be 32 seconds.
    assert!(began.elapsed() < Duration::from_secs(15), "answered after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_computes_without_end_keeps_no_other_client_waiting() {
    let site = Site { pages: "request-seconds-max = 3", ..Site::default() }.start().await;
    let crowd = futures::future::join_all((0..16).map(|_| site.get("/hang")));
    let other = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        site.get_from("127.0.0.2", "/hello").await
    };
    match futures::future::select(Box::pin(crowd), Box::pin(other)).await {
        futures::future::Either::Left(_) => panic!("the crowd came first"),
        futures::future::Either::Right((answer, _)) => assert_eq!(answer.text, "hello"),
    }
}
