//! The versions of the protocol, word by word.

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5701.2, t5555.5–10",
        about: "what is offered, by each version and service",
        outcome: Same(
            r#"mark one && git push -q up main
            get() { curl -s -H "Git-Protocol: version=$1" "$STRANGER/info/refs?service=git-$2" | tr '\0' ' ' > ../said; }
            get 2 upload-pack && for word in 'version 2' 'agent=lithe/' 'ls-refs=unborn' 'fetch=shallow' 'server-option' 'object-format=sha1' 'object-info'; do says "$word"; done
            get 1 upload-pack && says 'version 1' && says 'symref=HEAD:refs/heads/main' && get 0 upload-pack && hides 'version 1' && says ' HEAD multi_ack'
            ADMIN=$STRANGER; curl -s "${ADMIN/:\/\//://alice:correct-horse-alice@}/info/refs?service=git-receive-pack" | tr '\0' ' ' > ../said
            says 'refs/heads/main report-status' && hides ' HEAD '"#,
        ),
    },
    Scenario {
        tests: "t5701.4–10",
        about: "requests of version 2 that make no sense: unknown words, no command, two, another object format",
        outcome: Same(
            r#"mark one && git push -q up main
            try() { printf '%s' "$(for text in "${@:2}"; do case "$text" in 000?) printf '%s' "$text";; *) line "$text"; echo x;; esac; done)" > /dev/null
                : > ../body; for text in "${@:2}"; do case "$text" in 000?) printf %s "$text" >> ../body;; *) line "$text" >> ../body;; esac; done
                ask 2 ../body && is "$(cat ../status)" 200 && says "ERR .*$1"; }
            try 'unknown capability' command=fetch foobar 0000 && try 'no command' agent=x 0001 0000 && try 'invalid command' command=foo 0000
            try 'invalid command' command=agent 0000 && try . ls-refs 0000 && try 'invalid command' command=ls-refs=whatever 0000
            try 'object format' command=fetch object-format=sha256 0000 && try . command=ls-refs command=fetch 0000"#,
        ),
    },
    Scenario {
        tests: "t5701.12–19, t5701.21–24",
        about: "lists of refs by prefix, of objects' sizes, and lines that do not belong there",
        outcome: Apart("tests/protocol.rs has the answers of git beside Lithe's, byte for byte"),
    },
    Scenario {
        tests: "t5701.13, t5701.20, t5704.1–2, t5702.41, t5702.66",
        about: "arguments that are not known, and delimiters where the end should be",
        outcome: Same(
            r#"mark one && git push -q up main
            try() { : > ../body; for text in "${@:2}"; do case "$text" in 000?) printf %s "$text" >> ../body;; *) line "$text" >> ../body;; esac; done
                ask 2 ../body && says "ERR .*$1"; }
            try 'unexpected line' command=ls-refs 0001 no-such-arg 0000 && try 'unexpected line' command=fetch 0001 'this-is-not-a-command' 0000
            try 'expected flush' command=ls-refs 0001 0001 && try 'expected flush' command=fetch 0001 0001
            try 'unexpected line' command=fetch 0001 'packfile-uris https' "want $(id . main)" 0000"#,
        ),
    },
    Scenario {
        tests: "t5701.25–26, t5732.1–9, t5558.21–39",
        about: "bundles that a clone can begin with, named by uploadpack.advertiseBundleURIs",
        outcome: Apart(
            "where they are offered, tests of prepared packs have it; bundles of other places are the client's doing",
        ),
    },
    Scenario {
        tests: "t5701.27–28, t5703.2, t5702.38–39, t5702.43, t5702.17",
        about: "capabilities that the config can take away: filters, refs in wants, sizes of objects, unborn branches",
        outcome: Differs(
            "they are always there; a client that does not ask for them is not concerned",
            r#"mark one && git push -q up main
            for key in uploadpack.allowFilter uploadpack.allowRefInWant transfer.advertiseObjectInfo; do served $key false; done && served lsrefs.unborn ignore
            curl -s -H 'Git-Protocol: version=2' "$STRANGER/info/refs?service=git-upload-pack" | tr '\0' ' ' > ../said
            says 'fetch=.*filter' && says 'ref-in-want' && says 'object-info' && says 'ls-refs=unborn'"#,
        ),
    },
    Scenario {
        tests: "t5702.11, t5702.25, t5702.47–48, t5702.62",
        about: "a client that names what it is after is shown just that, in one call",
        outcome: Same(
            r#"mark one && git push -q up main main:other main:topic && git push -q up one && traced git -c protocol.version=2 ls-remote --heads "$STRANGER" > ../said && says refs/heads/main
            hides '< .*refs/tags/one' ../wire && is "$(grep -c 'Send header: POST' ../http)" 1
            git init -q ../clone && cd ../clone && traced git -c protocol.version=2 fetch -q "$STRANGER" main && hides '< .*refs/heads/topic' ../wire"#,
        ),
    },
    Scenario {
        tests: "t5702.12–14, t5702.26–33, t5701.19",
        about: "options for the server go along by version 2",
        outcome: Same(
            r#"mark one && git push -q up main && traced git -c protocol.version=2 ls-remote -o hello -o world "$STRANGER" && says 'server-option=hello' ../wire
            traced git -c protocol.version=2 clone -q --server-option=hello "$STRANGER" ../clone && says 'server-option=hello' ../wire"#,
        ),
    },
    Scenario {
        tests: "t5702.16, t5702.18–19, t5702.21–22",
        about: "the name of a branch that is not born yet, of empty repositories and others",
        outcome: Same(
            r#"git -C "$SERVED" symbolic-ref HEAD refs/heads/mydefault && git -c protocol.version=2 clone -q "$STRANGER" ../clone 2> /dev/null
            is "$(git -C ../clone symbolic-ref HEAD)" refs/heads/mydefault && git -c protocol.version=2 clone -q --bare "$STRANGER" ../bare 2> /dev/null
            is "$(git -C ../bare symbolic-ref HEAD)" refs/heads/mydefault
            mark one && git push -q up main && git -C "$SERVED" symbolic-ref HEAD refs/heads/mydefault
            git -c protocol.version=2 clone -q "$STRANGER" ../full 2> /dev/null && is "$(git -C ../full symbolic-ref HEAD)" refs/heads/mydefault"#,
        ),
    },
    Scenario {
        tests: "t5702.8, t5702.63",
        about: "a push with version 2 configured goes by an older one",
        outcome: Same(
            r#"mark one && traced git -c protocol.version=2 push -q up main && says '> .*report-status' ../wire && hides '< version 2' ../wire"#,
        ),
    },
    Scenario {
        tests: "t5702.58–60, t5702.83–85",
        about: "what is in common, asked for alone",
        outcome: Same(
            r#"mark one && mark two && git push -q up main && git clone -q "$STRANGER" ../clone && cd ../clone && step three
            git -c protocol.version=2 fetch --negotiate-only --negotiation-tip=HEAD origin > ../said && says "$(id ../work two)" && hides "$(id . HEAD)"
            refuse git -c protocol.version=0 fetch --negotiate-only --negotiation-tip=HEAD origin && says 'protocol v2'"#,
        ),
    },
    Scenario {
        tests: "t5702.62–64, t5562.4–8",
        about: "bodies of fetches that are cut off, empty, compressed, or of another type",
        outcome: Same(
            r#"mark one && git push -q up main && { line "want $(id . main)"; printf 0000; line done; } > ../body && ask 0 ../body && says PACK
            gzip -c ../body > ../body.gz && ask 0 ../body.gz -H 'Content-Encoding: gzip' && says PACK
            head -c 10 ../body > ../cut && ask 0 ../cut && hides PACK && says ERR && head -c 30 ../body.gz > ../cut.gz && ask 0 ../cut.gz -H 'Content-Encoding: gzip' && is "$(cat ../status)" 400
            printf 00 > ../cut && ask 2 ../cut && says ERR
            : > ../empty && ask 0 ../empty && hides PACK && ask 0 ../empty -H 'Content-Encoding: gzip' && hides PACK
            is "$(curl -s -o /dev/null -w '%{http_code}' --data-binary @../body "$STRANGER/git-upload-pack")" 415"#,
        ),
    },
    Scenario {
        tests: "t5702.72–73",
        about: "servers that break the protocol",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5702.74–82",
        about: "parts of a pack from other addresses",
        outcome: Apart("not offered: the server itself sends as fast as it can be read"),
    },
    Scenario {
        tests: "t5703.3–7",
        about: "refs wanted by name: one, several, together with ids, one that the client has, one that is not there",
        outcome: Same(
            r#"mark one && mark two && git push -q up main one:refs/heads/other two && a=$(id . one) b=$(id . two)
            try() { { line command=fetch; line object-format=sha1; printf 0001; for text in "$@"; do line "$text"; done; line done; printf 0000; } > ../body && ask 2 ../body; }
            try 'want-ref refs/heads/main' "have $a" && says "$b refs/heads/main" && try 'want-ref refs/heads/main' 'want-ref refs/heads/other' && says "$a refs/heads/other" && says "$b refs/heads/main"
            try 'want-ref refs/heads/other' "want $b" && says "$a refs/heads/other" && hides "$b refs" && try 'want-ref refs/heads/main' "have $b" && says "$b refs/heads/main"
            try 'want-ref refs/heads/none' && says 'ERR unknown ref refs/heads/none' && try 'want-ref refs/heads/../x' && says 'unknown ref'"#,
        ),
    },
    Scenario {
        tests: "t5703.9–13",
        about: "fetches by name: by id, of several, by patterns that match some and none",
        outcome: Same(
            r#"mark one && git push -q up main main:o/foo main:o/bar && git init -q ../clone && cd ../clone && git config protocol.version 2 && git remote add origin "$STRANGER"
            traced git fetch -q origin main o/foo && says 'want-ref refs/heads/main' ../wire && says 'want-ref refs/heads/o/foo' ../wire
            git fetch -q origin 'refs/heads/o*:refs/heads/o*' && is "$(id . o/bar)" "$(id ../work one)" && git fetch -q origin 'refs/heads/none*:refs/heads/*'"#,
        ),
    },
    Scenario {
        tests: "t5703.21–25",
        about: "refs that move, go back or vanish between the listing and the fetch",
        outcome: Apart(
            "tests/protocol.rs has one that moves, tests/random.rs all of it, by many clients at once",
        ),
    },
    Scenario {
        tests: "t5705.2–6",
        about: "ids of sessions",
        outcome: Differs(
            "not offered: the log of the server numbers its own requests",
            r#"served transfer.advertiseSID true && curl -s -H 'Git-Protocol: version=2' "$STRANGER/info/refs?service=git-upload-pack" | tr '\0' ' ' > ../said && hides session-id"#,
        ),
    },
    Scenario {
        tests: "t5530.5–6",
        about: "objects that are not there, or that no ref reaches, by their ids",
        outcome: Same(
            r#"mark one && git push -q up main && stray=$(echo stray | git -C "$SERVED" hash-object -w --stdin)
            for want in $stray $(printf 'd%.0s' $(seq 40)); do { line "want $want multi_ack_detailed"; printf 0000; line done; } > ../body; ask 0 ../body; says "ERR upload-pack: not our ref $want"; done"#,
        ),
    },
    Scenario {
        tests: "t5530.8, t5530.10–11",
        about: "a request that ends after its wants, and objects that are had twice",
        outcome: Same(
            r#"mark one && git push -q up main && tree=$(id . main^{tree})
            { line "want $(id . main)"; line "shallow $(id . main)"; line 'deepen 1'; printf 0000; } > ../body && ask 0 ../body && is "$(cat ../said)" 0000
            { line "want $(id . main)"; printf 0000; line "have $tree"; line "have $tree"; printf 0000; } > ../body && ask 0 ../body && GIT_PROTOCOL= git upload-pack --stateless-rpc "$SERVED" < ../body > ../git && cmp ../said ../git
            { line command=fetch; printf 0001; line "want $(id . main)"; line "have $tree"; line "have $tree"; printf 0000; } > ../body && ask 2 ../body
            GIT_PROTOCOL=version=2 git upload-pack --stateless-rpc "$SERVED" < ../body > ../git && cmp ../said ../git"#,
        ),
    },
    Scenario {
        tests: "t5561.1, t5560.1",
        about: "addresses that lead out of the repository",
        outcome: Apart("tests/bad_input.rs has it"),
    },
];
