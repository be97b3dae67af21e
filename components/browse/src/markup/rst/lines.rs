//! Lines, and what their beginnings tell.

/// How deep a line is indented.
pub fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The character of a line that is nothing but one kind of punctuation.
pub fn adornment(line: &str) -> Option<char> {
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    line.bytes().all(|byte| byte == first as u8).then_some(first)
}

/// How many lines from the first on are empty or indented by no less than that, less those that are empty
/// at the end.
pub fn block_len(lines: &[&str], least: usize) -> usize {
    let mut length = 0;
    for (at, line) in lines.iter().enumerate() {
        match line.is_empty() {
            true => {}
            false if indent(line) >= least => length = at + 1,
            false => break,
        }
    }
    length
}

/// Lines without the white space that all of them begin with.
pub fn outdented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let least = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect()
}

/// Lines without those that are empty at the beginning and the end.
pub fn trimmed<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let Some(begin) = lines.iter().position(|line| !line.trim().is_empty()) else { return &[] };
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).unwrap_or(begin);
    &lines[begin..=end]
}

/// The length of the bullet that a line begins with, white space included.
pub fn bullet_len(line: &str) -> Option<usize> {
    let bullet = line.chars().next().filter(|first| "*+-•‣⁃".contains(*first))?.len_utf8();
    marker_len(line, bullet)
}

/// The length of a marker of that length and the white space behind it, if it stands by itself.
pub fn marker_len(line: &str, marker: usize) -> Option<usize> {
    let rest = line.get(marker..)?;
    let spaces = indent(rest);
    (spaces > 0 || rest.is_empty()).then_some(marker + spaces)
}

/// A field that begins with that line: its name, and where what is said of it begins.
pub fn field(line: &str) -> Option<(&str, usize)> {
    let inner = line.strip_prefix(':')?;
    if inner.starts_with([':', ' ', '`']) {
        return None;
    }
    let mut is_escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b':' => match inner.as_bytes().get(at + 1) {
                None | Some(b' ') if !inner[..at].ends_with(' ') => {
                    return Some((&inner[..at], marker_len(line, at + 2)?));
                }
                Some(b'`') => return None,
                _ => {}
            },
            _ => {}
        }
    }
    None
}

/// Options of a program that a line begins with: they, and where what they do begins.
pub fn options(line: &str) -> Option<(&str, usize)> {
    if !line.starts_with(['-', '/', '+']) {
        return None;
    }
    let end = line.find("  ").unwrap_or(line.len());
    let options = &line[..end];
    let all = options.len() <= 200 && options.split(", ").all(is_option);
    all.then(|| (options, end + indent(&line[end..])))
}

fn is_option(option: &str) -> bool {
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let is_value = |text: &str| {
        text.is_empty() || is_word(text) || (text.starts_with('<') && text.ends_with('>') && text.len() > 2)
    };
    if let Some(long) = option.strip_prefix("--").or_else(|| option.strip_prefix('/')) {
        let (name, value) = long.split_once(['=', ' ']).unwrap_or((long, ""));
        return is_word(name) && is_value(value);
    }
    let Some(short) = option.strip_prefix(['-', '+']) else { return false };
    if !short.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    is_value(short[1..].strip_prefix(' ').unwrap_or(&short[1..]))
}

/// A line that begins a table with lines around its cells.
pub fn is_grid_border(line: &str) -> bool {
    line.starts_with("+-")
        && line.ends_with("-+")
        && line.len() >= 4
        && line.bytes().all(|b| matches!(b, b'+' | b'-'))
}

/// A line that begins a table with lines above its columns.
pub fn is_simple_border(line: &str) -> bool {
    line.starts_with('=') && line.contains(" =") && line.bytes().all(|byte| matches!(byte, b'=' | b' '))
}

/// How many columns a text takes on a screen.
pub fn width(text: &str) -> usize {
    text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum()
}

/// Whether a character takes two columns (Unicode, annex 11), nearly.
pub fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}
