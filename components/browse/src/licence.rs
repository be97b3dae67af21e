//! Which licence a repository names, by what is particular to the text of each (SPDX License List).

use crate::limits::{LICENCE_BYTES_MAX, LICENCE_FILES_MAX};
use bstr::ByteSlice as _;
use lithe_code::repository::{Entry, Repository};

/// The words that a licence has near its beginning, and its identifier. The first that fits counts, so that
/// what says more comes first.
const BY_TITLE: &[(&str, &str)] = &[
    ("business source license 1 1", "BUSL-1.1"),
    ("elastic license 2 0", "Elastic-2.0"),
    ("server side public license", "SSPL-1.0"),
    ("gnu affero general public license version 3", "AGPL-3.0"),
    ("gnu lesser general public license version 3", "LGPL-3.0"),
    ("gnu lesser general public license version 2 1", "LGPL-2.1"),
    ("gnu library general public license version 2", "LGPL-2.0"),
    ("gnu general public license version 3", "GPL-3.0"),
    ("gnu general public license version 2", "GPL-2.0"),
    ("apache license version 2 0", "Apache-2.0"),
    ("mozilla public license version 2 0", "MPL-2.0"),
    ("eclipse public license v 2 0", "EPL-2.0"),
    ("eclipse public license v 1 0", "EPL-1.0"),
    ("boost software license version 1 0", "BSL-1.0"),
    ("european union public licence v 1 2", "EUPL-1.2"),
    ("the artistic license 2 0", "Artistic-2.0"),
    ("artistic license 2 0", "Artistic-2.0"),
    ("creative commons attribution sharealike 4 0", "CC-BY-SA-4.0"),
    ("attribution sharealike 4 0 international", "CC-BY-SA-4.0"),
    ("creative commons attribution 4 0", "CC-BY-4.0"),
    ("attribution 4 0 international", "CC-BY-4.0"),
    ("cc0 1 0 universal", "CC0-1.0"),
    ("do what the fuck you want to public license", "WTFPL"),
    ("sil open font license version 1 1", "OFL-1.1"),
    ("mulan permissive software license v2", "MulanPSL-2.0"),
    ("universal permissive license", "UPL-1.0"),
];

/// The sentences that a licence without a title has, all of them, and its identifier.
const BY_SENTENCES: &[(&[&str], &str)] = &[
    (&["this is free and unencumbered software released into the public domain"], "Unlicense"),
    (
        &[
            "permission is hereby granted free of charge to any person obtaining a copy of this software",
            "the above copyright notice and this permission notice",
        ],
        "MIT",
    ),
    (
        &["permission is hereby granted free of charge to any person obtaining a copy of this software"],
        "MIT-0",
    ),
    (&["redistributions of source code must retain", "all advertising materials mentioning"], "BSD-4-Clause"),
    (&["redistributions of source code must retain", "neither the name"], "BSD-3-Clause"),
    (&["redistributions of source code must retain", "redistributions in binary form"], "BSD-2-Clause"),
    (
        &[
            "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted",
            "provided that the above copyright notice",
        ],
        "ISC",
    ),
    (
        &[
            "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted",
        ],
        "0BSD",
    ),
    (
        &["in no event will the authors be held liable", "altered source versions must be plainly marked"],
        "Zlib",
    ),
];

/// How many words of a text are looked at for a title.
const TITLE_WORDS: usize = 60;

/// How many are where nothing else tells: a project may say something before the licence.
const PREFACE_WORDS: usize = 400;

fn words(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The identifier of the licence that a text is; none if it is none that is known.
pub fn of_text(text: &str) -> Option<&'static str> {
    let words = words(text);
    let by_title = |words_count: usize| {
        let beginning = words[..words.len().min(words_count)].join(" ");
        BY_TITLE.iter().find(|(title, _)| beginning.contains(title)).map(|(_, id)| *id)
    };
    let by_sentences = || {
        let text = words.join(" ");
        let fits = |sentences: &[&str]| sentences.iter().all(|sentence| text.contains(sentence));
        BY_SENTENCES.iter().find(|(sentences, _)| fits(sentences)).map(|(_, id)| *id)
    };
    by_title(TITLE_WORDS).or_else(by_sentences).or_else(|| behind_preface(text))
}

/// The licence whose title a paragraph begins with, which is not at the beginning of the text. One that is spoken of
/// within a paragraph is not the text's.
fn behind_preface(text: &str) -> Option<&'static str> {
    let mut words_count = 0;
    for paragraph in text.replace("\r\n", "\n").split("\n\n") {
        let words = words(paragraph);
        let beginning = words.join(" ");
        if let Some((_, id)) = BY_TITLE.iter().find(|(title, _)| beginning.starts_with(title)) {
            return Some(id);
        }
        words_count += words.len();
        if words_count > PREFACE_WORDS {
            break;
        }
    }
    None
}

/// The licences in the files of a root directory, with the files, in the order of their names.
pub fn find<'a>(repository: Repository<'_>, entries: &'a [Entry]) -> Vec<(&'static str, &'a Entry)> {
    let files = entries.iter().filter(|entry| entry.is_blob() && is_licence(&entry.name));
    let licence = |entry: &'a Entry| {
        let bytes = repository.blob(&entry.id, LICENCE_BYTES_MAX).ok()?;
        Some((of_text(&bytes.to_str_lossy())?, entry))
    };
    files.take(LICENCE_FILES_MAX).filter_map(licence).collect()
}

fn is_licence(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    ["license", "licence", "copying", "unlicense"].iter().any(|word| name.starts_with(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_told_apart() {
        let cases = [
            (
                "MIT License\n\nCopyright (c) 2025\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software and associated documentation files … The above copyright notice and this permission notice shall be included",
                Some("MIT"),
            ),
            (
                "                                 Apache License\n                           Version 2.0, January 2004",
                Some("Apache-2.0"),
            ),
            (
                "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007 … GNU Affero General Public License",
                Some("GPL-3.0"),
            ),
            (
                "                    GNU AFFERO GENERAL PUBLIC LICENSE\n                       Version 3, 19 November 2007",
                Some("AGPL-3.0"),
            ),
            ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999", Some("LGPL-2.1")),
            (
                "Redistributions of source code must retain the above … Redistributions in binary form must",
                Some("BSD-2-Clause"),
            ),
            (
                "Redistributions of source code must retain the above … Neither the name of",
                Some("BSD-3-Clause"),
            ),
            ("This is free and unencumbered software released into the public domain.", Some("Unlicense")),
            ("All rights reserved.", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_project_may_say_something_before_its_licence() {
        let said = "Only this version of it counts here, unless a file says otherwise. ".repeat(8);
        let licence = "GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991";
        assert_eq!(of_text(&format!("{said}\n----\n\n{licence}")), Some("GPL-2.0"));
        let mit = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software … \
                   the above copyright notice and this permission notice";
        assert_eq!(of_text(&format!("{mit} {said} Some files: {licence}")), Some("MIT"));
    }

    #[test]
    fn licence_files_are_known_by_name() {
        for (name, expected) in
            [("LICENSE", true), ("COPYING.LESSER", true), ("Licence.txt", true), ("mylicense", false)]
        {
            assert_eq!(is_licence(name.as_bytes()), expected, "{name}");
        }
    }
}
