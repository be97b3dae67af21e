-- Which repository an entry is about, where others may read of it: paths are given to other repositories.
ALTER TABLE journal ADD COLUMN repository_id INTEGER;
CREATE INDEX journal_events ON journal (id) WHERE repository_id IS NOT NULL;
