//! Every bound of the system, with its reason. Sizes are bytes, durations seconds unless the name says otherwise. Plain
//! numbers and sums of them: the UI has them all as TypeScript (`cargo xtask codegen`).

/// A kibibyte.
pub const KIB: u64 = 1024;
/// A mebibyte.
pub const MIB: u64 = 1024 * KIB;
/// A gibibyte.
pub const GIB: u64 = 1024 * MIB;

// --- Files -------------------------------------------------------------------------------------

/// One component of a path; what ext4, APFS and NTFS all hold.
pub const NAME_BYTES_MAX: usize = 255;
/// A whole path, and its spelling without letter case: the database's indices hold no longer ones.
pub const PATH_BYTES_MAX: usize = 2_048;
/// Where a link leads; Linux's `PATH_MAX` without its end.
pub const LINK_BYTES_MAX: usize = 4_095;
/// Names in one path: nobody nests deeper, and a tree of a thousand levels takes a thousand rows for one file.
pub const PATH_DEPTH_MAX: usize = 100;
/// One file. Above it, data belongs in object storage, not in an editor.
pub const FILE_BYTES_MAX: u64 = 100 * MIB;
/// All files of a workspace; the size of a session's volume.
pub const WORKSPACE_BYTES_MAX: u64 = GIB;
/// Entries of a workspace; bounds tree listings and the planner's memory.
pub const WORKSPACE_ENTRIES_MAX: u64 = 200_000;
/// Content kept in one row; above it, a manifest of chunks.
pub const BLOB_INLINE_BYTES_MAX: u64 = MIB;
/// One chunk of a large file; the sums that are stored of chunks depend on it, and on that it is a power of two.
pub const CHUNK_BYTES_MAX: usize = MIB as usize;
/// Operations in one commit.
pub const COMMIT_OPERATIONS_MAX: usize = 10_000;
/// The name of a batch; a replica counts, or takes a random one.
pub const BATCH_NAME_CHARS_MAX: usize = 200;
/// Contents kept of one workspace that its tree no longer names; beyond it old versions lose their content. Twice a full
/// workspace: everything may be replaced twice before anything goes.
pub const HISTORY_BYTES_MAX: u64 = 2 * WORKSPACE_BYTES_MAX;
/// Everything stored of one workspace: its tree, its history, and as much again of what is on its way in.
pub const STORED_BYTES_MAX: u64 = 2 * (WORKSPACE_BYTES_MAX + HISTORY_BYTES_MAX);
/// Of a full history, one part in this many is for versions that people made: what programs write does not push them out.
pub const HISTORY_PART_OF_PEOPLE: u64 = 2;
/// The newest versions of each file, which lose their content last; those by people and by programs apart.
pub const HISTORY_VERSIONS_KEPT: u32 = 10;
/// Renames through which the history of a file is followed.
pub const HISTORY_RENAMES_MAX: u32 = 32;
/// Versions as young as this lose their content after all older ones but those.
pub const HISTORY_YOUNG_S: u64 = 3600;
/// Each side of a merge. A larger text is shown to a person: nobody could read what came out.
pub const MERGED_BYTES_MAX: u64 = 2 * MIB;
/// Content that travels inside a change or proposal instead of by Bulk.
pub const INLINE_CONTENT_BYTES_MAX: u64 = 128 * KIB;
/// One frame of bulk content.
pub const BULK_FRAME_BYTES_MAX: usize = 256 * KIB as usize;
/// One range of a content that stands for its bytes; other frames wait while a hub copies it.
pub const RANGE_BYTES_MAX: u64 = 2 * MIB;
/// A workspace's name in characters.
pub const WORKSPACE_NAME_CHARS_MAX: usize = 80;
/// Workspaces of one account, those in the trash included.
pub const WORKSPACES_PER_USER_MAX: u64 = 500;
/// How long a deleted workspace can be brought back.
pub const TRASH_DAYS: u32 = 30;
/// Files in one zip; a bomb is refused before anything is unpacked.
pub const ZIP_ENTRIES_MAX: u64 = WORKSPACE_ENTRIES_MAX;
/// The list at the end of a zip; 160 bytes for each of the most entries. It is read into memory as a whole.
pub const ZIP_LIST_BYTES_MAX: u64 = 160 * ZIP_ENTRIES_MAX;
/// Unpacked bytes per packed byte; text compresses 20-fold at most times, a bomb a thousandfold.
pub const ZIP_RATIO_MAX: u64 = 200;

// --- Requests ----------------------------------------------------------------------------------

