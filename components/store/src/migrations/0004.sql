-- Public keys (kind 0: SSH, 1: OpenPGP), with which commits and tags are signed.
CREATE TABLE signing_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    algorithm TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE CHECK (fingerprint <> ''),
    public_key BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX signing_keys_by_user ON signing_keys (user_id);

-- What signatures may call a key. Key ids of OpenPGP are short enough for several to have the same.
CREATE TABLE signing_key_names (
    name TEXT NOT NULL CHECK (name <> ''),
    signing_key_id INTEGER NOT NULL REFERENCES signing_keys (id) ON DELETE CASCADE,
    PRIMARY KEY (name, signing_key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX signing_key_names_by_key ON signing_key_names (signing_key_id);

-- Whether what has to be signed has to be so by a known key.
ALTER TABLE ref_rules ADD COLUMN verified INTEGER NOT NULL DEFAULT 0
    CHECK (verified IN (0, 1) AND verified <= signed);
