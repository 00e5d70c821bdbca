// Generated from crates/core/src/limits.rs; `cargo xtask codegen` makes it anew.

/** A kibibyte. */
export const KIB = 1024;

/** A mebibyte. */
export const MIB = 1024 * KIB;

/** A gibibyte. */
export const GIB = 1024 * MIB;

/** One component of a path; what ext4, APFS and NTFS all hold. */
export const NAME_BYTES_MAX = 255;

/** A whole path, and its spelling without letter case: the database's indices hold no longer ones. */
export const PATH_BYTES_MAX = 2_048;

/** Where a link leads; Linux's `PATH_MAX` without its end. */
export const LINK_BYTES_MAX = 4_095;

/** Names in one path: nobody nests deeper, and a tree of a thousand levels takes a thousand rows for one file. */
export const PATH_DEPTH_MAX = 100;

/** One file. Above it, data belongs in object storage, not in an editor. */
export const FILE_BYTES_MAX = 100 * MIB;

/** All files of a workspace; the size of a session's volume. */
export const WORKSPACE_BYTES_MAX = GIB;

/** Entries of a workspace; bounds tree listings and the planner's memory. */
export const WORKSPACE_ENTRIES_MAX = 200_000;

/** Content kept in one row; above it, a manifest of chunks. */
export const BLOB_INLINE_BYTES_MAX = MIB;

/** One chunk of a large file; the sums that are stored of chunks depend on it, and on that it is a power of two. */
export const CHUNK_BYTES_MAX = MIB;

/** Operations in one commit. */
export const COMMIT_OPERATIONS_MAX = 10_000;

/** The name of a batch; a replica counts, or takes a random one. */
export const BATCH_NAME_CHARS_MAX = 200;

/** Contents kept of one workspace that its tree no longer names; beyond it old versions lose their content. Twice a full
 * workspace: everything may be replaced twice before anything goes. */
export const HISTORY_BYTES_MAX = 2 * WORKSPACE_BYTES_MAX;

/** Everything stored of one workspace: its tree, its history, and as much again of what is on its way in. */
export const STORED_BYTES_MAX = 2 * (WORKSPACE_BYTES_MAX + HISTORY_BYTES_MAX);

/** Of a full history, one part in this many is for versions that people made: what programs write does not push them out. */
export const HISTORY_PART_OF_PEOPLE = 2;

/** The newest versions of each file, which lose their content last; those by people and by programs apart. */
export const HISTORY_VERSIONS_KEPT = 10;

/** Renames through which the history of a file is followed. */
export const HISTORY_RENAMES_MAX = 32;

/** Versions as young as this lose their content after all older ones but those. */
export const HISTORY_YOUNG_S = 3600;

/** Each side of a merge. A larger text is shown to a person: nobody could read what came out. */
export const MERGED_BYTES_MAX = 2 * MIB;

/** Content that travels inside a change or proposal instead of by Bulk. */
export const INLINE_CONTENT_BYTES_MAX = 128 * KIB;

/** One frame of bulk content. */
export const BULK_FRAME_BYTES_MAX = 256 * KIB;

/** One range of a content that stands for its bytes; other frames wait while a hub copies it. */
export const RANGE_BYTES_MAX = 2 * MIB;

/** A workspace's name in characters. */
export const WORKSPACE_NAME_CHARS_MAX = 80;

/** Workspaces of one account, those in the trash included. */
export const WORKSPACES_PER_USER_MAX = 500;

/** How long a deleted workspace can be brought back. */
export const TRASH_DAYS = 30;

/** Files in one zip; a bomb is refused before anything is unpacked. */
export const ZIP_ENTRIES_MAX = WORKSPACE_ENTRIES_MAX;

/** The list at the end of a zip; 160 bytes for each of the most entries. It is read into memory as a whole. */
export const ZIP_LIST_BYTES_MAX = 160 * ZIP_ENTRIES_MAX;

/** Unpacked bytes per packed byte; text compresses 20-fold at most times, a bomb a thousandfold. */
export const ZIP_RATIO_MAX = 200;

/** Body of a JSON request. */
export const JSON_BYTES_MAX = 2 * MIB;

/** Body of a commit with inline contents. */
export const COMMIT_BYTES_MAX = 16 * MIB;

/** A request body must keep arriving; a stall of this length ends it. */
export const BODY_STALL_S = 30;

/** From the start of a connection, or of waiting for its next request, to the end of the request's head. */
export const HTTP_HEAD_MS = 15_000;

/** A connection whose other side takes nothing for this long: longer than a WebSocket may be silent, so that one whose
 * viewer sleeps is ended by its own rule. */
export const HTTP_WRITE_MS = 90_000;

/** How often a request that is done once says that it still works; four missed signs and it may be begun again. */
export const HTTP_ALIVE_MS = 30_000;

/** Connections of a server at once; each takes up to 200 KiB and one descriptor. */
export const HTTP_CONNECTIONS_MAX = 8_192;

/** Connections of one address at once. A class of a hundred behind one router, each with two windows of seven, is 1,400. */
export const HTTP_CONNECTIONS_PER_ADDRESS_MAX = 2_048;

