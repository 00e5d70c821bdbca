-- Small contents that arrive beside a commit get the bound that large ones have: nothing names them until the commit, and
-- a session that never commits would fill the server's disk with them. Each is counted as it arrives; only when the count
-- passes a step is everything that the workspace holds added up.
alter table workspaces add column arrived_bytes bigint not null default 0;
