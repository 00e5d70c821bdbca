-- The history of a file goes on under the names that it had before. A log has a hundred thousand versions and no rename:
-- the newest rename to a path is found without a walk through them, and the newest versions without sorting them all.
create index changes_renamed on changes (workspace_id, path, rev desc, seq desc) where from_path is not null;
drop index changes_path;
create index changes_path on changes (workspace_id, path, rev desc, seq desc);
