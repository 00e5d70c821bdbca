//! Entry point: takes the key out of reach of programs, then serves.
use std::io::Write as _;
use std::sync::Arc;

use clap::Parser as _;
use slipway_agent::agent::Agent;
use slipway_agent::config::{Config, Ground};
use slipway_agent::replica::ReplicaService;
use slipway_agent::server;
use slipway_agent::terminate::Terminate;
use slipway_agent::workspace::ReplicaSide;
use slipway_core::secret::Secret;
use slipway_proto::v1::replica_server::ReplicaServer;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

const KEY_VARIABLE: &std::ffi::CStr = c"SLIPWAY_AGENT_KEY";

/// Threads for work on the disk.
const BLOCKING_THREADS_MAX: usize = 4;

fn main() -> anyhow::Result<()> {
    let key = take_key();
    slipway_mirror::memory::share_pools();
    let mut config = Config::parse();
    config.key = key;
    if config.ground() == Ground::Machine {
        config.inherit();
        leave_the_app();
    }
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).ok();
    raise_file_limit();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // Before there is another thread that the signal could reach.
    let terminate = Terminate::block()?;
    // One thread: a keystroke then never waits for another thread to wake up.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Work on the disk has few threads, and they stay: when programs have taken every process that a session may
        // have, no new one could be made.
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(std::time::Duration::MAX)
        .build()?
        .block_on(run(config, terminate))
}

async fn run(config: Config, terminate: Terminate) -> anyhow::Result<()> {
    let (agent, side) = Agent::new(config, CancellationToken::new());
    let ended = agent.clone();
    agent.tasks.spawn(async move {
        tokio::select! {
            asked = terminate.asked() => match asked {
                Ok(()) => ended.shut_down().await,
                Err(error) => tracing::error!(%error, "Could not listen for the wish to end"),
            },
            () = ended.stop.cancelled() => {}
        }
    });
    match agent.config.ground() {
        Ground::Sandbox => serve_session(agent, side).await,
        // The app keeps the folder in step itself.
        Ground::Machine => serve_app(agent).await,
    }
}

/// Serves without files, and tells the app that it may dial.
async fn serve_app(agent: Arc<Agent>) -> anyhow::Result<()> {
    let listener = server::listen(&agent.config)?;
    // An app that is gone by now starts another agent or dials this one later.
    std::io::stdout().write_all(b"\n").ok();
    Ok(server::serve(agent, listener, |router, _| router).await?)
}

/// Serves with the session's copy of the files.
async fn serve_session(agent: Arc<Agent>, side: ReplicaSide) -> anyhow::Result<()> {
    let config = &agent.config;
    let id = format!("{}-replica", agent.boot_id);
    let replica = ReplicaService::start(
        config.files(),
        &config.state,
        id,
        side,
        agent.events.clone(),
        &agent.tasks,
    )?;
    let service = replica.clone();
    let listener = server::listen(&agent.config)?;
    let served = server::serve(agent, listener, |router, bearer| {
        router.add_service(ReplicaServer::with_interceptor(service, bearer))
    })
    .await;
    replica.stop().await;
    Ok(served?)
}

/// Makes a session of its own, so that no signal to the app's reaches it, and lets go of what the app had open.
#[expect(
    unsafe_code,
    reason = "runs first, before anything else could own one of the descriptors"
)]
fn leave_the_app() {
    // Whoever was started from a shell may lead a group already.
    rustix::process::setsid().ok();
    // SAFETY: nothing in this process has opened a descriptor yet but the three that are kept.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
}

/// Reads the key and wipes it from the memory that /proc/PID/environ shows.
#[expect(
    unsafe_code,
    reason = "runs first, while this is the only thread, on strings that libc owns"
)]
fn take_key() -> Secret {
    // SAFETY: no other thread exists that could read or change the environment; getenv's string is valid until
    // unsetenv, and its bytes lie in writable memory of this process.
    unsafe {
        let value = libc::getenv(KEY_VARIABLE.as_ptr());
        if value.is_null() {
            return Secret::default();
        }
        let length = libc::strlen(value);
        let bytes = std::slice::from_raw_parts(value.cast::<u8>(), length);
        let key = Secret::new(String::from_utf8_lossy(bytes));
        std::ptr::write_bytes(value, 0, length);
        libc::unsetenv(KEY_VARIABLE.as_ptr());
        key
    }
}

/// Sixteen terminals, their viewers and fifty connections of npm need more than the usual 1,024.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).ok();
}
