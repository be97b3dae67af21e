//! Clones and fetches of whole history.

use super::{Apart, Differs, Same, Scenario};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        tests: "t5551.4–6, t5700.20–23, t5702.61",
        about: "clone, fetch of what is new, pull and push by every version of the protocol",
        outcome: Same(
            r#"mark one && git push -q up main
            for v in 0 1 2; do
                git -c protocol.version=$v clone -q "$STRANGER" ../clone$v && step new$v && git push -q up main
                (cd ../clone$v && traced git -c protocol.version=$v pull -q --ff-only && is "$(id . HEAD)" "$(id ../work main)"
                 is "$(grep -c 'Send header: GET .*info/refs?service=git-upload-pack' ../http)" 1
                 git -c protocol.version=$v push -q "$ADMIN" main:by$v)
                case $v in 0) hides '< version' ../wire;; *) says "< version $v" ../wire;; esac
                is "$(id "$SERVED" by$v)" "$(id . main)"
            done"#,
        ),
    },
    Scenario {
        tests: "t5551.7–10, t5551.16–19, t5551.26, t5551.35, t5551.38–41, t5551.49–53, t5551.56",
        about: "redirects, cookies, traces and names of hosts",
        outcome: Apart("the client's doing"),
    },
    Scenario {
        tests: "t5551.11–15, t5563.3–5",
        about: "a repository that nobody but its members may read: asked for a password, taken or not",
        outcome: Apart(
            "tests/git_http.rs and tests/permissions.rs have it for every kind of repository and user",
        ),
    },
    Scenario {
        tests: "t5551.20–22, t5551.25, t5561.1",
        about: "the older protocol, by plain files",
        outcome: Differs(
            "not served, and the client is told; files of a repository are nobody's to fetch",
            r#"mark one && git push -q up main && curl -s -w '%{http_code}' "$STRANGER/info/refs" > ../said && says 'smart HTTP' && says 403
            for path in HEAD objects/info/packs packed-refs config; do is "$(curl -s -o /dev/null -w '%{http_code}' "$STRANGER/$path")" 404; done"#,
        ),
    },
    Scenario {
        tests: "t5551.23–24, t5509.2–16, t5703.14–19",
        about: "namespaces",
        outcome: Differs(
            "there are none: a repository is one",
            r#"mark one && git push -q up main main:refs/namespaces/ns/refs/heads/x && git ls-remote up > ../said && says refs/namespaces/ns/refs/heads/x"#,
        ),
    },
    Scenario {
        tests: "t5551.28–30, t5551.34",
        about: "two thousand refs and more, of which a client has half, and then all",
        outcome: Same(
            r#"for n in $(seq 2000); do printf 'commit refs/heads/b%d\ncommitter A <a@b> %d +0000\ndata 1\nm\n' $n $((1700000000 + n)); done | git fast-import --quiet
            git push -q up 'refs/heads/b1*' && git clone -q --mirror "$STRANGER" ../clone && git push -q up --all
            cd ../clone && traced git fetch -q && is "$(git for-each-ref | wc -l)" 2000 && sound .
            says 'Content-Encoding: gzip' ../http"#,
        ),
    },
    Scenario {
        tests: "t5551.37, t5702.6, t5702.40, t5702.49–50, t5516.94–99",
        about: "a commit that is no tip, fetched by its id, and nothing listed for it",
        outcome: Same(
            r#"mark one && mark two && git push -q up main && git init -q ../clone && cd ../clone
            traced git -c protocol.version=2 fetch -q --no-tags "$STRANGER" $(id ../work one) && is "$(git rev-parse FETCH_HEAD)" "$(id ../work one)"
            hides 'command=ls-refs' ../wire && lacks . $(id ../work two)"#,
        ),
    },
    Scenario {
        tests: "t5551.31–32, t5516.97",
        about: "what no ref reaches any more, fetched by its id by version 0",
        outcome: Same(
            r#"mark one && mark two && git push -q up main one && git push -q -f up one:main
            git init -q ../clone && cd ../clone
            for v in 0 1; do refuse git -c protocol.version=$v fetch "$STRANGER" $(id ../work two); says 'not our ref'; done
            git -c protocol.version=0 fetch -q "$STRANGER" $(id ../work one)"#,
        ),
    },
    Scenario {
        tests: "t5551.33",
        about: "the same where uploadpack.allowAnySHA1InWant is set",
        outcome: Differs(
            "the setting is not read: what is gone from all refs is not given away by version 0",
            r#"served uploadpack.allowAnySHA1InWant true && mark one && mark two && git push -q up main && git push -q -f up one:main
            git init -q ../clone && cd ../clone && refuse git -c protocol.version=0 fetch "$STRANGER" $(id ../work two) && says 'not our ref'"#,
        ),
    },
    Scenario {
        tests: "t5551.42, t5530.2–3, t5530.7",
        about: "objects are missing on the server: the client hears of it and has nothing",
        outcome: Same(
            r#"mark one && step two && git push -q up main && cd "$SERVED" && mkdir ../$$ && mv objects/pack/* ../$$
            for pack in ../$$/*.pack; do git unpack-objects -q < $pack; done; rm -rf ../$$
            blob=$(git rev-parse main:one) && rm -f objects/${blob:0:2}/${blob:2} && cd ~
            for v in 0 2; do refuse git -c protocol.version=$v clone "$STRANGER" clone; says "object $blob is missing"; test ! -e clone; done"#,
        ),
    },
    Scenario {
        tests: "t5551.36, t5551.45, t5551.54",
        about: "an address with a slash at its end, and versions that a client asks for and does not get",
        outcome: Same(
            r#"mark one && git push -q up main && git -c protocol.version=2 ls-remote "$STRANGER/" main > ../said && says refs/heads/main
            for header in version=7 version=7:version=1 nonsense; do curl -s -H "Git-Protocol: $header" "$STRANGER/info/refs?service=git-upload-pack" | tr '\0' ' ' > ../said; says 'refs/heads/main'; done"#,
        ),
    },
    Scenario {
        tests: "t5551.46–48, t5700.22, t5702.20",
        about: "repositories whose object ids are SHA-256",
        outcome: Apart("tests of the object formats have it"),
    },
    Scenario {
        tests: "t5551.55, t5503.2–11, t5702.53",
        about: "annotated tags come along with what they stand for, and others do not",
        outcome: Same(
            r#"step one && git push -q up main && git clone -q "$STRANGER" ../clone
            step two && git tag -am T there && git switch -qc side && step three && git tag -am T elsewhere && git switch -q main && git push -q up main there side elsewhere
            for v in 0 1 2; do
                rm -rf ../copy && cp -r ../clone ../copy && cd ../copy && git -c protocol.version=$v fetch -q origin main && git config remote.origin.fetch +refs/heads/main:refs/remotes/origin/main
                git -c protocol.version=$v fetch -q && id . there^{tag} && refuse id . elsewhere
            done"#,
        ),
    },
    Scenario {
        tests: "t5512.5–12, t5512.25–28",
        about: "lists of refs: all, branches, tags, by pattern, with what symbolic ones stand for",
        outcome: Same(
            r#"mark one && git tag -am T heavy && git push -q up main one heavy main:topic/x && git -C "$SERVED" symbolic-ref refs/heads/alias refs/heads/main
            for v in 0 1 2; do for words in "" "--tags" "--heads" "--refs" "--symref --exit-code|HEAD" "|main" "|topic/*" "|nothing"; do
                options=${words%|*} pattern=${words#*|}; case $words in *'|'*) ;; *) pattern=;; esac
                is "$(git -c protocol.version=$v ls-remote $options "$STRANGER" $pattern)" "$(git -c protocol.version=$v ls-remote $options "file://$SERVED" $pattern)"
            done; done"#,
        ),
    },
    Scenario {
        tests: "t5500.51–54, t5702.52",
        about: "refs named on the command line, twice, by pattern and by id, and one that is not there",
        outcome: Same(
            r#"mark one && mark two && git push -q up main main:other one two && git init -q ../clone && cd ../clone
            for v in 0 2; do
                git -c protocol.version=$v fetch -q "$STRANGER" main main refs/heads/other 'refs/tags/*:refs/got/*' $(id ../work one)
                is "$(id . refs/got/two)" "$(id ../work two)"
                refuse git -c protocol.version=$v fetch "$STRANGER" main nothing && says "find remote ref nothing"
            done"#,
        ),
    },
    Scenario {
        tests: "t5500.46–47",
        about: "hundreds of commits that the server has not, before and after one that it has",
        outcome: Same(
            r#"bulk() { for n in $(seq $2); do printf 'commit refs/heads/%s\ncommitter A <a@b> %d +0000\ndata 1\nm\n' $1 $((1800000000 + n)); [ $n -gt 1 ] || echo "from $3"; done | git fast-import --quiet --force; }
            step one && git push -q up main && git clone -q "$STRANGER" ../clone && step two && git push -q up main
            (cd ../clone && bulk own 496 $(id . main) && git fetch --progress 2> ../said && says 'Enumerating objects: 3, done' && sound .)
            git switch -q --orphan other && step three && git push -q up other && cd ../clone && git fetch -q origin other:other && bulk other 255 $(id . other)
            cd ../work && git switch -q main && step four && git push -q up main && cd ../clone && git fetch --progress origin main 2> ../said && says 'Enumerating objects: 3, done'"#,
        ),
    },
    Scenario {
        tests: "t5610.2–13",
        about: "clones of a repository whose HEAD stands for no branch",
        outcome: Same(
            r#"mark one && mark two && git push -q up main one two && cd "$SERVED" && git update-ref --no-deref HEAD one && cd ~
            for v in 0 2; do rm -rf clone && git -c protocol.version=$v clone -q "$STRANGER" clone && is "$(id clone HEAD)" "$(id work one)" && refuse git -C clone symbolic-ref -q HEAD; done"#,
        ),
    },
    Scenario {
        tests: "t5310.12, t5310.29–30, t5326.12–20",
        about: "fetches where there are bitmaps, of one pack and of several, whole and cut off",
        outcome: Same(
            r#"for n in 1 2 3 4 5 6; do mark r$n; done && git push -q up main && cd "$SERVED"
            for way in 'repack -adq --write-bitmap-index' 'multi-pack-index write --bitmap'; do
                git $way && for file in objects/pack/*.bitmap; do cp $file whole; for size in 0 10 40 100 whole; do
                    chmod u+w $file && case $size in whole) cp whole $file;; *) head -c $size whole > $file;; esac
                    rm -rf ~/clone && git clone -q --mirror "$STRANGER" ~/clone && sound ~/clone && is "$(id ~/clone main)" "$(id ~/work main)"
                done; rm whole; done
            done"#,
        ),
    },
    Scenario {
        tests: "t5584.1–12, t5564.1–8",
        about: "servers that are busy, and proxies",
        outcome: Apart("the client's doing; that a busy Lithe says so is in host/tests"),
    },
];
