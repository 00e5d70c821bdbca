-- Who may sign in, on which devices, and what was done: accounts, devices, settings, audit.

create table users (
    id uuid primary key,
    name text not null check (char_length(name) between 1 and 80),
    email text not null check (octet_length(email) <= 254),
    password_hash text not null,
    administrator boolean not null default false,
    disabled_at timestamptz,
    created_at timestamptz not null
);
-- Addresses differ only by more than letter case.
create unique index users_email_key on users (lower(email));

-- One opaque token per device; only its BLAKE3 hash is stored, so a stolen database signs nobody in.
create table devices (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    name text not null check (char_length(name) between 1 and 80),
    user_agent text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null
);
create index devices_user on devices (user_id, created_at);

-- Exactly one row: what an administrator can change while the server runs.
create table server_settings (
    only_row boolean primary key default true check (only_row),
    registration_open boolean not null default true,
    -- Random, made once; keys of agents are derived from it.
    installation_secret bytea not null check (octet_length(installation_secret) = 32)
);

-- Answers of creating requests, so that a repeated one creates nothing twice. Swept after a day.
create table idempotency_keys (
    user_id uuid not null references users on delete cascade,
    key text not null check (char_length(key) between 1 and 200),
    request_hash bytea not null,
    status smallint not null,
    answer bytea not null,
    created_at timestamptz not null,
    primary key (user_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

-- Append-only; written in the transaction of the act it records.
create table audit_events (
    seq bigint generated always as identity primary key,
    at timestamptz not null,
    user_id uuid,
    -- "workspace.create"; the list is in backend/src/audit.rs.
    action text not null,
    -- Id of what was acted on.
    subject text not null,
    detail jsonb not null default '{}'
);
create index audit_events_user on audit_events (user_id, seq);
