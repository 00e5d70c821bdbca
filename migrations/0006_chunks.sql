-- Versions of a large file that differ in a few places share all other chunks: a chunk is kept once in a workspace, under
-- its BLAKE3 at its place, and blob_chunks names it. From those sums the hash of the whole is put together without a look
-- at the bytes. Rows of before have their bytes with them, as ever. A server of the version before cannot read what is
-- named, and says so; it damages nothing.
create table chunks (
    workspace_id uuid not null references workspaces on delete cascade,
    hash bytea not null check (octet_length(hash) = 32),
    codec smallint not null,
    content bytea not null,
    -- When it was stored or named last: what nothing names is swept when it is a day old.
    created_at timestamptz not null,
    primary key (workspace_id, hash)
);
alter table chunks alter column content set storage external;

alter table blob_chunks alter column content drop not null;
alter table blob_chunks add column chunk bytea;
alter table blob_chunks add constraint blob_chunks_bytes check ((content is null) <> (chunk is null));
create index blob_chunks_chunk on blob_chunks (workspace_id, chunk) where chunk is not null;

-- Every commit makes another version of its workspace's row, which is looked at for each row that it inserts. With room in
-- its page the old versions go at once.
alter table workspaces set (fillfactor = 20);
