//! What a text has to hold for an expression to match in it, as far as groups of three bytes can say.
//!
//! An expression is looked at from the inside out: which texts a part matches exactly, if they are few, or
//! else how they begin and end. Whatever is three bytes long and occurs in each match has to be in the
//! text. Capital letters of ASCII count as small ones, as in the index.

use crate::limits::{ALTERNATIVES_MAX, EXACT_TEXTS_MAX};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::BTreeSet;

/// Three bytes, the first the most significant, with capital letters of ASCII made small.
pub type Trigram = u32;

/// What a text has to hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Anything,
    One(Trigram),
    All(BTreeSet<Needs>),
    Any(BTreeSet<Needs>),
}

/// The three bytes as one number.
pub fn trigram(bytes: [u8; 3]) -> Trigram {
    let [a, b, c] = bytes.map(|byte| u32::from(byte.to_ascii_lowercase()));
    a << 16 | b << 8 | c
}

impl Needs {
    /// What a text needs for a match of the expression.
    pub fn of(hir: &Hir) -> Self {
        Part::of(hir).into_needs()
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        let mut all = BTreeSet::new();
        for needs in [self, other] {
            match needs {
                Self::Anything => {}
                Self::All(more) => all.extend(more),
                one => {
                    all.insert(one);
                }
            }
        }
        Self::joined(all, Self::All)
    }

    /// One of them.
    fn any(alternatives: impl IntoIterator<Item = Self>) -> Self {
        let mut any = BTreeSet::new();
        for needs in alternatives {
            match needs {
                Self::Anything => return Self::Anything,
                Self::Any(more) => any.extend(more),
                one => {
                    any.insert(one);
                }
            }
            if any.len() > ALTERNATIVES_MAX {
                return Self::Anything;
            }
        }
        Self::joined(any, Self::Any)
    }

    fn joined(mut needs: BTreeSet<Self>, join: fn(BTreeSet<Self>) -> Self) -> Self {
        match needs.len() {
            0 => Self::Anything,
            1 => needs.pop_first().expect("there is one"),
            _ => join(needs),
        }
    }

    /// What a text needs that holds this one.
    fn of_text(text: &[u8]) -> Self {
        let all = text.windows(3).map(|three| Self::One(trigram([three[0], three[1], three[2]])));
        Self::joined(all.collect(), Self::All)
    }

    fn of_texts(texts: &Texts) -> Self {
        Self::any(texts.iter().map(|text| Self::of_text(text)))
    }
}

/// Texts, one of which stands at a place.
type Texts = BTreeSet<Vec<u8>>;

/// What is known of a part of an expression.
#[derive(Debug, Clone)]
enum Part {
    /// It matches one of these, and nothing else.
    Exact(Texts),
    /// It begins with one, ends with one, and needs something in between.
    Ends { first: Texts, last: Texts, needs: Needs },
}

fn nothing() -> Texts {
    Texts::from([Vec::new()])
}

