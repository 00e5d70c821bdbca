-- Sessions and runs. Postgres is the truth; places are reconciled against it.

create table sessions (
    id uuid primary key,
    workspace_id uuid not null references workspaces on delete cascade,
    owner_id uuid not null references users on delete cascade,
    state text not null check (state in
        ('requested', 'provisioning', 'ready', 'idle', 'stopping', 'stopped', 'failed')),
    -- The wish: a session that shall stop is stopped from whatever state it is in.
    desired text not null default 'run' check (desired in ('run', 'stop')),
    stages jsonb not null default '[]',
    reason_code text,
    reason_text text,
    -- How the runtime finds the place again: pid, socket, cgroup. Opaque to everyone else.
    place jsonb,
    attempt integer not null default 0,
    keep_until_done boolean not null default false,
    created_at timestamptz not null,
    ready_at timestamptz,
    ended_at timestamptz,
    -- What the state must be left by; every live state has one.
    deadline_at timestamptz,
    last_activity_at timestamptz not null,
    idle_stop_at timestamptz,
    -- Row lease: only its holder acts; every write checks the fence.
    lease_owner uuid,
    lease_until timestamptz,
    fence bigint not null default 0
);
-- At most one live session per workspace is a fact of the database.
create unique index sessions_live_key on sessions (workspace_id)
    where state in ('requested', 'provisioning', 'ready', 'idle', 'stopping');
create index sessions_workspace on sessions (workspace_id, created_at desc);
create index sessions_due on sessions (deadline_at)
    where state in ('requested', 'provisioning', 'ready', 'idle', 'stopping');

create table runs (
    id uuid primary key,
    workspace_id uuid not null references workspaces on delete cascade,
    session_id uuid references sessions on delete set null,
    user_id uuid references users on delete set null,
    target jsonb not null,
    command text not null,
    revision bigint not null,
    cols integer not null default 80,
    rows integer not null default 24,
    state text not null check (state in ('queued', 'waiting', 'running', 'flushing', 'done', 'failed')),
    exit_code integer,
    exit_signal integer,
    reason text,
    stop_requested boolean not null default false,
    created_at timestamptz not null,
    started_at timestamptz,
    duration_ms bigint,
    peak_memory_bytes bigint,
    -- zstd of the kept end of the output.
    output bytea,
    output_bytes bigint not null default 0,
    output_truncated boolean not null default false
);
create index runs_workspace on runs (workspace_id, created_at desc, id);
create index runs_open on runs (session_id) where state in ('queued', 'waiting', 'running', 'flushing');
