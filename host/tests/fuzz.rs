//! The manifest's parser, fed with damaged manifests.

use std::path::Path;

#[test]
fn damaged_manifests_are_refused_in_words() {
    lithe_fuzz::fuzz("manifest", |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let parsed = lithe::manifest::Manifest::parse(text, Path::new("spin.toml"), Path::new("data"));
            if let Err(error) = parsed {
                assert!(!error.to_string().is_empty());
            }
        }
    });
}
