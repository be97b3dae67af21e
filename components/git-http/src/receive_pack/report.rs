//! What the client is told (gitprotocol-pack, "Report Status").

use super::request::Capabilities;
use bstr::BString;
use lithe_git::pkt_line;

/// What became of the pack and of each ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Why the pack was not taken, in words.
    pub unpack: Result<(), String>,
    /// The refs, in the order of the commands; why they were not changed, in words.
    pub refs: Vec<(BString, Result<(), String>)>,
    /// Lines for the user's terminal.
    pub messages: Vec<String>,
}

const BAND_REPORT: u8 = 1;
const BAND_MESSAGES: u8 = 2;
/// One byte of a line says which band it is.
const BAND_BYTES_MAX: usize = pkt_line::DATA_LEN_MAX - 1;

impl Report {
    /// The body of the answer.
    pub fn to_bytes(&self, capabilities: &Capabilities) -> Vec<u8> {
        let status = if capabilities.has_report_status { self.status() } else { Vec::new() };
        if !capabilities.has_side_band {
            return status;
        }
        let mut bytes = Vec::with_capacity(status.len() + 1024);
        for message in &self.messages {
            band(&mut bytes, BAND_MESSAGES, format!("{}\n", one_line(message)).as_bytes());
        }
        band(&mut bytes, BAND_REPORT, &status);
        pkt_line::flush(&mut bytes);
        bytes
    }

    fn status(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &self.unpack {
            Ok(()) => pkt_line::write(&mut bytes, b"unpack ok\n"),
            Err(why) => pkt_line::write_text(&mut bytes, format_args!("unpack {}\n", one_line(why))),
        }
        for (name, result) in &self.refs {
            let mut line = match result {
                Ok(()) => [b"ok ", name.as_slice()].concat(),
                Err(why) => [b"ng ", name.as_slice(), b" ", one_line(why).as_bytes()].concat(),
            };
            line.truncate(pkt_line::DATA_LEN_MAX - 1);
            line.push(b'\n');
            pkt_line::write(&mut bytes, &line);
        }
        pkt_line::flush(&mut bytes);
        bytes
    }
}

fn band(out: &mut Vec<u8>, band: u8, bytes: &[u8]) {
    for piece in bytes.chunks(BAND_BYTES_MAX) {
        out.extend_from_slice(&pkt_line::head(piece.len() + 5));
        out.push(band);
        out.extend_from_slice(piece);
    }
}

/// Text without what would end the line or move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_in_the_form_that_was_agreed_on() {
        let report = Report {
            unpack: Err("no\nroom".to_owned()),
            refs: vec![("refs/heads/a".into(), Ok(())), ("refs/heads/b".into(), Err("no".to_owned()))],
            messages: vec!["mind\x1b[2J".to_owned()],
        };
        let status = "0013unpack no room\n0014ok refs/heads/a\n0017ng refs/heads/b no\n0000";
        let with = |has_report_status, has_side_band| {
            let capabilities = Capabilities { has_report_status, has_side_band, ..Capabilities::default() };
            String::from_utf8(report.to_bytes(&capabilities)).expect("UTF-8")
        };
        assert_eq!(with(true, false), status);
        assert_eq!(with(false, false), "");
        let message = "000e\u{2}mind [2J\n";
        assert_eq!(with(true, true), format!("{message}{:04x}\u{1}{status}0000", status.len() + 5));
        assert_eq!(with(false, true), format!("{message}0000"));
    }

    #[test]
    fn a_long_report_is_cut_into_lines() {
        let refs = (0..100_000).map(|index| (format!("refs/heads/{index}").into(), Ok(())));
        let report = Report { unpack: Ok(()), refs: refs.collect(), messages: Vec::new() };
        let capabilities =
            Capabilities { has_report_status: true, has_side_band: true, ..Capabilities::default() };
        let bytes = report.to_bytes(&capabilities);
        let mut lines = pkt_line::Lines::new(&bytes);
        let mut status = Vec::new();
        while let Some(line) = lines.line().expect("sound") {
            if let pkt_line::Line::Data(data) = line {
                status.extend_from_slice(&data[1..]);
            }
        }
        let mut count = 0;
        let mut lines = pkt_line::Lines::new(&status);
        while lines.line().expect("sound").is_some() {
            count += 1;
        }
        assert_eq!(count, 100_002);
    }
}
