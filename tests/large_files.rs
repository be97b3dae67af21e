//! A file larger than any component's memory: sent raw, whole and in part, and put in an archive, read piece by piece.

use crate::kit::{Actor, Forge, is_long, is_under_spin};
use std::fs;

/// What `browse` may have in memory (spin.toml) is less than the file has, in bytes; the long run takes a gigabyte.
const FILE_MIB: u64 = 300;
const LONG_FILE_MIB: u64 = 1024;

/// By how much the server's memory may grow meanwhile, in KiB.
const GROWTH_KIB_MAX: u64 = 160 << 10;

/// Reads a figure of the server's memory, in KiB (proc(5)).
fn memory(forge: &Forge, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", forge.pid())).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number")
}

#[test]
fn a_file_larger_than_memory_is_sent_as_it_is_read() {
    let forge = Forge::without_budgets();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    let bytes = if is_long() { LONG_FILE_MIB << 20 } else { FILE_MIB << 20 };
    // Numbers at its end, zeros before; Git stores it whole in a pack.
    shell.run(&format!(
        r#"cd "$SERVED" && {{
             printf 'commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\nM 100644 inline large.bin\ndata {bytes}\n'
             head -c {} /dev/zero && seq 1000000 1000999 && printf '\n'
           }} | git -c core.compression=1 -c core.bigFileThreshold=1m fast-import --quiet"#,
        bytes - 8000
    ));
    let raw = format!("{path}/-/raw/main/large.bin");
    // To compile the components, where nobody has yet, takes more than all that follows.
    let tree = forge.get(Actor::Stranger, &format!("{path}/-/tree/main"));
    assert_eq!(tree.status, 200, "{}", tree.text());
    let before = (!is_under_spin()).then(|| {
        fs::write(format!("/proc/{}/clear_refs", forge.pid()), "5")
            .expect("the peak is counted from here on");
        memory(&forge, "VmRSS")
    });
    let url = &forge.url;
    let curl = |arguments: &str| shell.run(&format!("curl -sS --fail {arguments} '{url}/{raw}'"));
    let headers = curl("--head").to_ascii_lowercase();
    assert!(headers.contains(&format!("content-length: {bytes}")), "{headers}");
    assert!(headers.contains("application/octet-stream"), "{headers}");
    assert_eq!(curl("-o /dev/null -w '%{http_code} %{size_download}'"), format!("200 {bytes}"));
    assert_eq!(curl("-r -16"), "1000998\n1000999");
    assert_eq!(curl(&format!("-r {}-{} -w ' %{{http_code}}'", bytes - 8000, bytes - 7994)), "1000000 206");
    // Pages say that it is there, and do not show it.
    let statuses = ["blob", "blame", "raw"].map(|page| {
        shell.run(&format!(
            "curl -sS -o page -w '%{{http_code}}' --range 0-99 '{url}/{path}/-/{page}/main/large.bin'"
        ))
    });
    assert_eq!(statuses, ["200", "200", "206"]);
    let unpacked = shell.run(&format!(
        "curl -sS --fail '{url}/{path}/-/archive/main.tar.gz' | tar -xzO --wildcards '*/large.bin' | tail -c 16"
    ));
    assert_eq!(unpacked, "1000998\n1000999");
    if let Some(before) = before {
        let growth = memory(&forge, "VmHWM").saturating_sub(before);
        eprintln!("{bytes} bytes are sent with {growth} KiB");
        assert!(growth <= GROWTH_KIB_MAX, "{growth} KiB more than {before} KiB");
    }
}
