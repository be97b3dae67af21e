//! Many at once: ten clients clone, ten push, and the repository is maintained meanwhile.

use crate::kit::{Forge, Shell};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLONERS: usize = 10;
const PUSHERS: usize = 10;
const PUSHES_EACH: usize = 3;

/// How much longer than its share a client may wait: as long as if all others went first, this often.
const FAIR_FACTOR: u32 = 3;

/// What is never too long, however quick one client alone is.
const ALWAYS_FAIR: Duration = Duration::from_secs(10);

/// The most memory that the server may take, in KiB.
const MEMORY_KIB_MAX: u64 = 250 * 1024;

/// Three hundred commits with texts that change a little and files that do not compress.
const HISTORY: &str = r#"
git init -q work && cd work && for n in $(seq 300); do
    printf 'commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 4\nWord\n' $((1700000000 + n))
    seq $n $((n + 3000)) > ../text && printf 'M 644 inline list\ndata %d\n' $(wc -c < ../text) && cat ../text
    head -c 20000 /dev/urandom > ../noise && printf 'M 644 inline noise%d\ndata 20000\n' $((n % 50)) && cat ../noise && echo
done | git fast-import --quiet && git push -q "$ADMIN" main
"#;

/// How long a script takes that has to succeed.
fn timed(shell: &Shell, script: &str) -> Duration {
    let begun = Instant::now();
    shell.run(script);
    begun.elapsed()
}

/// A line of `/proc/PID/status`, in KiB.
fn memory_kib(pid: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let value = status.lines().find_map(|text| text.strip_prefix(line)).expect("Linux says it");
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn ten_clone_and_ten_push_while_the_repository_is_maintained() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let clone = |name: &str| format!("git clone -q --bare \"$STRANGER\" {name}");
    let push = |number: usize, round: usize| {
        format!(
            "cd pusher{number} && for n in 1 2 3; do git commit -q --allow-empty -m {round}.$n; done
            git push -q \"$ADMIN\" HEAD:refs/heads/by{number}"
        )
    };
    for number in 0..=PUSHERS {
        shell.run(&format!("git clone -q --no-checkout \"file://$PWD/work\" pusher{number}"));
    }
    let alone = timed(&shell, &clone("first")).max(timed(&shell, &push(PUSHERS, 0)));
    // From here on, the peak is of what follows.
    let _ = fs::write(format!("/proc/{}/clear_refs", forge.pid()), "5");
    let (waits, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let wait = |what: String, script: &str| {
        let time = timed(&shell, script);
        waits.lock().expect("nobody panicked with it").push((time, what));
    };
    thread::scope(|scope| {
        let maintenance = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                forge.lithe(&["repo", "maintain", &path]);
            }
        });
        let clients: Vec<_> = (0..CLONERS + PUSHERS)
            .map(|number| {
                let (wait, clone, push) = (&wait, &clone, &push);
                scope.spawn(move || match number.checked_sub(CLONERS) {
                    None => wait(format!("clone {number}"), &clone(&format!("clone{number}"))),
                    Some(number) => {
                        for round in 0..PUSHES_EACH {
                            wait(format!("push {round} of {number}"), &push(number, round));
                        }
                    }
                })
            })
            .collect();
        let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        maintenance.join().expect("it can be maintained");
        assert!(ended.iter().all(Result::is_ok), "a client failed");
    });
    let peak = memory_kib(forge.pid(), "VmHWM:");
    assert!(peak <= MEMORY_KIB_MAX, "{peak} KiB of memory");
    let fair = ALWAYS_FAIR.max(alone * (CLONERS + PUSHERS) as u32 * FAIR_FACTOR);
    let waits = waits.into_inner().expect("nobody panicked with it");
    let (longest, what) = waits.iter().max().expect("there were some");
    assert!(longest <= &fair, "{what} took {longest:?}, and one alone {alone:?}");
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    for number in 0..PUSHERS {
        assert_eq!(
            shell.run(&format!("git -C \"$SERVED\" rev-parse by{number}")),
            shell.run(&format!("git -C pusher{number} rev-parse HEAD"))
        );
    }
    for number in 0..CLONERS {
        let main = shell.run(&format!(
            "git -C clone{number} fsck --full --strict && git -C clone{number} rev-parse main"
        ));
        assert_eq!(main, shell.run("git -C work rev-parse main"));
    }
    shell.run(&clone("last"));
    let objects = "rev-list --objects --all --no-object-names | sort";
    assert_eq!(
        shell.run(&format!("git -C last {objects}")),
        shell.run(&format!("git -C \"$SERVED\" {objects}"))
    );
}
