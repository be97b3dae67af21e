-- Users. `credentials_version` grows whenever something that was once proven no longer counts:
-- what is remembered in memory about a user is bound to it.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (name <> ''),
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    credentials_version INTEGER NOT NULL DEFAULT 1,
    is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    -- Whether the password is the one that the store made up for the first administrator.
    has_one_time_password INTEGER NOT NULL DEFAULT 0 CHECK (has_one_time_password IN (0, 1)),
    created INTEGER NOT NULL,
    last_sign_in INTEGER
) STRICT;

CREATE TABLE emails (
    email TEXT NOT NULL PRIMARY KEY COLLATE NOCASE CHECK (email LIKE '_%@%_'),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    is_main INTEGER NOT NULL CHECK (is_main IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX emails_by_user ON emails (user_id);
CREATE UNIQUE INDEX emails_main ON emails (user_id) WHERE is_main = 1;

-- Sessions and tokens are found by the SHA-256 of their secret; the secret is stored nowhere.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, last_used);
CREATE INDEX sessions_by_use ON sessions (last_used);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    -- 1: read, 2: write.
    scope INTEGER NOT NULL CHECK (scope IN (1, 2)),
    created INTEGER NOT NULL,
    expires INTEGER,
    last_used INTEGER
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user_id);

-- The addresses that a user has signed in from: failures elsewhere do not slow these down.
CREATE TABLE known_addresses (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    last_used INTEGER NOT NULL,
    PRIMARY KEY (user_id, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (name <> ''),
    description TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE user_group_members (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_group_id INTEGER NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, user_group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_group_members_by_group ON user_group_members (user_group_id);

-- Groups of repositories.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id INTEGER REFERENCES groups (id),
    path TEXT NOT NULL COLLATE NOCASE UNIQUE,
    description TEXT NOT NULL,
    owner_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX groups_by_parent ON groups (parent_id, path);
CREATE INDEX groups_by_owner ON groups (owner_id);

-- Every group with each of those it stands in, and with itself.
CREATE TABLE group_ancestors (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    ancestor_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, ancestor_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_ancestors_by_ancestor ON group_ancestors (ancestor_id, group_id);

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER REFERENCES groups (id) ON DELETE SET NULL,
    path TEXT NOT NULL COLLATE NOCASE,
    directory TEXT NOT NULL,
    description TEXT NOT NULL,
    is_private INTEGER NOT NULL CHECK (is_private IN (0, 1)),
    owner_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER
) STRICT;
CREATE INDEX repositories_by_group ON repositories (group_id, path);
CREATE INDEX repositories_by_path ON repositories (path);
CREATE INDEX repositories_by_owner ON repositories (owner_id);
CREATE INDEX repositories_deleted ON repositories (deleted) WHERE deleted IS NOT NULL;

-- What stands at a path, without regard to case: a repository, a group, or a repository that
-- once stood there.
CREATE TABLE paths (
    path TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    is_former INTEGER NOT NULL DEFAULT 0 CHECK (is_former IN (0, 1)),
    -- When it came to stand there, or left.
    since INTEGER NOT NULL,
    CHECK ((repository_id IS NULL) <> (group_id IS NULL)),
    CHECK (is_former = 0 OR repository_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX paths_by_repository ON paths (repository_id) WHERE repository_id IS NOT NULL;
CREATE UNIQUE INDEX paths_live ON paths (repository_id) WHERE repository_id IS NOT NULL AND is_former = 0;
CREATE UNIQUE INDEX paths_by_group ON paths (group_id) WHERE group_id IS NOT NULL;

-- A permission (1: read, 2: write, 3: admin) at a repository or group, for a user, a user group,
-- or, where both are NULL, for everyone.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    user_group_id INTEGER REFERENCES user_groups (id) ON DELETE CASCADE,
    permission INTEGER NOT NULL CHECK (permission BETWEEN 1 AND 3),
    CHECK ((repository_id IS NULL) <> (group_id IS NULL)),
    CHECK (user_id IS NULL OR user_group_id IS NULL),
    CHECK (permission < 3 OR user_id IS NOT NULL OR user_group_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX grants_by_repository
    ON grants (repository_id, ifnull(user_id, 0), ifnull(user_group_id, 0)) WHERE repository_id IS NOT NULL;
CREATE UNIQUE INDEX grants_by_group
    ON grants (group_id, ifnull(user_id, 0), ifnull(user_group_id, 0)) WHERE group_id IS NOT NULL;
CREATE INDEX grants_by_user ON grants (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX grants_by_user_group ON grants (user_group_id) WHERE user_group_id IS NOT NULL;

-- The one row of the site's settings.
CREATE TABLE settings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    title TEXT NOT NULL DEFAULT 'Lithe',
    registration INTEGER NOT NULL DEFAULT 0 CHECK (registration IN (0, 1)),
    anonymous_access INTEGER NOT NULL DEFAULT 1 CHECK (anonymous_access IN (0, 1)),
    public_by_default INTEGER NOT NULL DEFAULT 1 CHECK (public_by_default IN (0, 1)),
    top_level_creation INTEGER NOT NULL DEFAULT 0 CHECK (top_level_creation IN (0, 1)),
    deletion_grace_days INTEGER NOT NULL DEFAULT 30 CHECK (deletion_grace_days BETWEEN 0 AND 3650),
    session_days INTEGER NOT NULL DEFAULT 30 CHECK (session_days BETWEEN 1 AND 3650)
) STRICT;
INSERT INTO settings (id) VALUES (1);

-- Who did what. Names are kept as they were; the oldest entries are removed past the limit.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
