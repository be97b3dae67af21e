//! The names that people want to be called by, against `git check-mailmap`.

mod kit;

use kit::{Fixture, repository};
use lithe_code::limits::MAILMAP_BYTES_MAX;
use lithe_code::mailmap::Mailmap;
use lithe_code::repository::Signature;

const MAILMAP: &str = r"# People
Ada Lovelace <ada@example.org>
Ada Lovelace <ada@example.org> <ada@old.example>
<grace@example.org> <grace@old.example>
Grace Hopper <grace@example.org> GH <shared@example.org>
Jane <jane@example.org> Janus <SHARED@example.org>
Jöran Ü <j@example.org> <j@OLD.example> # a comment
Cased <cased@EXAMPLE.org> <cased@example.org>
Cased <cased@example.org> <cased@old.example>
Of Two <of@TWO.example> One <of@two.example>
broken line
<only@one>
Twice <t@example.org> <t@old.example>
Thrice <t@example.org> <t@old.example>
   Spaces   <s@example.org>   <s@old.example>
";

const PEOPLE: [&str; 19] = [
    "ada <ada@example.org>",
    "ada <ADA@example.org>",
    "Countess <ada@old.example>",
    "G <grace@old.example>",
    "GH <shared@example.org>",
    "gh <Shared@example.org>",
    "Janus <shared@example.org>",
    "Somebody <shared@example.org>",
    "j <J@old.example>",
    "x <only@one>",
    "t <t@old.example>",
    "s <s@old.example>",
    "Nobody <nobody@example.org>",
    "c <cased@example.org>",
    "c <Cased@example.org>",
    "c <cased@EXAMPLE.org>",
    "one <of@two.example>",
    "one <OF@two.example>",
    "two <of@two.example>",
];

#[test]
fn people_are_called_as_git_calls_them() {
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("mailmap"), MAILMAP).expect("the directory is writable");
    fixture.shell(
        "cd work && cp ../mailmap .mailmap && git add . && git commit -qm x && git push -q origin main",
    );
    let opened = fixture.open();
    let mailmap = Mailmap::of(repository(&opened));
    for person in PEOPLE {
        let (name, email) = person.split_once(" <").expect("it has an address");
        let email = email.trim_end_matches('>');
        let signature = Signature { name: name.into(), email: email.into(), seconds: 0, offset: 0 };
        let found = mailmap.resolve(&signature);
        let expected = fixture.git(&format!("-c mailmap.blob=main:.mailmap check-mailmap '{person}'"));
        assert_eq!(format!("{} <{}>", found.name, found.email), expected, "{person}");
    }
}

#[test]
fn a_mailmap_is_read_up_to_a_size_and_only_if_it_is_a_file() {
    let name = |script: &str| {
        let fixture = Fixture::new(&format!("{script} && git add . && git commit -qm x"));
        let opened = fixture.open();
        let signature =
            Signature { name: "a".into(), email: "ada@example.org".into(), seconds: 0, offset: 0 };
        Mailmap::of(repository(&opened)).resolve(&signature).display_name()
    };
    let line = "Ada <ada@example.org>\\n";
    let rest = MAILMAP_BYTES_MAX as usize - (line.len() - 1);
    assert_eq!(name(&format!("printf '{line}%{rest}s' '#' > .mailmap")), "Ada");
    assert_eq!(name(&format!("printf '{line}%{}s' '#' > .mailmap", rest + 1)), "a");
    assert_eq!(name(&format!("printf '{line}' > other && ln -s other .mailmap")), "a");
    assert_eq!(name(&format!("mkdir .mailmap && printf '{line}' > .mailmap/.mailmap")), "a");
}
