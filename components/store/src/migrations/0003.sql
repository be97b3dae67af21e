-- What every push to a repository, or to those in a group, has to keep to. NULL: there is no limit.
CREATE TABLE push_checks (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER UNIQUE REFERENCES repositories (id) ON DELETE CASCADE,
    group_id INTEGER UNIQUE REFERENCES groups (id) ON DELETE CASCADE,
    file_bytes_max INTEGER CHECK (file_bytes_max > 0),
    pack_bytes_max INTEGER CHECK (pack_bytes_max > 0),
    repository_bytes_max INTEGER CHECK (repository_bytes_max > 0),
    refs_max INTEGER CHECK (refs_max > 0),
    -- One a line.
    forbidden_paths TEXT NOT NULL,
    message_required TEXT CHECK (message_required <> ''),
    message_forbidden TEXT CHECK (message_forbidden <> ''),
    known_authors INTEGER NOT NULL CHECK (known_authors IN (0, 1)),
    CHECK ((repository_id IS NULL) <> (group_id IS NULL))
) STRICT;

-- Who may change branches (kind 0) or tags (kind 1), and how: nobody (0), administrators (1),
-- those whom ref_rule_users names (2), or all who may write (3).
CREATE TABLE ref_rules (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    pattern TEXT NOT NULL CHECK (pattern <> ''),
    may_create INTEGER NOT NULL CHECK (may_create BETWEEN 0 AND 3),
    may_advance INTEGER NOT NULL CHECK (may_advance BETWEEN 0 AND 3),
    may_force INTEGER NOT NULL CHECK (may_force BETWEEN 0 AND 3),
    may_delete INTEGER NOT NULL CHECK (may_delete BETWEEN 0 AND 3),
    signed INTEGER NOT NULL CHECK (signed IN (0, 1)),
    CHECK ((repository_id IS NULL) <> (group_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX ref_rules_by_repository
    ON ref_rules (repository_id, kind, pattern) WHERE repository_id IS NOT NULL;
CREATE UNIQUE INDEX ref_rules_by_group ON ref_rules (group_id, kind, pattern) WHERE group_id IS NOT NULL;

CREATE TABLE ref_rule_users (
    ref_rule_id INTEGER NOT NULL REFERENCES ref_rules (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (ref_rule_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ref_rule_users_by_user ON ref_rule_users (user_id);
