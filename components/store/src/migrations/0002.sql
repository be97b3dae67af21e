-- Large files (Git LFS): limits in MiB, for the site and, where it is not NULL, for one repository,
-- and how many bytes the files of a repository take up.
ALTER TABLE settings ADD COLUMN lfs_object_mib_max INTEGER NOT NULL DEFAULT 4096
    CHECK (lfs_object_mib_max BETWEEN 1 AND 16777216);
ALTER TABLE settings ADD COLUMN lfs_repository_mib_max INTEGER NOT NULL DEFAULT 32768
    CHECK (lfs_repository_mib_max BETWEEN 1 AND 16777216);
ALTER TABLE repositories ADD COLUMN lfs_object_mib_max INTEGER
    CHECK (lfs_object_mib_max BETWEEN 1 AND 16777216);
ALTER TABLE repositories ADD COLUMN lfs_repository_mib_max INTEGER
    CHECK (lfs_repository_mib_max BETWEEN 1 AND 16777216);
ALTER TABLE repositories ADD COLUMN lfs_bytes INTEGER NOT NULL DEFAULT 0 CHECK (lfs_bytes >= 0);

-- Locks on files, told apart byte by byte: the work trees of some have `a` beside `A`.
CREATE TABLE locks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    path TEXT NOT NULL CHECK (path <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    locked_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX locks_by_path ON locks (repository_id, path);
CREATE INDEX locks_by_repository ON locks (repository_id, id);
CREATE INDEX locks_by_user ON locks (user_id);
