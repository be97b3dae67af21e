//! Signatures as `git`, `ssh-keygen` and `gpg` make them.

use gix_hash::Kind as Format;
use lithe_signatures::{Keyring, KnownKey, PublicKey, Signed, Verdict};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// A repository, and keys beside it.
struct Place {
    directory: tempfile::TempDir,
    format: Format,
}

impl Place {
    fn new(format: Format) -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a temporary directory"), format };
        place.run(&format!(
            "git init -q -b main --object-format={format} .
             mkdir -m 700 gnupg
             git config gpg.program \"$PWD/gpg\"
             printf '#!/bin/sh\\nexec gpg --batch ${{AT:+--faked-system-time $AT}} \"$@\"\\n' > gpg
             chmod +x gpg"
        ));
        place
    }

    fn run(&self, script: &str) -> Vec<u8> {
        let output = Command::new("sh")
            .args(["-euc", script])
            .current_dir(self.directory.path())
            .env("HOME", self.directory.path())
            .env("GNUPGHOME", self.directory.path().join("gnupg"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("SSH_AUTH_SOCK")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Anna")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "Anna@Example.org")))
            .output()
            .expect("sh starts");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn text(&self, script: &str) -> String {
        String::from_utf8(self.run(script)).expect("text").trim().to_owned()
    }

    /// Makes an SSH key that `git` signs with from then on; returns the public one.
    fn ssh_key(&self, arguments: &str) -> String {
        self.text(&format!(
            "rm -f ssh ssh.pub; ssh-keygen -q {arguments} -N '' -C comment -f ssh
             git config gpg.format ssh; git config user.signingKey \"$PWD/ssh.pub\"; cat ssh.pub"
        ))
    }

    /// Makes an OpenPGP key that `git` signs with from then on.
    fn openpgp_key(&self, arguments: &str) {
        self.run(&format!(
            "./gpg --quiet --passphrase '' --quick-gen-key 'Anna <anna@example.org>' {arguments}
             git config gpg.format openpgp; git config user.signingKey anna@example.org"
        ));
    }

    fn exported(&self) -> String {
        self.text("./gpg --armor --export")
    }

    fn fingerprint_of_primary_key(&self) -> String {
        self.text("./gpg --list-keys --with-colons | awk -F: '/^fpr/ { print $10; exit }'")
    }

    /// A signed commit and a signed tag of it.
    fn signed(&self) -> [Signed; 2] {
        self.run("git commit -q -S --allow-empty -m Message; git tag -s -f -m Tag signed 2>&1");
        let commit = self.run("git cat-file commit HEAD");
        let tag = self.run("git cat-file tag signed");
        [
            Signed::of_commit(&commit, self.format).expect("a signed commit"),
            Signed::of_tag(&tag).expect("a signed tag"),
        ]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The agent that `gpg` started for this directory.
        self.run("gpgconf --kill gpg-agent");
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs().cast_signed()
}

/// A keyring in which anna has the key.
fn keyring(text: &str) -> Keyring {
    of("anna", &["anna@example.org"], text)
}

fn of(account: &str, addresses: &[&str], text: &str) -> Keyring {
    let key = PublicKey::parse(text).expect("a public key");
    let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    Keyring::new([KnownKey { account: account.into(), addresses, kind: key.kind, bytes: key.bytes }])
}

/// The name of the case, and the account.
fn said(verdict: &Verdict) -> String {
    let name = match verdict {
        Verdict::Verified(_) => "verified",
        Verdict::WrongAddress(_) => "wrong address",
        Verdict::UnknownKey(_) => "unknown key",
        Verdict::Bad(_) => "bad",
        Verdict::Expired(_) => "expired",
        Verdict::Revoked(_) => "revoked",
        Verdict::Unsupported => "unsupported",
        Verdict::Malformed => "malformed",
    };
    match verdict.signer() {
        Some(signer) => format!("{name} {}", signer.account),
        None => name.to_owned(),
    }
}

/// Checks what is said of signatures by a key and about others.
#[track_caller]
fn assert_verifies(place: &Place, key: &str) {
    let parsed = PublicKey::parse(key).expect("a public key");
    for signed in place.signed() {
        let judge = |keyring: &Keyring, signed: &Signed| keyring.judge(signed, now());
        let verdict = judge(&keyring(key), &signed);
        assert_eq!(said(&verdict), "verified anna", "{key}");
        assert_eq!(verdict.signer().expect("anna").fingerprint, parsed.fingerprint);
        let elsewhere = of("bert", &["bert@example.org"], key);
        assert_eq!(said(&judge(&elsewhere, &signed)), "wrong address bert");
        match judge(&Keyring::default(), &signed) {
            Verdict::UnknownKey(name) => assert!(parsed.names.contains(&name), "{name}: {:?}", parsed.names),
            verdict => panic!("{verdict:?}"),
        }
        let mut tampered = signed.clone();
        tampered.payload.push(b'!');
        assert_eq!(said(&judge(&keyring(key), &tampered)), "bad anna");
    }
}

#[test]
fn ssh_keys_of_every_kind() {
    let place = Place::new(Format::Sha1);
    for (arguments, algorithm) in [
        ("-t ed25519", "ED25519"),
        ("-t ecdsa -b 256", "ECDSA P-256"),
        ("-t ecdsa -b 384", "ECDSA P-384"),
        ("-t ecdsa -b 521", "ECDSA P-521"),
        ("-t rsa -b 2048", "RSA 2048"),
        ("-t rsa -b 4096", "RSA 4096"),
    ] {
        let key = place.ssh_key(arguments);
        let parsed = PublicKey::parse(&key).expect("a public key");
        assert_eq!(parsed.algorithm, algorithm);
        let listed = place.text("ssh-keygen -l -f ssh.pub");
        assert_eq!(listed.split(' ').nth(1), Some(parsed.fingerprint.as_str()));
        assert_verifies(&place, &key);
    }
}

#[test]
fn openpgp_keys_of_every_kind() {
    for arguments in [
        "rsa2048 sign never",
        "rsa4096 sign never",
        "ed25519 sign never",
        "nistp384/ecdsa sign never",
        "default default 1y",
    ] {
        let place = Place::new(Format::Sha1);
        place.openpgp_key(arguments);
        let key = place.exported();
        let parsed = PublicKey::parse(&key).expect("a public key");
        assert_eq!(parsed.fingerprint, place.fingerprint_of_primary_key());
        assert_verifies(&place, &key);
    }
}

#[test]
fn openpgp_subkeys_sign_for_their_primary_key() {
    let place = Place::new(Format::Sha1);
    place.openpgp_key("rsa2048 cert never");
    let primary = place.fingerprint_of_primary_key();
    place.run(&format!("./gpg --quiet --passphrase '' --quick-add-key {primary} ed25519 sign never"));
    assert_verifies(&place, &place.exported());
}

#[test]
fn repositories_of_either_format() {
    let place = Place::new(Format::Sha256);
    let key = place.ssh_key("-t ed25519");
    assert_verifies(&place, &key);
    place.openpgp_key("ed25519 sign never");
    assert_verifies(&place, &place.exported());
    let commit = place.run("git cat-file commit HEAD");
    assert_eq!(Signed::of_commit(&commit, Format::Sha1), None, "it is signed for the other format");
}

#[test]
fn openpgp_keys_expire_and_count_for_what_they_signed_before() {
    let mut place = Place::new(Format::Sha1);
    place.run("cp gpg now");
    let at = |place: &mut Place, time: &str| {
        place.run(&format!("sed \"s/[$][{{]AT.*AT[}}]/--faked-system-time {time}/\" now > gpg"));
    };
    at(&mut place, "20240101T000000!");
    place.openpgp_key("ed25519 sign 2024-06-01");
    let key = place.exported();
    at(&mut place, "20240301T000000!");
    for signed in place.signed() {
        assert_eq!(said(&keyring(&key).judge(&signed, now())), "verified anna");
    }
    // `gpg` does not sign with an expired key: the key is extended, and the former one is asked.
    at(&mut place, "20240401T000000!");
    place.run(&format!(
        "./gpg --quiet --passphrase '' --quick-set-expire {} 2025-06-01",
        place.fingerprint_of_primary_key()
    ));
    at(&mut place, "20240801T000000!");
    for signed in place.signed() {
        assert_eq!(said(&keyring(&key).judge(&signed, now())), "expired anna");
        assert_eq!(said(&keyring(&place.exported()).judge(&signed, now())), "verified anna");
    }
}

#[test]
fn signatures_expire() {
    let place = Place::new(Format::Sha1);
    place.openpgp_key("ed25519 sign never");
    place.run("sed -i 's/--batch/--batch --default-sig-expire 5d/' gpg");
    for signed in place.signed() {
        let judge = |days: i64| said(&keyring(&place.exported()).judge(&signed, now() + days * 24 * 60 * 60));
        assert_eq!((judge(4).as_str(), judge(6).as_str()), ("verified anna", "expired anna"));
    }
}

#[test]
fn openpgp_keys_are_revoked() {
    let place = Place::new(Format::Sha1);
    place.openpgp_key("ed25519 sign never");
    let signed = place.signed();
    let with_reason = |number: u8| {
        place.text(&format!(
            "cp -r gnupg copy; trap 'gpgconf --homedir copy --kill gpg-agent; rm -r copy' EXIT
             printf 'y\\n{number}\\n\\ny\\n' | gpg --homedir copy --quiet --no-tty --command-fd 0 --gen-revoke anna > revocation 2> /dev/null
             gpg --homedir copy --batch --quiet --import revocation; gpg --homedir copy --batch --armor --export"
        ))
    };
    // 1: somebody else may have the key; 3: it is not used any more.
    for (reason, expected) in [(1, "revoked anna"), (3, "verified anna")] {
        let key = with_reason(reason);
        // A revocation of the same second would count for what was signed in it.
        for signed in &signed {
            let verdict = said(&keyring(&key).judge(signed, now()));
            assert!(verdict == expected || (reason == 3 && verdict == "revoked anna"), "{reason}: {verdict}");
        }
    }
}

#[test]
fn what_is_signed_for_something_else_does_not_count() {
    let place = Place::new(Format::Sha1);
    let key = place.ssh_key("-t ed25519");
    let [commit, _] = place.signed();
    std::fs::write(place.directory.path().join("payload"), &commit.payload).expect("written");
    for (namespace, expected) in [("git", "verified anna"), ("file", "bad anna")] {
        place.run(&format!("rm -f payload.sig; ssh-keygen -q -Y sign -n {namespace} -f ssh payload"));
        let signature = std::fs::read(place.directory.path().join("payload.sig")).expect("readable");
        let signed = Signed { signature, ..commit.clone() };
        assert_eq!(said(&keyring(&key).judge(&signed, now())), expected, "{namespace}");
    }
}

#[test]
fn weak_digests_and_other_forms_are_not_supported() {
    let place = Place::new(Format::Sha1);
    place.openpgp_key("rsa2048 sign never");
    place.run("sed -i 's/--batch/--batch --digest-algo SHA1/' gpg");
    let [commit, _] = place.signed();
    assert_eq!(said(&keyring(&place.exported()).judge(&commit, now())), "unsupported");
    let armored = "-----BEGIN SIGNED MESSAGE-----\nMAAA\n-----END SIGNED MESSAGE-----\n";
    let x509 = Signed { signature: armored.into(), ..commit.clone() };
    assert_eq!(said(&Keyring::default().judge(&x509, now())), "unsupported");
    let twice = Signed { signature: [&commit.signature[..], &commit.signature].concat(), ..commit.clone() };
    assert_eq!(said(&keyring(&place.exported()).judge(&twice, now())), "malformed");
    for signature in
        ["", "signed, honestly", "-----BEGIN SSH SIGNATURE-----\nMAAA\n-----END SSH SIGNATURE-----"]
    {
        let signed = Signed { signature: signature.into(), ..commit.clone() };
        assert_eq!(said(&Keyring::default().judge(&signed, now())), "malformed");
    }
}

#[test]
fn a_subkey_that_does_not_claim_its_primary_key_signs_nothing_for_it() {
    let (anna, eve) = (Place::new(Format::Sha1), Place::new(Format::Sha1));
    anna.openpgp_key("ed25519 sign never");
    eve.openpgp_key("ed25519 sign never");
    // Eve's key with anna's primary key made a subkey of it, by a packet of another tag: what binds
    // it is missing, so that it is passed over.
    let [annas, eves] = [&anna, &eve].map(|place| PublicKey::parse(&place.exported()).expect("a key").bytes);
    let len = usize::from(annas[1]) + 2;
    let mut stolen = annas[..len].to_vec();
    stolen[0] = 0x80 | 14 << 2;
    let key = KnownKey {
        account: "eve".into(),
        addresses: vec!["anna@example.org".into()],
        kind: lithe_signatures::Kind::OpenPgp,
        bytes: [eves, stolen].concat(),
    };
    for signed in anna.signed() {
        assert_eq!(said(&Keyring::new([key.clone()]).judge(&signed, now())), "bad eve");
    }
}

#[test]
fn parsers_take_whatever_comes() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fuzz/recordings");
    let key = |name: &str| std::fs::read_to_string(recordings.join("signing-key").join(name)).expect("a key");
    let keys: Vec<_> =
        ["openpgp-anna", "openpgp-bert", "ssh-ed25519", "ssh-ecdsa256", "ssh-ecdsa521", "ssh-rsa3072"]
            .iter()
            .map(|name| {
                let key = PublicKey::parse(&key(name)).expect("a key");
                KnownKey { account: "anna".into(), addresses: vec![], kind: key.kind, bytes: key.bytes }
            })
            .collect();
    let keyring = Keyring::new(keys);
    let payload = b"payload\n".to_vec();
    lithe_fuzz::fuzz("signature", |signature| {
        let signed =
            Signed { payload: payload.clone(), signature: signature.to_vec(), address: String::new() };
        let _ = keyring.judge(&signed, now());
    });
    let signature = std::fs::read(recordings.join("signature/openpgp-bert")).expect("a signature");
    let signed = Signed { payload, signature, address: String::new() };
    lithe_fuzz::fuzz("signing-key", |text| {
        let Ok(key) = PublicKey::parse(&String::from_utf8_lossy(text)) else { return };
        let known = KnownKey { account: "anna".into(), addresses: vec![], kind: key.kind, bytes: key.bytes };
        let _ = Keyring::new([known]).judge(&signed, now());
    });
}
