//! History that is cut: on the client, and on the server.

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5539.2, t5537.3–6",
        about: "a served repository that is shallow itself: clone, fetch, fetch with a depth, and as much as there is",
        outcome: Same(
            r#"for n in 1 2 3 4 5 6 7; do step $n; done && git clone -q --bare --depth=5 "file://$PWD" ../cut && rm -r "$SERVED"/{objects,refs} && cp -r ../cut/{objects,refs,packed-refs,shallow} "$SERVED"
            for v in 0 2; do
                rm -rf ../clone && git -c protocol.version=$v clone -q "$STRANGER" ../clone && is "$(titles ../clone origin/main)" '7 6 5 4 3' && sound ../clone
                (cd ../clone && git -c protocol.version=$v fetch -q --depth=2 && is "$(titles . origin/main)" '7 6' && git -c protocol.version=$v fetch -q --unshallow && is "$(titles . origin/main)" '7 6 5 4 3' && sound .)
            done"#,
        ),
    },
    Scenario {
        tests: "t5539.3",
        about: "a fetch with a depth and much that the server lacks ends without another word from the client",
        outcome: Same(
            r#"for n in 1 2 3; do step $n; done && for n in $(seq 15); do git switch -q --orphan u$n && step u$n; done && git switch -q main && git push -q --all up && git clone -q "$STRANGER" ../clone
            step new && git push -q up main && cd ../clone && git switch -q --orphan own && GIT_COMMITTER_DATE='1400000000 +0000' step own
            traced git -c protocol.version=0 fetch -q --depth=2 && says '< ACK .* ready' ../wire && hides '> done' ../wire && sound ."#,
        ),
    },
    Scenario {
        tests: "t5539.4–5, t5500.66–67",
        about: "clone and fetch of history since a date",
        outcome: Same(
            r#"for n in 1 2 3; do GIT_COMMITTER_DATE="${n}00000000 +0700" step $n; done && git push -q up main
            for v in 0 2; do rm -rf ../clone && git -c protocol.version=$v clone -q --shallow-since '300000000 +0700' "$STRANGER" ../clone && is "$(titles ../clone HEAD)" 3
                git -C ../clone -c protocol.version=$v fetch -q --shallow-since '200000000 +0700' origin && is "$(titles ../clone origin/main)" '3 2'; done"#,
        ),
    },
    Scenario {
        tests: "t5500.68",
        about: "a date that leaves nothing",
        outcome: Same(
            r#"GIT_COMMITTER_DATE='100000000 +0700' step 1 && git push -q up main
            for v in 0 2; do refuse git -c protocol.version=$v clone --shallow-since '900000000 +0700' "$STRANGER" ../clone && says 'no commits selected'; done"#,
        ),
    },
    Scenario {
        tests: "t5539.6–7, t5500.70–72",
        about: "clone and fetch of history without what a tag reaches, which has to be a ref",
        outcome: Same(
            r#"for n in one two three; do mark $n; done && git push -q up main one two three
            for v in 0 2; do rm -rf ../clone && git -c protocol.version=$v clone -q --shallow-exclude two "$STRANGER" ../clone && is "$(titles ../clone HEAD)" three
                (cd ../clone && git -c protocol.version=$v fetch -q --shallow-exclude one origin && is "$(titles . origin/main)" 'three two'
                 refuse git -c protocol.version=$v fetch --shallow-exclude $(id ../work one) origin && says 'is not a ref'); done"#,
        ),
    },
    Scenario {
        tests: "t5539.8, t5702.57, t5500.73–74",
        about: "history is deepened relative to where it was cut, new commits left aside",
        outcome: Same(
            r#"for n in one two three; do step $n; done && git push -q up main
            for v in 0 2; do rm -rf ../clone$v && git -c protocol.version=$v clone -q --depth=1 "$STRANGER" ../clone$v; done && step four && git push -q up main
            for v in 0 2; do git -C ../clone$v -c protocol.version=$v fetch -q --deepen=1 && is "$(titles ../clone$v origin/main)" 'four three two' && sound ../clone$v; done"#,
        ),
    },
    Scenario {
        tests: "t5537.16",
        about: "deepening a whole clone leaves it whole",
        outcome: Same(
            r#"for n in one two three; do step $n; done && git push -q up main && git clone -q "$STRANGER" ../clone
            for v in 0 2; do git -C ../clone -c protocol.version=$v fetch -q --deepen=1 && is "$(titles ../clone origin/main)" 'three two one' && test ! -s ../clone/.git/shallow; done"#,
        ),
    },
    Scenario {
        tests: "t5537.7, t5500.9–30",
        about: "a shallow clone is brought up to date, deepened step by step, and made whole",
        outcome: Same(
            r#"for n in 1 2 3 4 5 6; do step $n; done && git push -q up main
            for v in 0 1 2; do rm -rf ../clone && git -c protocol.version=$v clone -q --depth 2 "$STRANGER" ../clone && cd ../clone && is "$(titles . HEAD)" '6 5' && sound .
                git -c protocol.version=$v fetch -q && git -c protocol.version=$v fetch -q --depth 4 && is "$(titles . origin/main)" '6 5 4 3' && sound .
                git -c protocol.version=$v fetch -q --unshallow && is "$(titles . origin/main)" '6 5 4 3 2 1' && sound . && cd ../work; done"#,
        ),
    },
    Scenario {
        tests: "t5537.8",
        about: "what lies behind the client's cut and comes up again is sent again",
        outcome: Same(
            r#"for n in 1 2 3 4; do echo $n > file && git add file && git commit -qm $n; done && git push -q up main && git clone -q --depth=2 "$STRANGER" ../clone && old=$(echo 1 | git hash-object --stdin) && lacks ../clone $old
            echo 1 > file && git commit -qam again && git push -q up main
            for v in 0 2; do rm -rf ../copy && cp -r ../clone ../copy && git -C ../copy -c protocol.version=$v fetch -q && git -C ../copy cat-file -e $old && sound ../copy; done"#,
        ),
    },
    Scenario {
        tests: "t5537.9–10, t5537.13",
        about: "a client that is to stay whole takes of a shallow server only what is whole, or else its cuts too",
        outcome: Same(
            r#"for n in 1 2 3; do step $n; done && git clone -q --bare --depth=2 "file://$PWD" ../cut && rm -r "$SERVED"/{objects,refs} && cp -r ../cut/{objects,refs,packed-refs,shallow} "$SERVED"
            git switch -q --orphan whole && step whole && git push -q up whole
            for v in 2; do rm -rf ../clone && git init -q ../clone && cd ../clone && git -c protocol.version=$v fetch -q "$STRANGER" 'refs/heads/*:refs/got/*'
                is "$(git for-each-ref --format='%(refname)')" refs/got/whole && git -c protocol.version=$v fetch -q --update-shallow "$STRANGER" 'refs/heads/*:refs/got/*'
                is "$(titles . refs/got/main)" '3 2' && sound . && cd ../work; done"#,
        ),
    },
    Scenario {
        tests: "t5537.11–12, t5537.17",
        about: "submodules, and servers that say what is not so",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5537.14",
        about: "a shallow clone from a repository that cannot be written",
        outcome: Apart("tests/disk.rs has fetches from a disk that cannot be written"),
    },
    Scenario {
        tests: "t5537.15, t5500.48",
        about: "a shallow clone whose cut is nowhere on the server any more",
        outcome: Same(
            r#"mark a && mark b && git switch -qc branch && step c && step d && git push -q up main branch && git clone -q --depth=1 --no-tags --no-single-branch "$STRANGER" ../clone
            git push -q up :branch && git -C "$SERVED" gc -q --prune=now && cd ../clone && git fetch -q --prune --depth=1 && git repack -adfq && sound .
            git -C ../work push -q up branch && git fetch -q --prune --depth=2 && is "$(titles . origin/branch)" 'd c' && sound ."#,
        ),
    },
    Scenario {
        tests: "t5500.49",
        about: "a new cut that moves forward brings one commit and nothing with it",
        outcome: Same(
            r#"step a && step b && git push -q up main && git clone -q "$STRANGER" ../clone && git commit -q --allow-empty -m empty && git push -q up main
            cd ../clone && git fetch --depth=1 --progress 2> ../said && says 'Enumerating objects: 1, done' && sound ."#,
        ),
    },
    Scenario {
        tests: "t5500.36–45",
        about: "shallow clones of one branch, of one tag, of a HEAD without a branch, with packed refs",
        outcome: Same(
            r#"mark a && mark b && mark c && git push -q up main a b c main:other && git -C "$SERVED" pack-refs --all
            for v in 0 2; do for words in "--branch main|c" "--branch b|b" "--no-single-branch|c"; do
                rm -rf ../clone && git -c protocol.version=$v clone -q --depth 1 ${words%|*} "$STRANGER" ../clone 2> /dev/null && is "$(titles ../clone HEAD)" "${words#*|}" && sound ../clone; done; done
            git -C "$SERVED" update-ref --no-deref HEAD b && rm -rf ../clone && git clone -q --depth 1 "$STRANGER" ../clone 2> /dev/null && is "$(titles ../clone HEAD)" b"#,
        ),
    },
    Scenario {
        tests: "t5702.54–56",
        about: "a shallow client that has much of its own, and tags that follow in a second fetch",
        outcome: Same(
            r#"mark base && mark has && git push -q up main && git clone -q --depth=1 "$STRANGER" ../clone && git switch -qc fresh base && step wants && git push -q up fresh
            cd ../clone && for n in $(seq 32); do git commit -q --allow-empty -m $n; done && git -c protocol.version=2 fetch -q origin fresh && is "$(titles . FETCH_HEAD)" 'wants base' && sound .
            cd ../work && git tag -am T heavy has && git push -q up heavy && cd ../clone && git -c protocol.version=2 fetch -q --depth=2 origin main:refs/got/main && id . heavy && sound ."#,
        ),
    },
    Scenario {
        tests: "t5538.2, t5538.7–8, t5542.3",
        about: "a push from a shallow clone: the new commits alone, as deltas of what the server has",
        outcome: Same(
            r#"seq 5000 > list && step 1 && for n in 2 3 4; do step $n; done && git add . && git commit -q --amend --no-edit && git push -q up main
            git clone -q --depth=2 "$ADMIN" ../clone && cd ../clone && echo more >> list && git commit -qam 5 && GIT_TRACE2_EVENT="$PWD/../event" git push -q origin main
            says 'write_pack_file/wrote.*"value":"3"' ../event && is "$(titles "$SERVED" main)" '5 4 3 2 1' && sound && test ! -e "$SERVED/shallow""#,
        ),
    },
    Scenario {
        tests: "t5538.3",
        about: "a push from a shallow clone of another history",
        outcome: Same(
            r#"step 1 && git push -q up main && git init -q ../abc && cd ../abc && for n in a b c; do step $n; done && git clone -q --depth=2 "file://$PWD" ../cut && cd ../cut
            refuse git push "$ADMIN" main:refs/heads/abc && says 'shallow update not allowed' && refuse id "$SERVED" abc && sound"#,
        ),
    },
    Scenario {
        tests: "t5538.4–5",
        about: "the same where receive.shallowUpdate is set",
        outcome: Differs(
            "not read: a push never cuts what is served",
            r#"served receive.shallowUpdate true && step 1 && git push -q up main && git init -q ../abc && cd ../abc && for n in a b c; do step $n; done && git clone -q --depth=2 "file://$PWD" ../cut && cd ../cut
            refuse git push "$ADMIN" main:refs/heads/abc && says 'shallow update not allowed' && test ! -e "$SERVED/shallow""#,
        ),
    },
    Scenario {
        tests: "t5538.6, t5542.2",
        about: "a push of more history to a repository that is shallow",
        outcome: Same(
            r#"for n in 1 2 3 4; do step $n; done && git clone -q --bare --depth=2 "file://$PWD" ../cut && rm -r "$SERVED"/{objects,refs} && cp -r ../cut/{objects,refs,packed-refs,shallow} "$SERVED"
            step 9 && git push -q up main && is "$(titles "$SERVED" main)" '9 4 3' && sound"#,
        ),
    },
];
