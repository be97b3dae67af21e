-- What messages in a repository, or in those in a group, call issues, and where those are.
CREATE TABLE issue_links (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    pattern TEXT NOT NULL CHECK (pattern <> ''),
    address TEXT NOT NULL CHECK (address <> ''),
    CHECK ((repository_id IS NULL) <> (group_id IS NULL))
) STRICT;
CREATE INDEX issue_links_by_repository ON issue_links (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX issue_links_by_group ON issue_links (group_id) WHERE group_id IS NOT NULL;
