//! What a client says before the pack (gitprotocol-pack, "Reference Update Request and Packfile
//! Transfer"), read as it arrives.

use super::limits::{COMMANDS_BYTES_MAX, COMMANDS_MAX, PUSH_OPTIONS_BYTES_MAX, PUSH_OPTIONS_MAX};
use bstr::{BString, ByteSlice};
use gix_hash::ObjectId;
use lithe_git::format::ObjectFormat;
use lithe_git::pkt_line;

/// Why a request cannot be understood, or is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    PktLine(#[from] pkt_line::Error),
    #[error("the request ends too soon")]
    Truncated,
    #[error("a command is not of the form `<old id> <new id> <name>`")]
    BadCommand,
    #[error("signed pushes are not supported")]
    SignedPush,
    #[error("unsupported object format '{0}'")]
    ObjectFormat(String),
    #[error("the push changes more than {COMMANDS_MAX} refs")]
    TooManyCommands,
    #[error("the commands of the push take more than {COMMANDS_BYTES_MAX} bytes")]
    CommandsTooLarge,
    #[error("the push has more than {PUSH_OPTIONS_MAX} options")]
    TooManyPushOptions,
    #[error("the options of the push take more than {PUSH_OPTIONS_BYTES_MAX} bytes")]
    PushOptionsTooLarge,
}

/// One ref to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// None: the client expects no such ref.
    pub old: Option<ObjectId>,
    /// None: the ref is to be deleted.
    pub new: Option<ObjectId>,
    pub name: BString,
}

/// What the client and the server agreed on.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub has_report_status: bool,
    pub has_side_band: bool,
    pub is_atomic: bool,
    pub has_push_options: bool,
    pub is_quiet: bool,
}

/// All that comes before the pack.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Request {
    pub commands: Vec<Command>,
    pub capabilities: Capabilities,
    pub push_options: Vec<BString>,
    /// Whether the client's history is cut off somewhere.
    pub is_shallow: bool,
}

/// Reads a request piece by piece.
#[derive(Debug)]
pub struct Reader {
    object_format: ObjectFormat,
    request: Request,
    section: Section,
    /// A line of which the end has not arrived.
    held: Vec<u8>,
    commands_bytes: usize,
    push_options_bytes: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Commands,
    PushOptions,
    Ended,
}

impl Reader {
    /// For a request to a repository of that format.
    pub fn new(object_format: ObjectFormat) -> Self {
        Self {
            object_format,
            request: Request::default(),
            section: Section::default(),
            held: Vec::new(),
            commands_bytes: 0,
            push_options_bytes: 0,
        }
    }

    /// Takes bytes; returns how many of them belong to the request. Fewer than all: it has ended,
    /// and the pack begins.
    pub fn read(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut used = 0;
        while self.section != Section::Ended && used < bytes.len() {
            let wanted = match self.held.len() {
                0..4 => 4,
                _ => pkt_line::length(&self.held[..4])?.max(4),
            };
            let count = (wanted - self.held.len()).min(bytes.len() - used);
            self.held.extend_from_slice(&bytes[used..used + count]);
            used += count;
            if self.held.len() >= 4 && self.held.len() == pkt_line::length(&self.held[..4])?.max(4) {
                let line = std::mem::take(&mut self.held);
                self.line(&line)?;
                // The room is used again.
                self.held = line;
                self.held.clear();
            }
        }
        Ok(used)
    }

    /// Whether the request has ended.
    pub fn is_complete(&self) -> bool {
        self.section == Section::Ended
    }

    /// The request, once it has ended.
    ///
    /// Fails with [`Error::Truncated`].
    pub fn finish(self) -> Result<Request, Error> {
        if self.is_complete() { Ok(self.request) } else { Err(Error::Truncated) }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        match pkt_line::length(&line[..4])? {
            0 => {
                let has_options =
                    self.request.capabilities.has_push_options && !self.request.commands.is_empty();
                self.section = match self.section {
                    Section::Commands if has_options => Section::PushOptions,
                    _ => Section::Ended,
                };
                Ok(())
            }
            1..=3 => Err(pkt_line::Error::Length.into()),
            _ => match self.section {
                Section::Commands => self.command_line(&line[4..]),
                Section::PushOptions => self.push_option(&line[4..]),
                Section::Ended => unreachable!("no line is read after the end"),
            },
        }
    }

