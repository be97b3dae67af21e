//! Whether the catalogues have what is said: each text of the templates and the code, with its placeholders
//! and markup, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A text that is said, with its form for many if it counts.
type Said = BTreeMap<String, Option<String>>;

/// Everything that components say: what stands before `|t` and its kin in templates, and in `t("…")` and its kin
/// in the code.
fn said() -> Said {
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut said = Said::new();
    for extension in ["html", "xml"] {
        for path in files_below(&components, extension).into_iter().filter(|path| is_below(path, "templates"))
        {
            of_template(&read(&path), &mut said);
        }
    }
    for path in files_below(&components, "rs").into_iter().filter(|path| is_below(path, "src")) {
        let is_own = path.starts_with(components.join("shared/words"))
            && !path.ends_with("time.rs")
            && !path.ends_with("number.rs");
        if !is_own {
            of_code(&read(&path), &mut said);
        }
    }
    assert!(said.len() > 500, "{} texts", said.len());
    said
}

fn of_template(template: &str, said: &mut Said) {
    for (end, _) in template.match_indices("\"|") {
        let after = &template[end + 2..];
        let filter = after.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let inside = &template[..end];
        let is_open = |at: &usize| !inside[..*at].ends_with('\\');
        let start = inside.rmatch_indices('"').map(|(at, _)| at).find(is_open).expect("what ends begins");
        let text = literals(&template[start..]).next().expect("a text").2;
        match filter {
            "tn" => {
                let many = literals(after).next().expect("a text for many").2;
                said.insert(text, Some(many));
            }
            "t" | "html" | "around" => {
                said.entry(text).or_default();
            }
            _ => {}
        }
    }
}

fn of_code(code: &str, said: &mut Said) {
    // Tests say what they like.
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for name in ["t", "tn", "html"] {
        for (at, _) in code.match_indices(&format!("{name}(")) {
            let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
            let inside = code[at + name.len() + 1..].trim_start();
            if !is_whole || !inside.starts_with('"') {
                continue;
            }
            let mut texts = literals(inside);
            let one = texts.next().expect("it begins with one").2;
            let many = (name == "tn").then(|| texts.next().expect("a text for many").2);
            if many.is_some() || !said.contains_key(&one) {
                said.insert(one, many);
            }
        }
    }
}

/// The string literals of a text: where each begins and ends, and what it says.
fn literals(text: &str) -> impl Iterator<Item = (usize, usize, String)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find('"')?;
        let (mut said, mut characters) = (String::new(), text[start + 1..].char_indices());
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    from = start + 1 + at + 1;
                    return Some((start, from, said));
                }
                '\\' => match characters.next()?.1 {
                    // A line that goes on: what it is indented by is not said.
                    '\n' => {
                        let rest = characters.as_str();
                        let indent = rest.len() - rest.trim_start().len();
                        let skipped = rest[..indent].chars().count();
                        if let Some(last) = skipped.checked_sub(1) {
                            characters.nth(last);
                        }
                    }
                    'n' => said.push('\n'),
                    other => said.push(other),
                },
                _ => said.push(character),
            }
        }
        None
    })
}

fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files
}

fn is_below(path: &Path, directory: &str) -> bool {
    path.iter().any(|name| name == directory)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The placeholders and the markup of a text, sorted.
fn marks(text: &str) -> Vec<&str> {
    let marks = |open: char, close: char| {
        text.match_indices(open).filter_map(move |(at, _)| {
            let end = text[at..].find(close)?;
            Some(&text[at..=at + end])
        })
    };
    let mut marks: Vec<&str> = marks('{', '}').chain(marks('<', '>')).collect();
    marks.sort_unstable();
    marks
}

/// The catalogues of a language, but for that of what comes as text.
fn catalogues(language: &str) -> Vec<(PathBuf, polib::catalog::Catalog)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("po").join(language);
    let files = files_below(&directory, "po").into_iter();
    files.map(|path| (path.clone(), polib::po_file::parse(&path).expect("a catalogue"))).collect()
}