/// Body of a JSON request.
pub const JSON_BYTES_MAX: usize = 2 * MIB as usize;
/// Body of a commit with inline contents.
pub const COMMIT_BYTES_MAX: usize = 16 * MIB as usize;
/// A request body must keep arriving; a stall of this length ends it.
pub const BODY_STALL_S: u64 = 30;
/// From the start of a connection, or of waiting for its next request, to the end of the request's head.
pub const HTTP_HEAD_MS: u64 = 15_000;
/// A connection whose other side takes nothing for this long: longer than a WebSocket may be silent, so that one whose
/// viewer sleeps is ended by its own rule.
pub const HTTP_WRITE_MS: u64 = 90_000;
/// How often a request that is done once says that it still works; four missed signs and it may be begun again.
pub const HTTP_ALIVE_MS: u64 = 30_000;
/// Connections of a server at once; each takes up to 200 KiB and one descriptor.
pub const HTTP_CONNECTIONS_MAX: usize = 8_192;
/// Connections of one address at once. A class of a hundred behind one router, each with two windows of seven, is 1,400.
pub const HTTP_CONNECTIONS_PER_ADDRESS_MAX: usize = 2_048;
/// Streams of one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// All lines of a request's head together, and one read of its body.
pub const HTTP_HEAD_BYTES_MAX: usize = 128 * KIB as usize;
/// Lines of a request's head.
pub const HTTP_HEADERS_MAX: usize = 100;
/// After its first seconds a request body must arrive at least this fast on average: a byte now and then is a stall.
pub const BODY_BYTES_PER_S_MIN: u64 = 2 * KIB;
/// What is read and thrown away of a body that was refused, so that the answer is not lost with the connection.
pub const BODY_DRAIN_BYTES_MAX: u64 = 256 * MIB;
/// A name that a client gives a request, so that it is done once.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 200;
/// Rows of one page of any list that grows. The journal hands out whole revisions, of which the last may be longer.
pub const PAGE_ROWS_MAX: u32 = 500;
/// One WebSocket message from a browser.
pub const WS_MESSAGE_BYTES_MAX: usize = 256 * KIB as usize;
/// Unsent bytes to one browser before its connection is closed.
pub const WS_WRITE_BUFFER_BYTES_MAX: usize = 4 * MIB as usize;
/// How often a WebSocket's other side is asked whether it is there.
pub const WS_PING_MS: u64 = 20_000;
/// A WebSocket on which nothing arrives for this long, not even an answer to a ping, is dead.
pub const WS_SILENCE_MS: u64 = 70_000;
/// Streams multiplexed on one WebSocket.
pub const WS_STREAMS_MAX: usize = 64;
/// Folders that one device keeps in step with their workspaces at once; links whose other side has vanished count until
/// that is noticed.
pub const SYNC_LINKS_PER_DEVICE_MAX: usize = 32;

// --- Accounts ----------------------------------------------------------------------------------

/// Shortest password; NIST SP 800-63B asks for 8.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password; argon2 must not hash megabytes.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Name of a person.
pub const PERSON_NAME_CHARS_MAX: usize = 80;
/// E-mail address, RFC 5321.
pub const EMAIL_BYTES_MAX: usize = 254;
/// A device not used for this long is signed out.
pub const DEVICE_IDLE_DAYS: u32 = 30;
/// A device is signed out this long after sign-in.
pub const DEVICE_ABSOLUTE_DAYS: u32 = 180;
/// Devices of one account.
pub const DEVICES_PER_USER_MAX: u64 = 50;

// --- Terminals ---------------------------------------------------------------------------------

/// Terminals of one session.
pub const TERMINALS_PER_SESSION_MAX: usize = 16;
/// Output kept of one terminal. Replay of it takes xterm.js under half a second.
pub const TERMINAL_LOG_BYTES_MAX: usize = 2 * MIB as usize;
/// Output kept of all terminals of one agent; a session has 512 MiB for everything.
pub const AGENT_LOG_BYTES_MAX: usize = 32 * MIB as usize;
/// Bytes in flight beyond what the viewer has parsed: 47 ms of the slowest parsing after Ctrl-C.
pub const TERMINAL_WINDOW_BYTES: u32 = 256 * KIB as u32;
/// Largest window a viewer may ask for.
pub const TERMINAL_WINDOW_BYTES_MAX: u32 = MIB as u32;
/// One output frame.
pub const TERMINAL_FRAME_BYTES_MAX: usize = 64 * KIB as usize;
/// Input waiting for a program that does not read.
pub const TERMINAL_INPUT_BYTES_MAX: usize = 64 * KIB as usize;
/// A viewer that acknowledges nothing for this long no longer paces the program.
pub const TERMINAL_STALL_MS: u64 = 3_000;
/// Columns or rows.
pub const TERMINAL_SIDE_MAX: u32 = 1_000;

// --- Sessions ----------------------------------------------------------------------------------

/// Memory of a session.
pub const SESSION_MEMORY_BYTES: u64 = 512 * MIB;
/// Thousandths of one core.
pub const SESSION_CPU_MILLIS: u32 = 500;
/// Disk of a session: workspace and home together.
pub const SESSION_DISK_BYTES: u64 = GIB;
/// Processes and threads of a session.
pub const SESSION_PROCESSES_MAX: u32 = 256;
/// Live sessions of one account.
pub const SESSIONS_PER_USER_MAX: u64 = 5;
/// Without activity for this long a session is idle and the countdown shows.
pub const SESSION_IDLE_S: u64 = 15 * 60;
/// From idle to stopped.
pub const SESSION_IDLE_COUNTDOWN_S: u64 = 15 * 60;
/// Longest life of a session unless it is kept until done.
pub const SESSION_LIFETIME_S: u64 = 12 * 3600;
/// A session that is not started within this time has failed.
pub const SESSION_REQUESTED_S: u64 = 300;
/// Provisioning without progress.
pub const SESSION_PROVISIONING_S: u64 = 120;
/// From the wish to stop until it is forced.
pub const SESSION_STOPPING_S: u64 = 60;
/// An agent that hears nothing from a backend ends itself.
pub const AGENT_ORPHAN_S: u64 = 30 * 60;
/// Output kept of one run.
pub const RUN_OUTPUT_BYTES_MAX: usize = TERMINAL_LOG_BYTES_MAX;
/// Runs waiting for one session.
pub const RUNS_QUEUED_MAX: u64 = 20;

// --- Egress ------------------------------------------------------------------------------------

/// Connections of one session through the egress proxy; npm opens 15.
pub const EGRESS_CONNECTIONS_MAX: usize = 64;
/// First lines of a proxied request.
pub const EGRESS_HEAD_BYTES_MAX: usize = 16 * KIB as usize;
/// A proxied connection on which nothing moves for this long is closed.
pub const EGRESS_IDLE_S: u64 = 5 * 60;
