//! Bundles, and clones that begin with them (gitformat-bundle, gitprotocol-v2 "bundle-uri").

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5732.4",
        about: "bundles are offered where uploadpack.advertiseBundleURIs says so",
        outcome: Differs(
            "they are unless it says no: every repository has the bundle of its refs",
            r#"mark one && git push -q up main one && traced git ls-remote "$STRANGER" && says '< bundle-uri' ../wire
            served uploadpack.advertiseBundleURIs true && traced git ls-remote "$STRANGER" && says '< bundle-uri' ../wire
            { line command=bundle-uri; printf 0001; printf 0000; } > ../body && ask 2 ../body && says 'bundle.version=1.*bundle.mode=all.*bundle.all.uri=./-/bundle'"#,
        ),
    },
    Scenario {
        tests: "t5732.3",
        about: "they are not where it says no",
        outcome: Same(
            r#"step one && git push -q up main && served uploadpack.advertiseBundleURIs false && traced git -c protocol.version=2 ls-remote "$STRANGER" && says '< version 2' ../wire && hides bundle-uri ../wire
            { line command=bundle-uri; printf 0001; printf 0000; } > ../body && ask 2 ../body && says "invalid command 'bundle-uri'"
            git -c transfer.bundleURI=true clone -q "$STRANGER" ../clone && is "$(id ../clone main)" "$(id . main)""#,
        ),
    },
    Scenario {
        tests: "t5732.5",
        about: "a client asks for them if it is told to, and not where it has an address of its own",
        outcome: Same(
            r#"step one && git push -q up main && traced git -c transfer.bundleURI=false clone -q "$STRANGER" ../never && says '< bundle-uri' ../wire && hides 'command=bundle-uri' ../wire
            traced git -c transfer.bundleURI=true clone -q "$STRANGER" ../asked && says '> command=bundle-uri' ../wire && is "$(git -C ../asked for-each-ref --format='%(objectname)' refs/bundles)" "$(id . main)" && sound ../asked
            traced git -c transfer.bundleURI=true clone -q --bundle-uri="$STRANGER/-/bundle/main" "$STRANGER" ../told && hides 'command=bundle-uri' ../wire && sound ../told"#,
        ),
    },
    Scenario {
        tests: "t5732.7–10, t5558.38–39",
        about: "the list that the config has, with what no client knows, without values, and without addresses",
        outcome: Same(
            r#"step one && git push -q up main && served uploadpack.advertiseBundleURIs true
            { line command=bundle-uri; line object-format=sha1; printf 0001; printf 0000; } > ../body
            alike() { ask 2 ../body; GIT_PROTOCOL=version=2 git upload-pack --stateless-rpc "$SERVED" < ../body > ../expected 2> /dev/null; cmp ../said ../expected; }
            served bundle.only.uri https://example.org/1.bdl && alike && says bundle.only.uri=https
            served bundle.only.extra bogus && alike
            served bundle.two.uri https://example.org/2.bdl && served bundle.Three.uri 'https://example.org/%33 .bdl' && alike && says bundle.Three.uri
            served bundle.version 1 && served bundle.heuristic creationToken && served bundle.four.creationToken 1 && alike
            served bundle.five.uri '' && ask 2 ../body && hides bundle.five && says bundle.four"#,
        ),
    },
    Scenario {
        tests: "t5732.7–10",
        about: "a bundle-uri with arguments, which it has none of",
        outcome: Same(
            r#"step one && git push -q up main && { line command=bundle-uri; printf 0001; line something; printf 0000; } > ../body && ask 2 ../body && says "unexpected argument: 'something'""#,
        ),
    },
    Scenario {
        tests: "t5558.4, t5558.8, t5558.24–25",
        about: "a clone by the address of a bundle, also by a client whose own default is another object format",
        outcome: Same(
            r#"mark one && git switch -qc topic && mark two && git push -q up main topic --tags
            git clone -q --bundle-uri="$STRANGER/-/bundle/topic" "$STRANGER" ../clone && is "$(git -C ../clone for-each-ref --format='%(objectname)' refs/bundles)" "$(id . topic)" && sound ../clone
            GIT_DEFAULT_HASH=sha256 git clone -q --bundle-uri="$STRANGER/-/bundle/topic" "$STRANGER" ../other && is "$(git -C ../other for-each-ref --format='%(objectname)' refs/bundles)" "$(id . topic)""#,
        ),
    },
    Scenario {
        tests: "t5558.10",
        about: "a clone by a bundle with tags",
        outcome: Same(
            r#"mark one && git tag -am heavy heavy && mark two && git push -q up main --tags && git clone -q --bundle-uri="$STRANGER/-/bundle" "$STRANGER" ../clone
            is "$(git -C ../clone for-each-ref --format='%(objectname) %(refname)' refs/tags)" "$(git for-each-ref --format='%(objectname) %(refname)' refs/tags)" && sound ../clone"#,
        ),
    },
    Scenario {
        tests: "t5558.1–2, t5558.5, t5558.22–23",
        about: "a clone where the bundle is not there, or is none",
        outcome: Same(
            r#"step one && git push -q up main
            for address in /-/bundle/nothing /nothing '/info/refs?service=git-upload-pack' /-/tree/main; do rm -rf ../clone && git clone -q --bundle-uri="$STRANGER$address" "$STRANGER" ../clone 2> ../said && says 'failed to fetch\|failed to download' && is "$(id ../clone main)" "$(id . main)" && sound ../clone; done"#,
        ),
    },
    Scenario {
        tests: "t5558.12–16, t5558.26–27",
        about: "lists of bundles, of which all are needed or any, and some are not there",
        outcome: Same(
            r#"step base && git switch -qc left && step left && git switch -qc right main && step right && git push -q up main left right
            served bundle.version 1 && served bundle.mode all && served bundle.left.uri ./-/bundle/left && served bundle.right.uri ./-/bundle/right && served bundle.gone.uri ./-/bundle/gone
            bundles() { git -C $1 for-each-ref --format='%(objectname)' refs/bundles | sort | xargs; }
            git -c transfer.bundleURI=true clone -q "$STRANGER" ../all 2> ../said && is "$(bundles ../all)" "$(git rev-parse left right | sort | xargs)" && sound ../all
            served bundle.mode any && git -c transfer.bundleURI=true clone -q "$STRANGER" ../any 2> ../said && is "$(bundles ../any | wc -w)" 1 && sound ../any
            served --remove-section bundle.left && served --remove-section bundle.right && git -c transfer.bundleURI=true clone -q "$STRANGER" ../none 2> ../said && is "$(bundles ../none)" "" && is "$(id ../none origin/left)" "$(id . left)""#,
        ),
    },
    Scenario {
        tests: "t5558.17–19, t5558.21",
        about: "after its bundles, a client asks for what it still lacks, and for nothing if it has all",
        outcome: Same(
            r#"mark one && git push -q up main && curl -sS -f -o ../old.bundle "$STRANGER/-/bundle" && mark two && git push -q up main
            traced git clone -q --bundle-uri="$PWD/../old.bundle" "$STRANGER" ../clone && says "clone> have $(id . one)" ../wire && is "$(id ../clone main)" "$(id . two)" && sound ../clone
            git switch -qC main one && mark other && git push -qf up main
            git clone -q --bundle-uri="$PWD/../old.bundle" "$STRANGER" ../forced && is "$(id ../forced main)" "$(id . other)" && sound ../forced
            for how in '-c transfer.bundleURI=true clone' "clone --bundle-uri=$STRANGER/-/bundle"; do rm -rf ../whole && traced git $how -q --single-branch --no-tags "$STRANGER" ../whole && hides 'clone> want' ../wire && is "$(id ../whole main)" "$(id . other)" && sound ../whole; done"#,
        ),
    },
    Scenario {
        tests: "t5558.20, t5558.28–33",
        about: "bundles in the order of their creation tokens",
        outcome: Same(
            r#"step one && git push -q up main main:first && step two && git push -q up main
            served bundle.version 1 && served bundle.mode all && served bundle.heuristic creationToken && served bundle.one.uri ./-/bundle/first && served bundle.one.creationToken 1 && served bundle.two.uri ./-/bundle/main && served bundle.two.creationToken 2
            traced git -c transfer.bundleURI=true clone -q "$STRANGER" ../clone && is "$(git -C ../clone config fetch.bundleCreationToken)" 2 && is "$(git -C ../clone for-each-ref --format='%(objectname)' refs/bundles)" "$(id . main)" && sound ../clone"#,
        ),
    },
    Scenario {
        tests: "t5558.3, t5558.6–7, t5558.9, t5558.11, t5558.34–37",
        about: "what a client does with addresses and files",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5607.7, t5607.10, t6020.6, t6020.9–11, t6020.14, t6020.22–25",
        about: "a bundle is cloned from, with tags and refs to one object, each once; there is none of nothing",
        outcome: Same(
            r#"is "$(curl -s -o ../said -w '%{http_code}' "$STRANGER/-/bundle")" 404 && says 'nothing to put into a bundle'
            mark one && git tag -am heavy heavy && git branch same && git push -q up main same --tags && curl -sS -f -o ../all.bundle "$STRANGER/-/bundle"
            git bundle create -q ../git.bundle HEAD --branches --tags && is "$(git bundle list-heads ../all.bundle | sort)" "$(git bundle list-heads ../git.bundle | sort)"
            git clone -q --mirror ../all.bundle ../clone && is "$(git -C ../clone for-each-ref)" "$(git for-each-ref refs/heads refs/tags)" && sound ../clone"#,
        ),
    },
    Scenario {
        tests: "t5607.11, t5607.13",
        about: "the version of the format, and a fetch out of it by id",
        outcome: Same(
            r#"step one && git push -q up main && curl -sS -f -o ../all.bundle "$STRANGER/-/bundle" && git bundle create -q ../git.bundle --all && is "$(head -n1 ../all.bundle)" "$(head -n1 ../git.bundle)"
            git init -q --bare ../clone && git -C ../clone fetch -q ../all.bundle $(id . main) && sound ../clone"#,
        ),
    },
    Scenario {
        tests: "t5607.2–6, t5607.8–9, t5607.12, t5607.14–16, t6020.1–5, t6020.7–8, t6020.12–13, t6020.15–21, t6020.26–30",
        about: "bundles of a part of history, filtered ones, and what git bundle is told and prints",
        outcome: Apart("a download has no options; tests/bundles.rs has SHA-256"),
    },
];
