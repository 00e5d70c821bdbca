//! What stands between the page and everything else: a function of requests and frames that knows no window. The page
//! asks the same here as it asks of a server in a browser (docs/decisions/0013): what concerns files of this machine is
//! answered from the disk, what concerns sessions and runs goes to the server with this device's token, which the page
//! never sees.
//!
//! Reading order: `routes` is the table, `asked` and `answer` are its two ends. `servers` knows who is signed in where,
//! `standing` how it stands with the server of the page, `wakes` whether the machine slept, and `pass` exchanges with one.
//! `workspaces` are the folders of this machine, `kept` one that is being kept, `files`, `upload` and `sync` what is asked
//! of it, `history` what its files were, `account` signs in and out; `names` hears what the server calls them. `runs` go to
//! the server, or into `queue`. `wire` is the page's socket, `streams` what its streams carry.
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use slipway_api::desktop::Told;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error::CliError;
use crate::local::LocalAgents;
use crate::server::Address;
use crate::state::State;
use asked::Asked;
use servers::Servers;
use standing::Line;
use wakes::Wakes;
use workspaces::Workspaces;

mod account;
mod address;
mod answer;
mod asked;
mod download;
mod export;
mod files;
mod history;
mod kept;
mod look;
mod names;
mod pass;
mod queue;
mod routes;
mod runs;
mod servers;
mod standing;
mod streams;
mod sync;
mod upload;
mod wakes;
mod wire;
mod workspaces;

pub use runs::RunEnded;
pub use wire::Wire;

/// What a slow listener may be behind; it reads everything anew then.
const TOLD_MAX: usize = 256;

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    config: Config,
    servers: Servers,
    line: Line,
    workspaces: Workspaces,
    agents: LocalAgents,
    told: broadcast::Sender<Told>,
    runs: runs::Runs,
    over: CancellationToken,
}

impl Gateway {
    /// Opens the state, the workspaces of this machine and the connection to the chosen server. Nothing slow is waited for.
    ///
    /// # Errors
    /// When the state folder cannot be used.
    pub async fn start(config: &Config) -> Result<Self, CliError> {
        let state = State::open(&config.state)?;
        let told = broadcast::channel(TOLD_MAX).0;
        let servers = Servers::open(&state, told.clone())?;
        let workspaces = Workspaces::open(config, servers.clone(), told.clone())?;
        let gateway = Self(Arc::new(Inner {
            config: config.clone(),
            line: Line::new(servers.clone()),
            workspaces,
            agents: LocalAgents::new(&state, config),
            servers,
            told,
            runs: runs::Runs::default(),
            over: CancellationToken::new(),
        }));
        // Before the line is there: its first word counts.
        gateway.spawn(names::hear);
        gateway.spawn(|inner| async move {
            inner.line.run().await;
        });
        gateway.spawn(tell_standing);
        gateway.spawn(wake);
        gateway.spawn(queue::start_waiting);
        gateway.spawn(|inner| async move { inner.workspaces.open_recent().await });
        Ok(gateway)
    }

    /// Does something beside until the gateway stops.
    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, work: impl FnOnce(Arc<Inner>) -> F) {
        let over = self.0.over.clone();
        let work = work(Arc::clone(&self.0));
        tokio::spawn(async move { over.run_until_cancelled(work).await });
    }

    /// One exchange of the page; the path is below `/api/v1`. Never fails: faults are problem answers.
    pub async fn exchange(&self, request: Request<Bytes>) -> Response<Bytes> {
        let answer = match Asked::of(request) {
            Ok(asked) => self.route(&asked).await,
            Err(fault) => Err(fault),
        };
        answer.unwrap_or_else(answer::Fault::into_response)
    }

    /// The page's socket. A new one replaces none; dropped, its streams end.
    #[must_use]
    pub fn wire(&self) -> Wire {
        wire::open(self.clone())
    }

    /// What the page is told from now on; [`Gateway::standing`] is how it stands now.
    #[must_use]
    pub fn told(&self) -> broadcast::Receiver<Told> {
        self.0.told.subscribe()
    }

    /// How it stands with the server of the page.
    #[must_use]
    pub fn standing(&self) -> Told {
        self.0.line.standing().borrow().told()
    }

    /// The server that the page works with, if one was chosen.
    #[must_use]
    pub fn server(&self) -> Option<Address> {
        self.0.servers.chosen_if_any()
    }

    /// Works with a server from now on, reached or not: it may be started only now.
    ///
    /// # Errors
    /// When it is no address, or the choice cannot be kept.
    pub fn choose(&self, server: &str) -> Result<(), CliError> {
        self.0.servers.choose(&Address::parse(server)?)
    }

    /// Tries the servers at once.
    pub fn retry(&self) {
        self.0.line.ask();
        self.0.workspaces.ask_all();
    }

    /// What a server or a folder answers at a path, written to a file that the person chose.
    ///
    /// # Errors
    /// When there is no answer, or the file cannot be written.
    pub async fn download(&self, path: &str, to: &Path) -> Result<(), CliError> {
        download::download(self, path, to).await
    }

    /// The page's address for a deep link, or for a file or folder of this machine.
    ///
    /// # Errors
    /// When it is none.
    pub async fn address_of(&self, wish: &str) -> Result<String, CliError> {
        address::address_of(self, wish).await
    }

    /// Runs that were started here, as they end.
    #[must_use]
    pub fn runs_ended(&self) -> broadcast::Receiver<RunEnded> {
        self.0.runs.ended()
    }

    /// Ends everything; what was agreed on is stored.
    pub async fn stop(&self) {
        self.0.over.cancel();
        self.0.workspaces.stop().await;
        self.0.servers.cut();
        self.0.servers.leave().await;
    }
}

/// Tells the page how it stands with its server, and lets every folder try when that is there again.
async fn tell_standing(inner: Arc<Inner>) {
    let mut standing = inner.line.standing();
    while standing.changed().await.is_ok() {
        let now = *standing.borrow_and_update();
        // Nobody may listen.
        inner.told.send(now.told()).ok();
        if now.state == slipway_api::desktop::ConnectionState::Online {
            inner.workspaces.ask_all();
        }
    }
}

/// After a sleep no connection is what it seems.
async fn wake(inner: Arc<Inner>) {
    let mut wakes = Wakes::begin();
    loop {
        wakes.next().await;
        inner.servers.cut();
        inner.line.ask();
        inner.workspaces.ask_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_chosen_before_it_answers_and_what_is_none_is_told() {
        let state = tempfile::tempdir().unwrap();
        let config = Config {
            state: state.path().to_owned(),
            ..Config::read().unwrap()
        };
        let gateway = Gateway::start(&config).await.unwrap();
        assert_eq!(gateway.server(), None);
        // Nobody listens at port 0.
        gateway.choose("127.0.0.1:0").unwrap();
        let chosen = Address::parse("http://127.0.0.1:0").ok();
        assert_eq!(gateway.server(), chosen);
        let refused = gateway.choose("ftp://a.b").unwrap_err();
        assert_eq!(refused.code(), "address_invalid");
        assert_eq!(gateway.server(), chosen);
        gateway.stop().await;
        let again = Gateway::start(&config).await.unwrap();
        assert_eq!(again.server(), chosen, "it is kept");
        again.stop().await;
    }
}
