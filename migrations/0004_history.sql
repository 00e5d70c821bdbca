-- The history of a workspace gets a bound: a program that rewrites a large file in a loop would otherwise fill the
-- server's disk. Each commit counts what it takes out of the tree; only when the count passes the bound is it looked
-- exactly, and old versions lose their content. And a batch's name is kept with a hash of what it asked for, so that a
-- name used for something else is refused instead of answered with what was never done.
alter table workspaces add column history_bytes bigint not null default 0;
alter table batches add column digest bytea check (digest is null or octet_length(digest) = 32);
