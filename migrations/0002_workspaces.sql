-- The hub: workspaces, their current tree, their journal, their contents.

create table workspaces (
    id uuid primary key,
    owner_id uuid not null references users on delete cascade,
    name text not null check (char_length(name) between 1 and 80),
    template text not null check (template in ('python', 'node', 'empty', 'import')),
    -- Changes when the journal is no continuation of what replicas know, as after a restored backup.
    epoch uuid not null,
    head_rev bigint not null default 0,
    -- Kept in the commit's transaction, checked against the limits there.
    entry_count bigint not null default 0,
    bytes_used bigint not null default 0,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    archived_at timestamptz,
    deleted_at timestamptz
);
-- A name in the trash does not block a new workspace.
create unique index workspaces_name_key on workspaces (owner_id, lower(name)) where deleted_at is null;
create index workspaces_owner on workspaces (owner_id, changed_at desc, id);
create index workspaces_trash on workspaces (deleted_at) where deleted_at is not null;

-- Current tree. No tombstones: a replica's own base says what it once had.
create table entries (
    workspace_id uuid not null references workspaces on delete cascade,
    path text collate "C" not null,
    -- What a case-insensitive volume would compare; clashes are refused at the border.
    fold_key text collate "C" not null,
    kind smallint not null check (kind between 1 and 3),
    hash bytea check (hash is null or octet_length(hash) = 32),
    size bigint not null check (size >= 0),
    executable boolean not null default false,
    link_target text,
    rev bigint not null,
    primary key (workspace_id, path)
);
create index entries_fold on entries (workspace_id, fold_key);

-- Journal, kept: it is file history and time travel, and what reviews will pin.
create table changes (
    workspace_id uuid not null references workspaces on delete cascade,
    rev bigint not null,
    seq integer not null,
    path text collate "C" not null,
    -- Null kind: deleted.
    kind smallint,
    hash bytea,
    size bigint not null default 0,
    executable boolean not null default false,
    link_target text,
    from_path text collate "C",
    prev_hash bytea,
    prev_kind smallint,
    origin text not null,
    user_id uuid,
    at timestamptz not null,
    primary key (workspace_id, rev, seq)
);
create index changes_path on changes (workspace_id, path, rev desc);

-- Answer of each batch, so that a retry after a lost reply returns the same. Swept after seven days.
create table batches (
    workspace_id uuid not null references workspaces on delete cascade,
    replica_id uuid not null,
    batch text not null,
    answer jsonb not null,
    at timestamptz not null,
    primary key (workspace_id, replica_id, batch)
);
create index batches_at on batches (at);

-- Contents, addressed by BLAKE3 inside one workspace: a hash alone opens nothing of anyone else.
create table blobs (
    workspace_id uuid not null references workspaces on delete cascade,
    hash bytea not null check (octet_length(hash) = 32),
    size bigint not null,
    -- 0 raw, 1 zstd; null content: the bytes stand in blob_chunks.
    codec smallint not null default 0,
    content bytea,
    created_at timestamptz not null,
    primary key (workspace_id, hash)
);
alter table blobs alter column content set storage external;

-- Large contents in pieces, in order.
create table blob_chunks (
    workspace_id uuid not null,
    hash bytea not null,
    seq integer not null,
    codec smallint not null default 0,
    size integer not null,
    content bytea not null,
    primary key (workspace_id, hash, seq),
    foreign key (workspace_id, hash) references blobs on delete cascade
);
alter table blob_chunks alter column content set storage external;
