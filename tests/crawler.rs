//! A crawler that walks every link of a site with many connections, while others clone and look at pages.
//!
//! With `--long` the site is larger. What the machine is busy with besides decides over times, so they are said
//! here and measured by `cargo xtask bench browser`.

use crate::kit::{Actor, Browser, Forge, Shell, is_long};
use scraper::{Html, Selector};
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 50;

/// The most memory that the server may take on two processors, in KiB: what the compiled components and so many requests at once need,
/// and nothing that grows with the pages that were asked for. It takes 130 to 147 MiB, of which some 60 are compiled code and
/// other files; by how much is a matter of which pages come together.
const MEMORY_KIB_MAX: u64 = 176 * 1024;

/// What each processor more may take: two guests more compute at once.
const MEMORY_KIB_PER_PROCESSOR: u64 = 64 * 1024;

/// How long the walk may take.
const WALK_MAX: Duration = Duration::from_secs(1_800);

/// Files with names that links have to be careful about, two branches that part and meet, tags, a submodule, a
/// renamed and a removed file; `$COMMITS` commits more.
const HISTORY: &str = r##"
git init -q -b main work && cd work && mkdir -p src/deep && printf '# Demo\n\n[code](src/main.rs) ![](image.png)\n' > README.md
printf 'fn main() {}\n' > src/main.rs && echo x > "src/deep/a b%20?&\"<#>.txt" && printf '\0' > image.png && seq 50 > old.txt
git add . && git commit -qm 'First: see src/main.rs' && git tag -am Tagged v1
git checkout -q -b feature/x && echo 'fn x() {}' >> src/main.rs && git commit -qam 'Add x' && git checkout -q main
git mv old.txt new.txt && git commit -qm 'Rename' && git merge -q --no-ff -m 'Merge x' feature/x
git update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,sub
printf '[submodule "sub"]\npath = sub\nurl = https://example.org/demo\n' > .gitmodules && git add .gitmodules && git commit -qm 'Add a submodule'
git rm -q new.txt && git commit -qm 'Remove' && git tag v2
for n in $(seq "$COMMITS"); do echo "line $n" >> src/main.rs; git commit -qam "Change $n"; done
git push -q "$ADMIN" main feature/x v1 v2
"##;

/// Where a link of a page leads, below the site; none if it leads elsewhere, or to where one signs in.
fn target(page: &str, href: &str) -> Option<String> {
    let href = href.split('#').next().unwrap_or_default();
    let own = page.split('?').next().unwrap_or_default();
    let address = match href.chars().next()? {
        '/' if href.starts_with("//") => return None,
        '/' => href.to_owned(),
        '?' => format!("{own}{href}"),
        _ => return None,
    };
    (!address.starts_with("/-/login")).then_some(address)
}

/// What is still to be looked at, and what was seen.
#[derive(Default)]
struct Walk {
    open: VecDeque<String>,
    seen: BTreeSet<String>,
    /// How many are being looked at.
    under_way: usize,
    fetched: usize,
    failed: Vec<String>,
}

impl Walk {
    fn find(&mut self, address: String) {
        if self.seen.insert(address.clone()) {
            self.open.push_back(address);
        }
    }
}