impl Part {
    const ANYTHING: fn() -> Self =
        || Self::Ends { first: nothing(), last: nothing(), needs: Needs::Anything };

    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::Exact(nothing()),
            HirKind::Literal(literal) => Self::Exact(Texts::from([literal.0.to_ascii_lowercase()])),
            HirKind::Class(class) => Self::of_class(class),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Concat(parts) => {
                parts.iter().map(Self::of).reduce(Self::then).unwrap_or_else(Self::ANYTHING)
            }
            HirKind::Alternation(parts) => {
                parts.iter().map(Self::of).reduce(Self::or).unwrap_or_else(Self::ANYTHING)
            }
            HirKind::Repetition(repetition) => match (repetition.min, repetition.max) {
                (1, Some(1)) => Self::of(&repetition.sub),
                (0, Some(1)) => Self::of(&repetition.sub).or(Self::Exact(nothing())),
                (0, _) => Self::ANYTHING(),
                // It begins and ends with what is repeated, and has that at least once.
                _ => Self::of(&repetition.sub).opened(),
            },
        }
    }

    fn of_class(class: &Class) -> Self {
        let mut texts = Texts::new();
        match class {
            Class::Unicode(class) => {
                for character in class.iter().flat_map(|range| range.start()..=range.end()) {
                    texts.insert(character.to_string().into_bytes().to_ascii_lowercase());
                    if texts.len() > EXACT_TEXTS_MAX {
                        return Self::ANYTHING();
                    }
                }
            }
            Class::Bytes(class) => {
                for byte in class.iter().flat_map(|range| range.start()..=range.end()) {
                    texts.insert(vec![byte.to_ascii_lowercase()]);
                }
            }
        }
        match texts.len() {
            1..=EXACT_TEXTS_MAX => Self::Exact(texts),
            _ => Self::ANYTHING(),
        }
    }

    /// The same, known by its ends.
    fn opened(self) -> Self {
        match self {
            Self::Exact(texts) => Self::Ends {
                needs: Needs::of_texts(&texts),
                first: few(texts.clone(), |text, length| &text[..length]),
                last: few(texts, |text, length| &text[text.len() - length..]),
            },
            ends => ends,
        }
    }

    fn then(self, next: Self) -> Self {
        let (before, after) = match (self, next) {
            (Self::Exact(before), Self::Exact(after)) => {
                if before.len() * after.len() <= EXACT_TEXTS_MAX {
                    return Self::Exact(crossed(&before, &after));
                }
                (Self::Exact(before), Self::Exact(after))
            }
            parts => parts,
        };
        let begins = match (&before, &after) {
            (Self::Exact(texts), Self::Exact(next) | Self::Ends { first: next, .. })
                if texts.len() * next.len() <= EXACT_TEXTS_MAX =>
            {
                Some(crossed(texts, next))
            }
            _ => None,
        };
        let ends = match (&before, &after) {
            (Self::Exact(previous) | Self::Ends { last: previous, .. }, Self::Exact(texts))
                if texts.len() * previous.len() <= EXACT_TEXTS_MAX =>
            {
                Some(crossed(previous, texts))
            }
            _ => None,
        };
        let (
            Self::Ends { first, last: before_last, needs: before },
            Self::Ends { first: after_first, last, needs: after },
        ) = (before.opened(), after.opened())
        else {
            unreachable!("parts that were opened are known by their ends")
        };
        let between = match before_last.len() * after_first.len() <= ALTERNATIVES_MAX {
            true => Needs::of_texts(&crossed(&before_last, &after_first)),
            false => Needs::Anything,
        };
        Self::Ends {
            first: begins.map_or(first, |texts| few(texts, |text, length| &text[..length])),
            last: ends.map_or(last, |texts| few(texts, |text, length| &text[text.len() - length..])),
            needs: before.and(between).and(after),
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(mut texts), Self::Exact(more)) if texts.len() + more.len() <= EXACT_TEXTS_MAX => {
                texts.extend(more);
                Self::Exact(texts)
            }
            (one, other) => {
                let (
                    Self::Ends { mut first, mut last, needs },
                    Self::Ends { first: other_first, last: other_last, needs: other_needs },
                ) = (one.opened(), other.opened())
                else {
                    unreachable!("parts that were opened are known by their ends")
                };
                first.extend(other_first);
                last.extend(other_last);
                Self::Ends {
                    first: few(first, |text, length| &text[..length]),
                    last: few(last, |text, length| &text[text.len() - length..]),
                    needs: Needs::any([needs, other_needs]),
                }
            }
        }
    }

    fn into_needs(self) -> Needs {
        match self {
            Self::Exact(texts) => Needs::of_texts(&texts),
            Self::Ends { needs, .. } => needs,
        }
    }
}

fn crossed(before: &Texts, after: &Texts) -> Texts {
    before.iter().flat_map(|before| after.iter().map(move |after| [&before[..], after].concat())).collect()
}