#[test]
fn every_text_is_translated_and_nothing_else_is() {
    let said = said();
    let mut known = BTreeSet::new();
    let mut problems = Vec::new();
    for (path, catalogue) in catalogues("de") {
        let is_foreign = path.ends_with("store.po");
        for message in catalogue.messages() {
            let text = message.msgid();
            if !message.is_translated() || message.is_fuzzy() {
                problems.push(format!("not translated: {text}"));
            }
            if !is_foreign && !said.contains_key(text) {
                problems.push(format!("not said anywhere: {text}"));
            }
            known.insert(text.to_owned());
        }
    }
    problems.extend(
        said.keys().filter(|text| !known.contains(*text)).map(|text| format!("in no catalogue: {text}")),
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn translations_have_the_placeholders_and_the_markup() {
    let said = said();
    let mut problems = Vec::new();
    for (_, catalogue) in catalogues("de") {
        for message in catalogue.messages() {
            let one = message.msgid();
            match (message.msgstr_plural(), message.msgid_plural()) {
                (Ok(forms), Ok(many)) => {
                    if said.get(one).is_some_and(|known| known.as_deref() != Some(many)) {
                        problems.push(format!("another plural is said: {one}"));
                    }
                    let are_right =
                        forms.len() == 2 && marks(&forms[0]) == marks(one) && marks(&forms[1]) == marks(many);
                    problems.extend((!are_right).then(|| format!("placeholders or markup: {one}")));
                }
                _ => {
                    let is_right = message.msgstr().is_ok_and(|translation| marks(translation) == marks(one));
                    problems.extend((!is_right).then(|| format!("placeholders or markup: {one}")));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What stands in quotes in a script and in what, `button.textContent = ` for one.
fn quoted(script: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for line in script.lines() {
        let code = if line.trim_start().starts_with("//") { "" } else { line };
        let mut from = 0;
        while let Some((start, quote)) =
            code[from..].char_indices().find(|(_, c)| matches!(c, '\'' | '"' | '`'))
        {
            let start = from + start;
            let Some(length) = code[start + 1..].find(quote) else { break };
            found.push((&code[..start], &code[start + 1..start + 1 + length]));
            from = start + length + 2;
        }
    }
    found
}

/// Whether people are told that: more than one word that is no selector and no list of classes, or what is shown.
fn is_said_by_a_script(before: &str, text: &str) -> bool {
    const FOR_MACHINES: [&str; 8] = [
        "querySelector(",
        "querySelectorAll(",
        "closest(",
        "closest?.(",
        "matches(",
        "match(",
        "className = ",
        "fetch(",
    ];
    const SHOWN: [&str; 6] =
        ["textContent = ", "innerText = ", "title = ", "placeholder = ", "alt = ", "append("];
    let is_word =
        |word: &str| word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || ".,…!?".contains(c));
    let is_selector = FOR_MACHINES.iter().any(|name| before.ends_with(name)) || text == "use strict";
    let is_shown =
        SHOWN.iter().any(|name| before.ends_with(name)) || before.contains("setAttribute('aria-label', ");
    let words = text.split(' ').filter(|word| is_word(word)).count();
    !is_selector && words > usize::from(!is_shown)
}

#[test]
fn scripts_say_only_what_the_page_gave_them() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/files/lithe.js");
    let mut problems = Vec::new();
    let mut count = 0;
    for path in files_below(&files, "js") {
        let script = read(&path);
        for (before, text) in quoted(&script) {
            count += 1;
            if is_said_by_a_script(before, text) {
                problems.push(format!("{}: {text}", path.display()));
            }
        }
    }
    assert!(count > 100, "{count} texts");
    assert!(problems.is_empty(), "in English alone:\n{}", problems.join("\n"));
    for line in [
        "keys.push(['s', 'search for something else', () => 1]);",
        "close.textContent = 'Close';",
        "x.append(\"Close\");",
    ] {
        assert!(quoted(line).iter().any(|(before, text)| is_said_by_a_script(before, text)), "{line}");
    }
}
