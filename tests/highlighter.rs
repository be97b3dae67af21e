//! `highlighter`: the colours of code come from a component of their own, which a site can replace, and no page
//! depends on it.

use crate::kit::{Actor, Answer, Forge, Shell, root};

/// A file's contents that a page must not take for HTML, with a character of several bytes.
const TEXT: &str = "ż <script>alert(1)</script>\n";

/// What of it has to be on the page.
const SHOWN: &str = "ż &lt;script&gt;alert(1)&lt;/script&gt;";

struct Place {
    forge: Forge,
    path: String,
    shell: Shell,
}

impl Place {
    /// With the tests' own highlighter, and files of these names.
    fn new(options: &[&str], names: &[&str]) -> Self {
        let forge = Forge::start(options);
        let path = forge.repository(&[]);
        let mut shell = forge.shell(&path);
        shell.set("TEXT", TEXT);
        shell.set("NAMES", &names.join(" "));
        shell.run(
            "git init -q work && cd work && for name in $NAMES; do printf %s \"$TEXT\" > $name; done && \
             git add . && git commit -qm One && git push -q \"$ADMIN\" main",
        );
        Self { forge, path, shell }
    }

    /// The page of a new commit that changes one of the files.
    #[track_caller]
    fn change(&self, name: &str) -> String {
        let id = self.shell.run(&format!(
            "cd work && sed -i 's/(1)/(2)/' {name} && git commit -qam Change && git push -q \"$ADMIN\" main && \
             git rev-parse HEAD"
        ));
        let answer = self.forge.get(Actor::Admin, &format!("{}/-/commit/{id}", self.path));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        answer.text()
    }

    #[track_caller]
    fn page(&self, name: &str) -> Answer {
        let answer = self.forge.get(Actor::Admin, &format!("{}/-/blob/main/{name}", self.path));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        answer
    }
}

fn odd() -> String {
    root().join("target/guests/highlighter_odd.wasm").display().to_string()
}

#[test]
fn another_one_colours_files_and_writes_no_html() {
    let names = ["all.c", "cut.c", "long.c", "unknown.c"];
    let all = [&names[..], &["name.lines"]].concat();
    let place = Place::new(&["--swap", &format!("highlighter={}", odd())], &all);
    let page = |name: &str| place.page(name).text();
    assert!(page("all.c").contains("<span class=\"hl-heading\">ż &lt;script&gt;"), "{}", page("all.c"));
    for name in names {
        let page = page(name);
        assert!(page.contains("&#60;b&#62;Odd&#60;/b&#62;"), "{name} tells its language: {page}");
        assert!(!page.contains("<script>alert") && !page.contains("<b>Odd"), "{name}: {page}");
    }
    assert!(page("cut.c").contains(SHOWN) && page("unknown.c").contains(SHOWN));
    // A name with a line end would be taken for a line of the file once it is kept.
    for _ in 0..2 {
        let page = page("name.lines");
        assert!(page.contains(SHOWN) && !page.contains("<form>") && !page.contains("hl-heading"), "{page}");
    }
}

#[test]
fn changes_are_coloured_on_both_sides() {
    let place = Place::new(&[], &["a.rs", "a.txt"]);
    let page = place.change("a.rs");
    for (tag, number) in [("del", 1), ("ins", 2)] {
        let marked = format!("<{tag}><span class=\"hl-number\">{number}</span></{tag}>");
        assert!(page.contains(&marked) && page.contains("&lt;</span>script"), "{page}");
    }
    let plain = "ż &lt;script&gt;alert(<ins>2</ins>)&lt;/script&gt;";
    assert!(place.change("a.txt").contains(plain));
}

#[test]
fn another_one_colours_changes_and_writes_no_html() {
    let names = ["all.c", "cut.c", "long.c", "unknown.c", "name.lines"];
    let place = Place::new(&["--swap", &format!("highlighter={}", odd())], &names);
    let heading = "<span class=\"hl-heading\">ż &lt;script&gt;alert(</span>";
    assert_eq!(place.change("all.c").matches(heading).count(), 2);
    for name in &names[1..] {
        let page = place.change(name);
        assert!(page.contains("ż &lt;script&gt;alert(") || page.contains("ż</span>"), "{name}: {page}");
        assert!(!page.contains("<script>alert") && !page.contains("<b>Odd"), "{name}: {page}");
    }
}

#[test]
fn where_it_fails_files_are_shown_plain() {
    let names = ["trap.c", "loop.c", "memory.c", "error.c", "all.c"];
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let mut manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    let components = manifest["component"].as_table_mut().expect("there are components");
    for (name, component) in components.iter_mut() {
        let built = root().join(format!("target/components/{name}.wasm"));
        let source = if name == "highlighter" { odd() } else { built.display().to_string() };
        component["source"] = source.into();
    }
    components["highlighter"]["tool"]["lithe"]["request-seconds-max"] = 1.into();
    let file = directory.path().join("spin.toml");
    std::fs::write(&file, manifest.to_string()).expect("the directory is writable");
    let place = Place::new(&["--manifest", file.to_str().expect("text")], &names);
    for name in &names[..4] {
        let page = place.page(name).text();
        assert!(page.contains(SHOWN) && !page.contains("hl-"), "{name}: {page}");
        // The next call meets a fresh instance, and what failed is not kept.
        assert!(place.page("all.c").text().contains("hl-heading"));
        let page = place.change(name);
        assert!(
            page.contains(&SHOWN.replace("(1)", "(<ins>2</ins>)")) && !page.contains("hl-"),
            "{name}: {page}"
        );
    }
    assert!(place.change("all.c").contains("hl-heading"));
}
