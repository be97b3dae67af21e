-- Which repository of a group was changed last.
CREATE INDEX repositories_by_change ON repositories (group_id, updated) WHERE deleted IS NULL;