/// Walks all links from the start page on, as nobody, and returns what was found. No page may have a word of
/// what is `secret`.
fn crawl(forge: &Forge, secret: &str) -> Walk {
    let walk = Mutex::new(Walk::default());
    walk.lock().expect("nobody panicked with it").find("/".to_owned());
    let until = Instant::now() + WALK_MAX;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(CONNECTIONS)
        .max_idle_connections_per_host(CONNECTIONS)
        .build()
        .into();
    let step = |address: &str| -> Result<Vec<String>, String> {
        loop {
            let answer = agent.get(format!("{}{address}", forge.url)).call();
            let mut answer = answer.map_err(|error| format!("{address}: {error}"))?;
            let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
            match answer.status().as_u16() {
                200 => {}
                303 | 307 => {
                    return Ok(header("location").and_then(|to| target(address, to)).into_iter().collect());
                }
                // The same path elsewhere: where it went is said, and where it is.
                404 => {
                    let body =
                        answer.body_mut().read_to_string().map_err(|error| format!("{address}: {error}"))?;
                    let is_useful = body.contains("<h2>Not found</h2>") && !body.contains(secret);
                    return if is_useful {
                        Ok(links(address, &body))
                    } else {
                        Err(format!("{address}: 404"))
                    };
                }
                // The server is busy and says when to come again.
                503 if header("retry-after").is_some() && Instant::now() < until => continue,
                status => return Err(format!("{address}: {status}")),
            }
            let is_page = header("content-type").is_some_and(|value| value.starts_with("text/html"));
            let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec();
            let body = body.map_err(|error| format!("{address}: {error}"))?;
            let text = String::from_utf8_lossy(&body);
            if text.contains(secret) {
                return Err(format!("{address} says {secret}"));
            }
            return Ok(if is_page { links(address, &text) } else { Vec::new() });
        }
    };
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                loop {
                    let next = {
                        let mut walk = walk.lock().expect("nobody panicked with it");
                        let next = walk.open.pop_front();
                        if next.is_none() && walk.under_way == 0 || Instant::now() > until {
                            return;
                        }
                        walk.under_way += usize::from(next.is_some());
                        next
                    };
                    // Another may find more.
                    let Some(address) = next else {
                        thread::yield_now();
                        continue;
                    };
                    let found = step(&address);
                    let mut walk = walk.lock().expect("nobody panicked with it");
                    walk.under_way -= 1;
                    walk.fetched += 1;
                    match found {
                        Ok(found) => found.into_iter().for_each(|address| walk.find(address)),
                        Err(failure) => walk.failed.push(failure),
                    }
                }
            });
        }
    });
    walk.into_inner().expect("nobody panicked with it")
}

/// The addresses on this site that a page leads to, or has the browser load.
fn links(address: &str, page: &str) -> Vec<String> {
    let select = Selector::parse("a[href], link[href], img[src], script[src]").expect("a selector");
    let document = Html::parse_document(page);
    let links = document.select(&select).filter_map(|element| element.attr("href").or(element.attr("src")));
    links.filter_map(|href| target(address, href)).collect()
}

/// Does something over and over until it is over; returns the times that it took.
fn repeat(is_over: &AtomicBool, mut work: impl FnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    while !is_over.load(Ordering::Relaxed) || times.is_empty() {
        let began = Instant::now();
        work();
        times.push(began.elapsed());
    }
    times.sort();
    times
}

#[test]
fn every_link_of_a_crawled_site_answers_while_others_work() {
    let forge = Forge::without_budgets();
    let (path, private) = (forge.repository(&[]), forge.repository(&["--private"]));
    let push = |path: &str, commits: usize| {
        let mut shell = forge.shell(path);
        shell.set("COMMITS", &commits.to_string());
        shell.run(HISTORY);
        shell
    };
    // To compile the components, where nobody has yet, takes more than all that follows (proc_pid_clear_refs(5)).
    fs::write(format!("/proc/{}/clear_refs", forge.pid()), "5").expect("the peak is counted from here on");
    let shell: Shell = push(&path, if is_long() { 100 } else { 2 });
    push(&private, 1);
    let (name, password) = Actor::User.login().expect("the user signs in");
    let is_over = AtomicBool::new(false);
    let (walk, clones, pages) = thread::scope(|scope| {
        let clones =
            scope.spawn(|| {
                repeat(&is_over, || {
                    drop(shell.run(
                        "rm -rf clone && git clone -q \"$STRANGER\" clone && git -C clone fsck --strict",
                    ))
                })
            });
        let pages = scope.spawn(|| {
            let browser = Browser::signed_in(&forge, name, password);
            repeat(&is_over, || {
                let answer = browser.get(&format!("/{path}/-/tree/main/src"));
                assert_eq!(answer.status, 200, "{}", answer.text());
            })
        });
        let walk = crawl(&forge, &private);
        is_over.store(true, Ordering::Relaxed);
        (walk, clones.join().expect("clones succeed"), pages.join().expect("pages are shown"))
    });
    assert!(walk.failed.is_empty(), "{} of {}:\n{}", walk.failed.len(), walk.fetched, walk.failed.join("\n"));
    assert!(walk.open.is_empty(), "{} links are left after {WALK_MAX:?}", walk.open.len());
    for page in [
        "/-/blame/",
        "/-/commit/",
        "/-/compare/",
        "/-/raw/",
        "/-/archive/",
        "/-/feed/",
        "view=split",
        "/-/static/",
    ] {
        assert!(walk.seen.iter().any(|address| address.contains(page)), "the crawler has seen no {page}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", forge.pid())).expect("the server runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    let processors = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let most = MEMORY_KIB_MAX + processors.saturating_sub(2) * MEMORY_KIB_PER_PROCESSOR;
    assert!(peak <= most, "{peak} KiB of memory");
    let median = |times: &[Duration]| times[times.len() / 2];
    println!(
        "{} pages by {CONNECTIONS} connections, {} MiB of memory; meanwhile {} clones, half within {:?}, and {} pages, \
         half within {:?}",
        walk.fetched,
        peak >> 10,
        clones.len(),
        median(&clones),
        pages.len(),
        median(&pages)
    );
}

/// Whether `robots.txt` lets crawlers ask for an address: the longest rule counts, and of two as long, what allows
/// (RFC 9309, section 2.2.2).
fn is_allowed(robots: &str, address: &str) -> bool {
    let matches = |rule: &str| {
        let mut parts = rule.split('*');
        let rest = address.strip_prefix(parts.next().unwrap_or_default());
        parts.try_fold(rest?, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]))
    };
    let rules = robots.lines().filter_map(|line| line.split_once(": "));
    let rules = rules.filter(|(kind, rule)| ["Allow", "Disallow"].contains(kind) && matches(rule).is_some());
    rules.max_by_key(|(kind, rule)| (rule.len(), *kind == "Allow")).is_none_or(|(kind, _)| kind == "Allow")
}

