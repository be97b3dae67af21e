//! The command `bundle-uri`: where a client finds bundles to begin a clone with (gitprotocol-v2).
//!
//! That is the bundle of all refs, unless the repository's config names others (git-config(1),
//! `uploadpack.advertiseBundleURIs` and `bundle.*`).

use super::error::Error;
use super::repository::Repository;
use lithe_git::config::{Config, Setting};
use lithe_git::pkt_line;

/// The one bundle that there is by itself. Its address is relative to the repository's, so that the
/// client goes by the same way and with the same credentials.
const OWN: [&str; 3] = ["bundle.version=1", "bundle.mode=all", "bundle.all.uri=./-/bundle"];

/// Whether there may be bundles: there are, unless the config says no.
pub fn is_advertised(repository: &Repository) -> Result<bool, Error> {
    let config = Config::read(repository.git_dir())?;
    Ok(config.is_set("uploadpack", "advertisebundleuris").unwrap_or(true))
}

/// Lists the bundles.
pub fn serve<'a>(
    repository: &Repository,
    mut arguments: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, Error> {
    if let Some(argument) = arguments.next() {
        let argument = String::from_utf8_lossy(argument);
        return Err(Error::protocol(format!("bundle-uri: unexpected argument: '{argument}'")));
    }
    let config = Config::read(repository.git_dir())?;
    let mut settings = config.all().iter().filter(|setting| setting.section == "bundle").peekable();
    let mut out = Vec::new();
    if settings.peek().is_some() {
        settings.filter_map(line).for_each(|line| pkt_line::write(&mut out, &line));
    } else if has_bundle(repository)? {
        OWN.iter().for_each(|line| pkt_line::write(&mut out, line.as_bytes()));
    }
    pkt_line::flush(&mut out);
    Ok(out)
}

/// Whether a bundle of all refs can be made.
fn has_bundle(repository: &Repository) -> Result<bool, Error> {
    Ok(!repository.tips()?.is_empty() && repository.shallow()?.is_empty())
}

/// A setting as a line; one without a value, as Git does, is passed over.
fn line(setting: &Setting) -> Option<Vec<u8>> {
    let value = setting.value.as_deref().filter(|value| !value.is_empty())?;
    let subsection = setting.subsection.iter().flat_map(|name| [&b"."[..], name]);
    let key = [setting.section.as_bytes()].into_iter().chain(subsection);
    let line: Vec<&[u8]> = key.chain([b".", setting.key.as_bytes(), b"=", value]).collect();
    let line = line.concat();
    (line.len() <= pkt_line::DATA_LEN_MAX).then_some(line)
}