/** Streams of one HTTP/2 connection. */
export const HTTP2_STREAMS_MAX = 128;

/** All lines of a request's head together, and one read of its body. */
export const HTTP_HEAD_BYTES_MAX = 128 * KIB;

/** Lines of a request's head. */
export const HTTP_HEADERS_MAX = 100;

/** After its first seconds a request body must arrive at least this fast on average: a byte now and then is a stall. */
export const BODY_BYTES_PER_S_MIN = 2 * KIB;

/** What is read and thrown away of a body that was refused, so that the answer is not lost with the connection. */
export const BODY_DRAIN_BYTES_MAX = 256 * MIB;

/** A name that a client gives a request, so that it is done once. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 200;

/** Rows of one page of any list that grows. The journal hands out whole revisions, of which the last may be longer. */
export const PAGE_ROWS_MAX = 500;

/** One WebSocket message from a browser. */
export const WS_MESSAGE_BYTES_MAX = 256 * KIB;

/** Unsent bytes to one browser before its connection is closed. */
export const WS_WRITE_BUFFER_BYTES_MAX = 4 * MIB;

/** How often a WebSocket's other side is asked whether it is there. */
export const WS_PING_MS = 20_000;

/** A WebSocket on which nothing arrives for this long, not even an answer to a ping, is dead. */
export const WS_SILENCE_MS = 70_000;

/** Streams multiplexed on one WebSocket. */
export const WS_STREAMS_MAX = 64;

/** Folders that one device keeps in step with their workspaces at once; links whose other side has vanished count until
 * that is noticed. */
export const SYNC_LINKS_PER_DEVICE_MAX = 32;

/** Shortest password; NIST SP 800-63B asks for 8. */
export const PASSWORD_CHARS_MIN = 8;

/** Longest password; argon2 must not hash megabytes. */
export const PASSWORD_CHARS_MAX = 256;

/** Name of a person. */
export const PERSON_NAME_CHARS_MAX = 80;

/** E-mail address, RFC 5321. */
export const EMAIL_BYTES_MAX = 254;

/** A device not used for this long is signed out. */
export const DEVICE_IDLE_DAYS = 30;

/** A device is signed out this long after sign-in. */
export const DEVICE_ABSOLUTE_DAYS = 180;

/** Devices of one account. */
export const DEVICES_PER_USER_MAX = 50;

/** Terminals of one session. */
export const TERMINALS_PER_SESSION_MAX = 16;

/** Output kept of one terminal. Replay of it takes xterm.js under half a second. */
export const TERMINAL_LOG_BYTES_MAX = 2 * MIB;

/** Output kept of all terminals of one agent; a session has 512 MiB for everything. */
export const AGENT_LOG_BYTES_MAX = 32 * MIB;

/** Bytes in flight beyond what the viewer has parsed: 47 ms of the slowest parsing after Ctrl-C. */
export const TERMINAL_WINDOW_BYTES = 256 * KIB;

/** Largest window a viewer may ask for. */
export const TERMINAL_WINDOW_BYTES_MAX = MIB;

/** One output frame. */
export const TERMINAL_FRAME_BYTES_MAX = 64 * KIB;

/** Input waiting for a program that does not read. */
export const TERMINAL_INPUT_BYTES_MAX = 64 * KIB;

/** A viewer that acknowledges nothing for this long no longer paces the program. */
export const TERMINAL_STALL_MS = 3_000;

/** Columns or rows. */
export const TERMINAL_SIDE_MAX = 1_000;

/** Memory of a session. */
export const SESSION_MEMORY_BYTES = 512 * MIB;

/** Thousandths of one core. */
export const SESSION_CPU_MILLIS = 500;

/** Disk of a session: workspace and home together. */
export const SESSION_DISK_BYTES = GIB;

/** Processes and threads of a session. */
export const SESSION_PROCESSES_MAX = 256;

/** Live sessions of one account. */
export const SESSIONS_PER_USER_MAX = 5;

/** Without activity for this long a session is idle and the countdown shows. */
export const SESSION_IDLE_S = 15 * 60;

/** From idle to stopped. */
export const SESSION_IDLE_COUNTDOWN_S = 15 * 60;

/** Longest life of a session unless it is kept until done. */
export const SESSION_LIFETIME_S = 12 * 3600;

/** A session that is not started within this time has failed. */
export const SESSION_REQUESTED_S = 300;

/** Provisioning without progress. */
export const SESSION_PROVISIONING_S = 120;

/** From the wish to stop until it is forced. */
export const SESSION_STOPPING_S = 60;

/** An agent that hears nothing from a backend ends itself. */
export const AGENT_ORPHAN_S = 30 * 60;

/** Output kept of one run. */
export const RUN_OUTPUT_BYTES_MAX = TERMINAL_LOG_BYTES_MAX;

/** Runs waiting for one session. */
export const RUNS_QUEUED_MAX = 20;

/** Connections of one session through the egress proxy; npm opens 15. */
export const EGRESS_CONNECTIONS_MAX = 64;

/** First lines of a proxied request. */
export const EGRESS_HEAD_BYTES_MAX = 16 * KIB;

/** A proxied connection on which nothing moves for this long is closed. */
export const EGRESS_IDLE_S = 5 * 60;