/// The links of a page that crawlers are not asked to leave alone.
fn followed(address: &str, page: &str) -> Vec<String> {
    let select = Selector::parse("a[href]").expect("a selector");
    let document = Html::parse_document(page);
    let links = document.select(&select);
    let followed = links
        .filter(|link| !link.attr("rel").is_some_and(|rel| rel.split(' ').any(|word| word == "nofollow")));
    followed.filter_map(|link| target(address, link.attr("href").unwrap_or_default())).collect()
}

#[test]
fn who_follows_what_may_be_followed_pays_nothing() {
    // Whoever has paid anything waits with what costs more.
    let forge = Forge::start(&["--anonymous-budget", "1"]);
    let path = forge.repository(&[]);
    let mut shell = forge.shell(&path);
    shell.set("COMMITS", "2");
    shell.run(HISTORY);
    let robots = forge.get(Actor::Stranger, "robots.txt").text();
    let (mut open, mut seen, mut kept) = (vec!["/".to_owned()], BTreeSet::new(), BTreeSet::new());
    while let Some(address) = open.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let answer = forge.get(Actor::Stranger, address.trim_start_matches('/'));
        assert!([200, 303, 307].contains(&answer.status), "{address}: {}", answer.status);
        let is_kept = !answer.header("x-robots-tag").is_some_and(|tag| tag.contains("noindex"));
        // Site-wide pages are nobody's to keep, and say so by `robots.txt` alone.
        if !address.starts_with("/-/") && answer.status == 200 {
            assert!(is_allowed(&robots, &address) || !is_kept, "{address} is forbidden, and may be kept");
            kept.extend(is_kept.then(|| address.clone()));
        }
        open.extend(followed(&address, &answer.text()));
        open.extend(answer.header("location").and_then(|to| target(&address, to)));
    }
    let at = |page: &str| format!("/{path}{page}");
    for page in ["", "/-/tree/main/src", "/-/blob/main/src/main.rs", "/-/blob/main/README.md"] {
        assert!(kept.contains(&at(page)) && is_allowed(&robots, &at(page)), "{page} is for search engines");
    }
    for page in ["/-/refs", "/-/commits/main", "/-/tree/feature/x", "/-/tree/v1"] {
        assert!(seen.contains(&at(page)) && !kept.contains(&at(page)), "{page} is not for search engines");
    }
    for page in
        ["/-/raw/main/README.md", "/-/blame/main/src/main.rs", "/-/blob/main/README.md?display=source"]
    {
        assert!(!is_allowed(&robots, &at(page)) && !seen.contains(&at(page)), "{page} is not for crawlers");
    }
    let dear = forge.get(Actor::Stranger, &format!("{path}/-/blame/main/src/main.rs"));
    assert_eq!(dear.status, 200, "{} pages were not free", seen.len());
    assert_eq!(
        forge.get(Actor::Stranger, &format!("{path}/-/blame/v1/README.md")).status,
        429,
        "that is counted"
    );
}
