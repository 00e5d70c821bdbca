-- A commit writes thousands of rows while it holds its workspace's row, and the database looked that row up again for each
-- of them: a sixth of its work. Tree, journal and contents are written under that lock alone (hub/apply.rs,
-- hub/content.rs), so that the workspace is there; they go with it as before.
alter table entries drop constraint entries_workspace_id_fkey;
alter table changes drop constraint changes_workspace_id_fkey;
alter table blobs drop constraint blobs_workspace_id_fkey;

create function delete_files_of_workspace() returns trigger language plpgsql as $$
begin
    delete from entries where workspace_id = old.id;
    delete from changes where workspace_id = old.id;
    delete from blobs where workspace_id = old.id;
    return null;
end
$$;
create trigger workspaces_files after delete on workspaces for each row execute function delete_files_of_workspace();
