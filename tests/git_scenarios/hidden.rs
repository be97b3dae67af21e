//! Refs that clients are not to know of (git-config(1), `transfer.hideRefs`).

use super::{Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5512.19–24, t5551.27, t1419.2–13",
        about: "refs that the config hides are in no listing; later settings override earlier ones, of one section or two",
        outcome: Same(
            r#"mark one && git tag -am T magic/one && git tag magic/two && git push -q up main main:side --tags
            compare() { for v in 0 1 2; do is "$(git -c protocol.version=$v ls-remote --symref "$STRANGER")" "$(git -c protocol.version=$v ls-remote --symref "file://$SERVED")"; done; git -C "$SERVED" config --unset-all transfer.hideRefs || true; git -C "$SERVED" config --unset-all uploadpack.hideRefs || true; }
            for section in transfer uploadpack; do
                served $section.hideRefs refs/tags && git ls-remote "$STRANGER" > ../said && hides refs/tags && compare
                served $section.hideRefs refs/heads/side/ && git ls-remote "$STRANGER" > ../said && hides refs/heads/side && says refs/heads/main && compare
                served --add $section.hideRefs refs/tags && served --add $section.hideRefs '!refs/tags/magic' && served --add $section.hideRefs refs/tags/magic/one
                git ls-remote "$STRANGER" > ../said && says refs/tags/magic/two && hides refs/tags/magic/one && hides refs/tags/one && compare
            done
            served uploadpack.hideRefs refs/tags && served transfer.hideRefs '!refs/tags/magic' && git ls-remote "$STRANGER" > ../said && says refs/tags/magic/one && compare
            served transfer.hideRefs refs/heads/main && git -c protocol.version=2 ls-remote "$STRANGER" > ../said && says "$(id . one).HEAD" && hides refs/heads/main
            git -C "$SERVED" config --unset-all transfer.hideRefs
            served transfer.hideRefs refs && git ls-remote --refs "$STRANGER" > ../said && hides refs && git -C "$SERVED" config --unset-all transfer.hideRefs
            served receive.hideRefs refs/tags && git ls-remote "$STRANGER" > ../said && says refs/tags/one && compare"#,
        ),
    },
    Scenario {
        tests: "t5551.27",
        about: "a clone has neither a hidden ref nor what only that one reaches",
        outcome: Same(
            r#"mark base && git switch -qc hidden && mark secret && git switch -q main && mark open && git push -q up main hidden && git push -q up secret && served transfer.hideRefs refs/heads/hidden && served --add transfer.hideRefs refs/tags/secret
            for v in 0 1 2; do rm -rf ../clone && git -c protocol.version=$v clone -q --mirror "$STRANGER" ../clone && refuse id ../clone hidden && lacks ../clone $(id . secret) && lacks ../clone $(git rev-parse secret:secret) && sound ../clone; done"#,
        ),
    },
    Scenario {
        tests: "t5516.93–94, t5703.17–19",
        about: "what only a hidden ref reaches is fetched by its id",
        outcome: Differs(
            "it is not given away by any version, as ref, commit, tree or file, nor is its size told; by version 2, git gives it",
            r#"mark base && git switch -qc hidden && mark secret && git switch -q main && mark open && git push -q up main hidden && served transfer.hideRefs refs/heads/hidden
            for v in 0 2; do for want in secret secret^{tree} secret:secret; do git init -q --bare ../clone$v || true; refuse git -C ../clone$v -c protocol.version=$v fetch "$STRANGER" $(id . $want); says 'not our ref'; done
                git -C ../clone$v -c protocol.version=$v fetch -q "$STRANGER" $(id . base) && git -C ../clone$v -c protocol.version=$v fetch -q "$STRANGER" $(git rev-parse open:open)
                refuse git -C ../clone$v -c protocol.version=$v fetch "$STRANGER" refs/heads/hidden; refuse git -c protocol.version=$v clone -q --shallow-exclude=hidden "$STRANGER" ../shallow; done
            ask_of() { { line command=fetch; printf 0001; line "$1"; line done; printf 0000; } > ../body && ask 2 ../body; }
            ask_of 'want-ref refs/heads/hidden' && says 'ERR unknown ref refs/heads/hidden' && ask_of "want $(id . secret)" && says 'ERR upload-pack: not our ref'
            { line command=object-info; printf 0001; line size; line "oid $(git rev-parse secret:secret)"; printf 0000; } > ../body && ask 2 ../body && says 'not our ref'
            git -C "$SERVED" symbolic-ref refs/heads/shown refs/heads/hidden && git fetch -q "$STRANGER" shown && is "$(id . FETCH_HEAD)" "$(id . secret)""#,
        ),
    },
    Scenario {
        tests: "t5516.88–92, t5516.156, t5509.8–11",
        about: "a hidden ref is not shown to who pushes, and not made, moved or deleted",
        outcome: Same(
            r#"mark one && step two && git push -q up one:refs/heads/main one:refs/hidden/one
            for section in transfer receive; do
                served $section.hideRefs refs/hidden && curl -s "${ADMIN}/info/refs?service=git-receive-pack" | tr '\0' ' ' > ../said && hides refs/hidden
                git push -q up main:refs/heads/by-$section && objects=$(find "$SERVED/objects" -type f | sort)
                for spec in two:refs/hidden/one :refs/hidden/one one:refs/hidden/one one:refs/hidden/new; do refuse git push -f up ${spec/two/main}; says 'deny updating a hidden ref\|remote rejected'; done
                is "$(id "$SERVED" refs/hidden/one)" "$(id . one)" && is "$(find "$SERVED/objects" -type f | sort)" "$objects" && git -C "$SERVED" config --unset $section.hideRefs
            done"#,
        ),
    },
    Scenario {
        tests: "t5512.19",
        about: "a config that is damaged, or does not say what it hides",
        outcome: Same(
            r#"mark one && git push -q up main && cp "$SERVED/config" ../config
            for text in '[transfer] hideRefs' '[transfer' '[transfer] hideRefs = "refs'; do (cat ../config; echo; echo "$text") > "$SERVED/config"; refuse git ls-remote "$STRANGER"; refuse git clone "$STRANGER" ../clone; refuse git push up main:other; done
            cp ../config "$SERVED/config" && git ls-remote "$STRANGER" > ../said && says refs/heads/main && hides other"#,
        ),
    },
];