/// The texts cut to an end of theirs, until there are few.
fn few(texts: Texts, end: impl Fn(&[u8], usize) -> &[u8]) -> Texts {
    for length in (0..=3).rev() {
        let cut: Texts = texts.iter().map(|text| end(text, length.min(text.len())).to_vec()).collect();
        if cut.len() <= EXACT_TEXTS_MAX / 2 {
            return cut;
        }
    }
    nothing()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(expression: &str) -> String {
        shown(&Needs::of(&regex_syntax::parse(expression).expect("an expression")))
    }

    fn shown(needs: &Needs) -> String {
        let list = |needs: &BTreeSet<Needs>, between: &str| {
            needs.iter().map(shown).collect::<Vec<_>>().join(between)
        };
        match needs {
            Needs::Anything => "*".into(),
            Needs::One(trigram) => String::from_utf8_lossy(&trigram.to_be_bytes()[1..]).into_owned(),
            Needs::All(all) => format!("({})", list(all, " ")),
            Needs::Any(any) => format!("[{}]", list(any, "|")),
        }
    }

    #[test]
    fn expressions_need_what_each_of_their_matches_has() {
        let cases = [
            ("abc", "abc"),
            ("ABCd", "(abc bcd)"),
            ("ab", "*"),
            ("", "*"),
            ("^abc$", "abc"),
            ("abc|xyz", "[abc|xyz]"),
            ("abc|x", "*"),
            ("ab(c|d)e", "[(abc bce)|(abd bde)]"),
            ("ab[cd]", "[abc|abd]"),
            ("abc.*xyz", "(abc xyz)"),
            ("abc?", "*"),
            ("abcx?", "[abc|(abc bcx)]"),
            ("(abc)+", "abc"),
            ("(abc)*", "*"),
            ("(abc){2}x", "(abc bcx)"),
            (r"foo\w+bar", "(bar foo)"),
            (r"\bfoo\b", "foo"),
            (".", "*"),
            ("a.c", "*"),
            ("[^a]", "*"),
            ("(?i)abc", "abc"),
        ];
        for (expression, expected) in cases {
            assert_eq!(needs(expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_needed_is_there_where_the_expression_matches() {
        let texts = [
            "hello world",
            "Hello World",
            "foobar",
            "fooXbar",
            "aaaab",
            "kelvin \u{212a}elvin",
            "straſse",
            "fn main() {}",
            "let x = 5;",
            "abcabcabc",
            "xyz",
            "ab",
            "żółw ŻÓŁW",
            "key=value",
            "0x1fZ",
        ];
        let expressions = [
            "hello|world",
            "(?i)HELLO w",
            "foo.?bar",
            "a{2,}b",
            "(?i)kelvin",
            "(?i)strasse",
            r"fn\s+main",
            r"\w+ = \d+",
            "(abc){2,3}",
            "(x|y)(y|z)z?",
            "(?i)żółw",
            "(a|b|c|d|e|f|g|h|i|j|k)ey=",
            r"0x[0-9a-f]+z?",
            "(ab|abc)(c|a)?b?",
            "(?i)key.?value",
            "[hw]or?l",
            "((h|f)(e|o)+(l|o))+",
        ];
        for expression in expressions {
            let needs = Needs::of(&regex_syntax::parse(expression).expect("an expression"));
            let regex = regex_automata::meta::Regex::new(expression).expect("an expression");
            for text in texts.iter().filter(|text| regex.is_match(text.as_bytes())) {
                let there: BTreeSet<Trigram> =
                    text.as_bytes().windows(3).map(|three| trigram([three[0], three[1], three[2]])).collect();
                assert!(holds(&needs, &there), "{expression} matches {text} and needs {}", shown(&needs));
            }
        }
    }

    fn holds(needs: &Needs, there: &BTreeSet<Trigram>) -> bool {
        match needs {
            Needs::Anything => true,
            Needs::One(trigram) => there.contains(trigram),
            Needs::All(all) => all.iter().all(|needs| holds(needs, there)),
            Needs::Any(any) => any.iter().any(|needs| holds(needs, there)),
        }
    }

    #[test]
    fn large_expressions_need_little() {
        let many = (0..ALTERNATIVES_MAX * 2).map(|n| format!("word{n:04}")).collect::<Vec<_>>();
        assert_eq!(needs(&many.join("|")), "*");
        assert_eq!(needs("[a-z]{3}"), "*");
        assert!(needs(&"(a|b|c)".repeat(100)).len() < 100_000);
    }
}