    fn command_line(&mut self, line: &[u8]) -> Result<(), Error> {
        self.commands_bytes += line.len();
        if self.commands_bytes > COMMANDS_BYTES_MAX {
            return Err(Error::CommandsTooLarge);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.starts_with(b"shallow ") {
            self.request.is_shallow = true;
            return Ok(());
        }
        if line.starts_with(b"push-cert") {
            return Err(Error::SignedPush);
        }
        let (command, capabilities) = match line.split_once_str("\0") {
            Some((command, capabilities)) => (command, Some(capabilities)),
            None => (line, None),
        };
        if self.request.commands.is_empty() {
            let capabilities = capabilities.unwrap_or_default();
            self.request.capabilities = parse_capabilities(capabilities, self.object_format)?;
        }
        if self.request.commands.len() == COMMANDS_MAX {
            return Err(Error::TooManyCommands);
        }
        self.request.commands.push(parse_command(command, self.object_format).ok_or(Error::BadCommand)?);
        Ok(())
    }

    fn push_option(&mut self, line: &[u8]) -> Result<(), Error> {
        self.push_options_bytes += line.len();
        if self.request.push_options.len() == PUSH_OPTIONS_MAX {
            return Err(Error::TooManyPushOptions);
        }
        if self.push_options_bytes > PUSH_OPTIONS_BYTES_MAX {
            return Err(Error::PushOptionsTooLarge);
        }
        self.request.push_options.push(line.strip_suffix(b"\n").unwrap_or(line).into());
        Ok(())
    }
}

fn parse_command(line: &[u8], object_format: ObjectFormat) -> Option<Command> {
    let id_len = object_format.len_in_hex();
    let (old, rest) = line.split_at_checked(id_len)?;
    let (new, rest) = rest.strip_prefix(b" ")?.split_at_checked(id_len)?;
    let name = rest.strip_prefix(b" ").filter(|name| !name.is_empty())?;
    let id = |hex: &[u8]| ObjectId::from_hex(hex).ok().map(|id| (!id.is_null()).then_some(id));
    Some(Command { old: id(old)?, new: id(new)?, name: name.into() })
}

/// Fails with [`Error::ObjectFormat`] if the client's ids are not of the repository's format. Who does
/// not name the format has not heard of any but the first.
fn parse_capabilities(text: &[u8], object_format: ObjectFormat) -> Result<Capabilities, Error> {
    let mut capabilities = Capabilities::default();
    let mut client_format = "sha1".to_owned();
    for word in text.split_str(" ") {
        match word {
            b"report-status" | b"report-status-v2" => capabilities.has_report_status = true,
            b"side-band-64k" => capabilities.has_side_band = true,
            b"atomic" => capabilities.is_atomic = true,
            b"push-options" => capabilities.has_push_options = true,
            b"quiet" => capabilities.is_quiet = true,
            _ => {
                if let Some(format) = word.strip_prefix(b"object-format=") {
                    client_format = format.to_str_lossy().into_owned();
                }
            }
        }
    }
    if client_format == object_format.to_string() {
        Ok(capabilities)
    } else {
        Err(Error::ObjectFormat(client_format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NULL: &str = "0000000000000000000000000000000000000000";

    fn lines(lines: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            match *line {
                "0000" => pkt_line::flush(&mut bytes),
                line => pkt_line::write(&mut bytes, line.as_bytes()),
            }
        }
        bytes
    }

    /// Reads in pieces of every length up to the whole, which must not matter.
    fn read(bytes: &[u8]) -> Result<(Request, usize), Error> {
        let by = |piece: usize| {
            let mut reader = Reader::new(ObjectFormat::Sha1);
            let mut used = 0;
            for piece in bytes.chunks(piece.max(1)) {
                used += reader.read(piece)?;
            }
            Ok((reader.finish()?, used))
        };
        let whole = by(bytes.len());
        for piece in 1..20 {
            assert_eq!(by(piece), whole);
        }
        whole
    }

    #[test]
    fn a_request_ends_where_the_pack_begins() {
        let first = format!(
            "{NULL} {A} refs/heads/main\0 report-status-v2 side-band-64k push-options atomic quiet agent=x"
        );
        let second = format!("{A} {NULL} refs/heads/old\n");
        let mut bytes = lines(&[&first, &second, "0000", "one", "two\n", "0000"]);
        let len = bytes.len();
        bytes.extend_from_slice(b"PACK");
        let (request, used) = read(&bytes).expect("sound");
        assert_eq!(used, len);
        let id: ObjectId = A.parse().expect("an id");
        assert_eq!(request.commands.len(), 2);
        assert_eq!(request.commands[0], Command { old: None, new: Some(id), name: "refs/heads/main".into() });
        assert_eq!(request.commands[1], Command { old: Some(id), new: None, name: "refs/heads/old".into() });
        assert_eq!(request.push_options, ["one", "two"]);
        let capabilities = request.capabilities;
        assert!(capabilities.has_report_status && capabilities.has_side_band && capabilities.is_atomic);
    }

    #[test]
    fn bad_requests_are_refused() {
        let command = format!("{NULL} {A} refs/heads/main");
        let with = |capabilities: &str| format!("{command}\0{capabilities}");
        let many_options: Vec<String> = (0..=PUSH_OPTIONS_MAX).map(|index| index.to_string()).collect();
        let mut too_many = vec![with("push-options"), "0000".to_owned()];
        too_many.extend(many_options);
        let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
        let long = "x".repeat(PUSH_OPTIONS_BYTES_MAX / 2 + 1);
        let pushed = with("push-options");
        let sha256 = with("object-format=sha256");
        let cases: &[(Vec<u8>, Error)] = &[
            (Vec::new(), Error::Truncated),
            (lines(&[&command]), Error::Truncated),
            (lines(&[&command])[..30].to_vec(), Error::Truncated),
            (b"zzzz".to_vec(), Error::PktLine(pkt_line::Error::Length)),
            (b"0001".to_vec(), Error::PktLine(pkt_line::Error::Length)),
            (b"ffff".to_vec(), Error::PktLine(pkt_line::Error::Length)),
            (lines(&["", "0000"]), Error::BadCommand),
            (lines(&[&format!("{NULL} {A} ")]), Error::BadCommand),
            (lines(&[&format!("{NULL} {A}")]), Error::BadCommand),
            (lines(&[&format!("{NULL}  {A} x")]), Error::BadCommand),
            (lines(&[&format!("{} {A} refs/x", &NULL[1..])]), Error::BadCommand),
            (lines(&["push-cert\0 report-status"]), Error::SignedPush),
            (lines(&[&sha256]), Error::ObjectFormat("sha256".to_owned())),
            (lines(&too_many), Error::TooManyPushOptions),
            (lines(&[&pushed, "0000", &long, &long]), Error::PushOptionsTooLarge),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes).map(|_| ()), Err(expected.clone()), "{}", bytes.as_bstr());
        }
    }

    #[test]
    fn a_client_that_only_asks_whether_it_may_push_sends_a_flush() {
        let (request, used) = read(b"0000").expect("sound");
        assert!(request.commands.is_empty());
        assert_eq!(used, 4);
    }

    #[test]
    fn what_the_commands_take_is_limited() {
        let command = |len: usize| {
            let command = format!("{NULL} {A} refs/heads/");
            lines(&[&(command.clone() + &"x".repeat(len - command.len()))])
        };
        let longest = command(pkt_line::DATA_LEN_MAX);
        let mut reader = Reader::new(ObjectFormat::Sha1);
        for _ in 0..COMMANDS_BYTES_MAX / pkt_line::DATA_LEN_MAX {
            reader.read(&longest).expect("within the limit");
        }
        let rest = COMMANDS_BYTES_MAX % pkt_line::DATA_LEN_MAX;
        reader.read(&command(rest)).expect("at the limit");
        assert_eq!(reader.read(&command(100)), Err(Error::CommandsTooLarge));
    }

    #[test]
    fn push_options_are_limited_in_number_and_size() {
        let options = |count: usize, len: usize| {
            let first = format!("{NULL} {A} refs/heads/main\0push-options");
            let option = "x".repeat(len);
            let mut all = vec![first.as_str(), "0000"];
            all.extend(std::iter::repeat_n(option.as_str(), count));
            all.push("0000");
            let mut reader = Reader::new(ObjectFormat::Sha1);
            reader.read(&lines(&all)).map(|_| ())
        };
        assert_eq!(options(PUSH_OPTIONS_MAX, 1), Ok(()));
        assert_eq!(options(PUSH_OPTIONS_MAX + 1, 1), Err(Error::TooManyPushOptions));
        assert_eq!(options(2, PUSH_OPTIONS_BYTES_MAX / 2), Ok(()));
        assert_eq!(options(2, PUSH_OPTIONS_BYTES_MAX / 2 + 1), Err(Error::PushOptionsTooLarge));
    }

    #[test]
    fn the_number_of_commands_is_limited() {
        let command = lines(&[&format!("{NULL} {A} refs/heads/main")]);
        let mut reader = Reader::new(ObjectFormat::Sha1);
        for _ in 0..COMMANDS_MAX {
            reader.read(&command).expect("within the limit");
        }
        assert_eq!(reader.read(&command), Err(Error::TooManyCommands));
    }
}
