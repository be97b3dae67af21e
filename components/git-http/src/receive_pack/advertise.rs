//! The refs, as a client that wants to push is shown them.

use super::is_hidden;
use bstr::ByteSlice;
use gix_hash::ObjectId;
use lithe_git::pkt_line;
use lithe_git::refs::{Error, Hidden, RefStore, Side};
use std::path::Path;

const CAPABILITIES: &str =
    "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options";

/// The body of the answer to `info/refs?service=git-receive-pack`,
/// `application/x-git-receive-pack-advertisement`: the line that names the service, then the refs.
///
/// Of refs that cannot be changed it says why, which is what the pusher sees.
pub fn advertise(git_dir: &Path) -> Result<Vec<u8>, Error> {
    let refs = RefStore::open(git_dir)?;
    let mut body = Vec::new();
    pkt_line::write(&mut body, b"# service=git-receive-pack\n");
    pkt_line::flush(&mut body);
    if let Err(error) = refs.require_writable() {
        pkt_line::write(&mut body, format!("ERR {error}\n").as_bytes());
        return Ok(body);
    }
    let snapshot = refs.snapshot()?;
    let hidden = Hidden::read(git_dir, Side::Receive)?;
    body.reserve(snapshot.refs.len() * 80 + 512);
    // libgit2 takes no list that ends with the object format.
    let version = env!("CARGO_PKG_VERSION");
    let format = refs.object_format();
    let mut capabilities = Some(format!("{CAPABILITIES} object-format={format} agent=lithe/{version}"));
    let mut line = |id: ObjectId, name: &[u8]| {
        let mut line = id.to_hex().to_string().into_bytes();
        line.push(b' ');
        line.extend_from_slice(name);
        if let Some(capabilities) = capabilities.take() {
            line.push(0);
            line.extend_from_slice(capabilities.as_bytes());
        }
        line.push(b'\n');
        pkt_line::write(&mut body, &line);
    };
    let mut is_empty = true;
    for entry in &snapshot.refs {
        let is_hidden = is_hidden(&hidden, entry.name.as_bstr());
        // A ref that leads nowhere is passed over, as Git does.
        let id = snapshot.resolve(entry.name.as_bstr()).ok().flatten();
        if let Some(id) = id.filter(|_| !is_hidden) {
            line(id, &entry.name);
            is_empty = false;
        }
    }
    if is_empty {
        line(ObjectId::null(format), b"capabilities^{}");
    }
    pkt_line::flush(&mut body);
    Ok(body)
}
