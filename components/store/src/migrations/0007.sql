-- The language of pages that a user chose, as a tag; none: whichever the browser asks for.
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 35);

-- What messages in all repositories call issues, and where those are.
CREATE TABLE site_issue_links (
    id INTEGER PRIMARY KEY,
    pattern TEXT NOT NULL CHECK (pattern <> ''),
    address TEXT NOT NULL CHECK (address <> '')
) STRICT;
