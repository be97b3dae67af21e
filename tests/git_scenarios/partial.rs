//! Clones that lack some of the objects, and get them when they are needed.

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5702.34–37, t5616.3–6, t5500.77–79",
        about: "a partial clone lacks old files, is sound, and gets one when it is looked at, without a listing",
        outcome: Same(
            r#"echo old > file && step one && git add . && git commit -q --amend --no-edit && echo new > file && git commit -qam two && git push -q up main && old=$(git rev-parse main~1:file)
            for v in 0 2; do for filter in blob:none blob:limit=0 blob:limit=1; do
                rm -rf ../clone && git -c protocol.version=$v clone -q --filter=$filter "$STRANGER" ../clone && cd ../clone && git rev-list --quiet --objects --missing=print main > ../said && says $old && sound .
                traced git -c protocol.version=$v cat-file -p $old > ../said && says old && hides 'command=ls-refs' ../wire && cd ../work
            done; done"#,
        ),
    },
    Scenario {
        tests: "t5702.38, t5616.8, t5616.13–20",
        about: "fetches keep to the filter of the clone, to another, or to none, and can begin anew",
        outcome: Same(
            r#"step one && git push -q up main && git clone -q --filter=blob:none --no-checkout "$STRANGER" ../clone && step two && git push -q up main
            missing() { git rev-list --quiet --objects --missing=print --all | grep -c '^?' || true; }
            cd ../clone && git fetch -q && is "$(missing)" 2 && git fetch -q --refetch --filter=blob:limit=100 && is "$(missing)" 0
            cd ../work && step three && git push -q up main && cd ../clone && git fetch -q --no-filter && is "$(missing)" 0 && sound ."#,
        ),
    },
    Scenario {
        tests: "t5616.9–12",
        about: "diff and blame get what they need",
        outcome: Same(
            r#"seq 20 > file && git add file && git commit -qm one && sed -i 3d file && git commit -qam two && sed -i 5d file && git commit -qam three && git push -q up main
            git clone -q --filter=blob:none "$STRANGER" ../clone && is "$(git -C ../clone blame -s file)" "$(git blame -s file)" && is "$(git -C ../clone log -p)" "$(git log -p)""#,
        ),
    },
    Scenario { tests: "t5616.21–25, t5616.39", about: "submodules", outcome: Apart("the client's doing") },
    Scenario {
        tests: "t5616.26, t0410.17",
        about: "trees that were left out come alone, without the files in them",
        outcome: Same(
            r#"mkdir a && echo x > a/x && git add . && git commit -qm one && git push -q up main && git clone -q --filter=tree:0 --no-checkout "$STRANGER" ../clone
            tree=$(id . main^{tree}) && cd ../clone && git cat-file -p $tree > ../said && says '[[:space:]]a$' && git cat-file --batch-all-objects --batch-check > ../said && hides blob && sound ."#,
        ),
    },
    Scenario {
        tests: "t5616.27",
        about: "several filters at once",
        outcome: Same(
            r#"mkdir -p a/b && echo x > a/b/x && echo y > y && git add . && git commit -qm one && git push -q up main
            traced git -c protocol.version=2 clone -q --no-checkout --filter=blob:none --filter=tree:2 "$STRANGER" ../clone && says 'filter combine:blob:none+tree:2' ../wire
            git -C ../clone cat-file --batch-all-objects --batch-check | cut -d' ' -f2 | sort | uniq -c | xargs > ../said && says '1 commit 2 tree'"#,
        ),
    },
    Scenario {
        tests: "t5616.28–32",
        about: "filters that the config of the server forbids",
        outcome: Differs(
            "not read: what a filter may cost is limited, whichever it is",
            r#"served uploadpackfilter.allow false && step one && git push -q up main && git clone -q --no-checkout --filter=tree:1 "$STRANGER" ../clone && sound ../clone"#,
        ),
    },
    Scenario {
        tests: "t5616.33–34",
        about: "objects that were asked for by their ids come whatever the filter, also ones that refs point to",
        outcome: Same(
            r#"echo apart > x && blob=$(git hash-object -w x) && rm x && step one && git tag t $blob && git push -q up main t
            for v in 0 2; do rm -rf ../clone && git -c protocol.version=$v clone -q --no-checkout --filter=blob:none "$STRANGER" ../clone && git -C ../clone cat-file --batch-all-objects --batch-check > ../said && says $blob && sound ../clone; done
            git -C ../clone fetch -q --filter=blob:none origin $(git rev-parse main:one) && git -C ../clone cat-file --batch-all-objects --batch-check > ../said && says $(git rev-parse main:one)"#,
        ),
    },
    Scenario {
        tests: "t5616.35–37",
        about: "filters by the patterns of a sparse checkout",
        outcome: Differs(
            "refused: what they cost cannot be told before; sparse checkouts work with blob:none",
            r#"echo /one > patterns && git add . && step one && git push -q up main && for v in 0 2; do refuse git -c protocol.version=$v clone --filter=sparse:oid=main:patterns "$STRANGER" ../clone && says "filter 'sparse"; done"#,
        ),
    },
    Scenario {
        tests: "t5616.38–39, t5616.46, t5616.50",
        about: "no delta is sent whose base the client was spared",
        outcome: Same(
            r#"head -c 100000 /dev/urandom | base64 > large && git add . && git commit -qm one && git push -q up main && git clone -q --filter=blob:none --no-checkout "$STRANGER" ../clone
            echo more >> large && git commit -qam two && git push -q up main && git -C "$SERVED" repack -adfq
            for v in 0 2; do rm -rf ../copy && cp -r ../clone ../copy && cd ../copy && git -c protocol.version=$v fetch -q --no-filter && sound . && git cat-file -e origin/main:large && cd ../work; done"#,
        ),
    },
    Scenario {
        tests: "t5616.40–43, t5616.48–49",
        about: "tags of a partial clone, with what they stand for",
        outcome: Same(
            r#"step one && git tag -am T heavy && git tag -am B of-blob $(git rev-parse main:one) && git push -q up main heavy of-blob
            for v in 0 2; do for filter in blob:none tree:0 object:type=tag; do rm -rf ../clone && git -c protocol.version=$v clone -q --no-checkout --filter=$filter "$STRANGER" ../clone && id ../clone heavy^{tag} && id ../clone of-blob^{blob} && sound ../clone; done; done
            rm -rf ../clone && git clone -q --no-checkout --filter=blob:none "$STRANGER" ../clone
            step two && git tag -am T new && git push -q up main new && cd ../clone && traced git fetch -q && id . new && is "$(grep -c 'fetch< packfile' ../wire)" 1"#,
        ),
    },
    Scenario {
        tests: "t5616.44–45",
        about: "a served repository that is a partial clone itself",
        outcome: Differs(
            "it says which object it lacks: it has no way out to fetch that from elsewhere",
            r#"step one && step two && git config uploadpack.allowFilter true && git clone -q --bare --filter=blob:none "file://$PWD" ../cut && rm -r "$SERVED"/{objects,refs} && cp -r ../cut/{objects,refs,packed-refs} "$SERVED"
            refuse git clone "$STRANGER" ../clone && says 'is missing'"#,
        ),
    },
    Scenario {
        tests: "t0410.11–16, t0410.36–41",
        about: "missing commits, trees and files are fetched over HTTP, many at once where many are needed",
        outcome: Same(
            r#"for n in $(seq 50); do echo $n > f$n; done && git add . && git commit -qm one && git push -q up main && git clone -q --filter=blob:none --no-checkout "$STRANGER" ../clone && cd ../clone
            traced git checkout -q main && is "$(grep -c 'Send header: POST.*upload-pack' ../http)" 1 && is "$(ls | wc -l)" 50 && sound ."#,
        ),
    },
    Scenario {
        tests: "t0410.1–10, t0410.18–35, t5620.1–12",
        about: "what a client does about objects that it lacks",
        outcome: Apart("the client's doing"),
    },
];
