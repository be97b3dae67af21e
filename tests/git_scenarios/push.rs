//! Pushes: what they change, what refuses them, what the pusher hears.

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5541.2–6",
        about: "a clone, a push from it by just one advertisement and one call, and another with nothing to do",
        outcome: Same(
            r#"mark one && git push -q up main && git clone -q "$ADMIN" ../clone && cd ../clone && step two
            traced git push -q origin main
            is "$(id "$SERVED" main)" "$(id . main)"
            # The first is without the password, which has to be asked for.
            is "$(grep -c 'Send header: GET .*info/refs?service=git-receive-pack' ../http)" 2
            is "$(grep -c 'Send header: POST .*git-receive-pack' ../http)" 1
            hides 'Expect: 100-continue' ../http
            git push 2> ../said && says 'Everything up-to-date'"#,
        ),
    },
    Scenario {
        tests: "t5541.7",
        about: "a branch is made and deleted, and the client's own note of it goes too",
        outcome: Same(
            r#"mark one && git push -q up main main:dev && id "$SERVED" dev && git push -q up :dev
            refuse id "$SERVED" dev && refuse id . refs/remotes/up/dev"#,
        ),
    },
    Scenario {
        tests: "t5541.8–9, t5543.7, t5547.2–4",
        about: "a hook of the repository refuses an update",
        outcome: Differs(
            "hooks are programs of the server's machine, and never run; whether a push may be is for policies to say",
            r#"mark one && mkdir -p "$SERVED/hooks" && printf '#!/bin/sh\nexit 1\n' | tee "$SERVED/hooks/update" > "$SERVED/hooks/pre-receive"
            chmod +x "$SERVED"/hooks/* && git push -q up main && id "$SERVED" main"#,
        ),
    },
    Scenario {
        tests: "t5541.10–12, t5404.3–5, t5405.2–3",
        about: "of two branches the one that was rewritten is refused, the forced one moves, and the client notes just that",
        outcome: Same(
            r#"mark one && step two && git push -q up main main:other && git commit -q --amend -m three
            refuse git push -v up +main main:other
            says '+ .*main -> main (forced update)' && says '! \[rejected\] *main -> other (non-fast-forward)'
            is "$(id "$SERVED" main)" "$(id . main)" && is "$(id "$SERVED" other)" "$(id . refs/remotes/up/other)"
            is "$(id . refs/remotes/up/main)" "$(id . main)""#,
        ),
    },
    Scenario {
        tests: "t5541.13",
        about: "a push that does not fit the client's buffer comes in pieces",
        outcome: Same(
            r#"mark one && traced git -c http.postBuffer=4 push -q up main
            says 'Transfer-Encoding: chunked' ../http && is "$(id "$SERVED" main)" "$(id . main)""#,
        ),
    },
    Scenario {
        tests: "t5541.14, t5543.5, t5543.11–13",
        about: "where one ref of an atomic push is refused by the client, none changes, and each is named",
        outcome: Same(
            r#"mark one && mark two && git branch collateral && git push -q up main collateral
            git switch -q collateral && step three && git switch -q main && git reset -q --hard one -- && git branch fresh
            refuse git push --atomic up main fresh collateral
            refuse id "$SERVED" fresh && mv ../said ../other && refuse git push --atomic --porcelain up main fresh collateral
            for branch in main fresh collateral; do says "!.*refs/heads/$branch.*rejected"; done
            is "$(id "$SERVED" main)" "$(id . two)" && is "$(id "$SERVED" collateral)" "$(id . two)""#,
        ),
    },
    Scenario {
        tests: "t5541.15, t5543.6",
        about: "where one ref of an atomic push cannot be had on the server, none changes",
        outcome: Same(
            r#"mark one && git push -q up main main:other/below && step two
            refuse git push --atomic up main:fresh main:other main
            says '! .*remote rejected.* main -> fresh' && says '! .*remote rejected.* main -> other'
            is "$(git -C "$SERVED" for-each-ref --format='%(refname)' | xargs)" 'refs/heads/main refs/heads/other/below'
            is "$(id "$SERVED" main)" "$(id . one)""#,
        ),
    },
    Scenario {
        tests: "t5543.1–4",
        about: "atomic pushes of one branch and of two, with --mirror and with --force",
        outcome: Same(
            r#"mark one && git push -q --atomic up main && git branch second && step two && git push -q --atomic up main second
            git switch -q second && step three && git push -q --atomic --mirror up
            git reset -q --hard HEAD~1 && step four && git push -q --atomic --force up main second
            is "$(git -C "$SERVED" for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags)" "$(git for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags)""#,
        ),
    },
    Scenario {
        tests: "t5543.8, t5545.2, t5545.11",
        about: "atomic pushes and push options are not offered where the config says so",
        outcome: Differs(
            "both are always there; a client that does not ask for them is not concerned",
            r#"mark one && served receive.advertiseAtomic false && served receive.advertisePushOptions false
            git push -q --atomic -o here up main"#,
        ),
    },
    Scenario {
        tests: "t5545.1, t5545.3, t5545.10, t5545.12–13",
        about: "push options go along, in their order and as they are quoted",
        outcome: Same(
            r#"mark one && traced git push -q -o one -o 'two "2" three' up main
            says '> one$' ../wire && says '> two "2" three$' ../wire && id "$SERVED" main"#,
        ),
    },
    Scenario {
        tests: "t5545.4–9",
        about: "push options of submodules and from the client's config",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5541.16–17",
        about: "--all and --mirror into an empty repository",
        outcome: Same(
            r#"mark one && git branch other && git push -q --all up && is "$(id "$SERVED" other)" "$(id . one)"
            git push -q --mirror up && is "$(id "$SERVED" refs/tags/one)" "$(id . one)""#,
        ),
    },
    Scenario {
        tests: "t5541.18–19, t5410.2–5",
        about: "pushes to a repository that borrows objects from another",
        outcome: Apart(
            "what borrowing may show to whom is a matter of permissions here; tests/damaged.rs has it",
        ),
    },
    Scenario {
        tests: "t5541.20–23",
        about: "progress is shown or not as the client asks",
        outcome: Same(
            r#"mark one && git push --progress up main 2> ../said && says 'Writing objects' && says '^To http'
            step two && git push --no-progress up main 2> ../said && hides 'Writing objects' && says '^To http'
            step three && git push --quiet up main 2> ../said && is "$(cat ../said)" '' "#,
        ),
    },
    Scenario {
        tests: "t5541.24–25",
        about: "the served repository's reflog names who pushed",
        outcome: Differs(
            "who pushed is in the journal, by account; a name that the pusher makes up is in no log",
            r#"served core.logAllRefUpdates always && mark one && GIT_COMMITTER_NAME=Mallory git push -q up main
            is "$(grep -rs Mallory "$SERVED/logs" || true)" '' "#,
        ),
    },
    Scenario {
        tests: "t5541.26–30, t5551.13–15",
        about: "who only reads needs no password, who pushes does, and one that is wrong is no use",
        outcome: Same(
            r#"mark one && git push -q up main && git clone -q "$STRANGER" ../clone && cd ../clone && step two
            refuse git push origin main && says 'could not read Username'
            refuse git push "${ADMIN/correct-horse/wrong-horse}" main && says 'Authentication failed'
            is "$(id "$SERVED" main)" "$(id ../work main)""#,
        ),
    },
    Scenario {
        tests: "t5541.31",
        about: "two thousand tags in one push",
        outcome: Same(
            r#"mark one && for n in $(seq 2000); do echo "create refs/tags/n$n $(id . one)"; done > ../refs && git update-ref --stdin < ../refs
            git push -q --tags up && is "$(git -C "$SERVED" for-each-ref refs/tags | wc -l)" 2001"#,
        ),
    },
    Scenario {
        tests: "t5541.32, t5534.3–4, t5534.6–13",
        about: "signed pushes",
        outcome: Differs(
            "not offered: a client that insists is told, one that does not pushes unsigned",
            r#"mark one && refuse git push --signed=yes up main && says 'does not support --signed'
            git push -q --signed=if-asked up main"#,
        ),
    },
    Scenario {
        tests: "t5541.35, t5533.2–13",
        about: "a push on condition of what the ref is now, also of a name that is not ASCII",
        outcome: Same(
            r#"mark one && git push -q up main main:bränch && mark two && git push -q up main && git reset -q --hard one -- && step three
            refuse git push --force-with-lease=main:one up main && says 'stale info'
            git push -q --force-with-lease=main:two up main && git push -q --force-with-lease=bränch:one up two:bränch
            refuse git push --force-with-lease=bränch: up one:bränch && git push -q --force-with-lease=bränch:two up :bränch"#,
        ),
    },
    Scenario {
        tests: "t5541.33–34, t5541.36–37",
        about: "what the client prints and hides",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5400.6–10, t5516.105",
        about: "receive.denyDeletes and receive.denyNonFastForwards",
        outcome: Differs(
            "not read: who may delete and rewrite what is for permissions and policies to say",
            r#"served receive.denyDeletes true && served receive.denyNonFastForwards true && mark one && git push -q up main main:other
            git commit -q --amend -m again && git push -q -f up main && git push -q up :other"#,
        ),
    },
    Scenario {
        tests: "t5400.15",
        about: "the branch that HEAD stands for cannot be deleted",
        outcome: Same(
            r#"mark one && git push -q up main && refuse git push up :main && says 'deletion of the current branch prohibited' && id "$SERVED" main"#,
        ),
    },
    Scenario {
        tests: "t5504.6–9, t5504.15–25",
        about: "objects that are damaged or malformed are taken or not, as the config says",
        outcome: Differs(
            "they never are; no setting lets them in",
            r#"mark one && git push -q up main && served receive.fsckObjects false && served receive.fsck.missingEmail ignore
            bad=$(git cat-file commit main | sed 's/<carl@example.org>/carl/' | git hash-object -t commit -w --stdin --literally)
            refuse git push up $bad:refs/heads/bad && says 'Email' && refuse id "$SERVED" bad && lacks "$SERVED" $bad"#,
        ),
    },
    Scenario {
        tests: "t5546.2–10",
        about: "receive.maxInputSize, however the pack is stored",
        outcome: Differs(
            "not read: Lithe's own limits hold, each tested at and past it",
            r#"served receive.maxInputSize 100 && head -c 2000 /dev/urandom > random && git add . && git commit -qm One && git push -q up main"#,
        ),
    },
    Scenario {
        tests: "t5547.3–4, t5516.156",
        about: "nothing of a refused push stays",
        outcome: Same(
            r#"mark one && git push -q up main && step two && before=$(cd "$SERVED" && find objects -type f | sort)
            refuse git push up main:refs/lithe/x && is "$(cd "$SERVED" && find objects -type f | sort)" "$before" && lacks "$SERVED" $(id . main)"#,
        ),
    },
    Scenario {
        tests: "t5549.1–3, t5516.9–12",
        about: "a push that first finds out by a fetch's negotiation what is there",
        outcome: Same(
            r#"mark one && git push -q up main:refs/kept/one && served receive.hideRefs refs/kept && mark two
            GIT_TRACE2_EVENT="$PWD/../short" git -c push.negotiate=1 push -q up main && says 'write_pack_file/wrote.*"value":"3"' ../short"#,
        ),
    },
    Scenario {
        tests: "t5562.9–14",
        about: "pushes whose body is plain or compressed, cut off, or empty",
        outcome: Same(
            r#"mark one && git push -q up main && next=$(git commit-tree -p main -m next main^{tree})
            (printf '00000000000000000000000000000000000000%s %s refs/heads/new\0report-status' 00 $next > ../head
             printf '%04x' $(($(wc -c < ../head) + 4)); cat ../head; printf 0000; echo $next | git pack-objects -q --stdout) > ../body
            gzip -c ../body > ../body.gz && head -c 10 ../body > ../cut && head -c 30 ../body.gz > ../cut.gz && : > ../empty
            send() { curl -s -o ../said -w '%{http_code}' -H 'Content-Type: application/x-git-receive-pack-request' "${@:2}" --data-binary @"$1" "$ADMIN/git-receive-pack"; }
            for body in cut empty; do is "$(send ../$body)" 400; done
            for body in cut.gz empty; do is "$(send ../$body -H 'Content-Encoding: gzip')" 400; done
            refuse id "$SERVED" new && is "$(send ../body)" 200 && is "$(id "$SERVED" new)" $next && git push -q up :new
            is "$(send ../body.gz -H 'Content-Encoding: gzip')" 200 && is "$(id "$SERVED" new)" $next"#,
        ),
    },
];
