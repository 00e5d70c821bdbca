//! The journey of a new user through the public API, on a throw-away data directory: a transcript and an exit status.
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use slipway_api::account::Register;
use slipway_api::file::Restore;
use slipway_api::run::{Run, RunState, RunTarget, StartRun};
use slipway_api::session::SessionState;
use slipway_api::workspace::{Template, Workspace};
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Place, Told, Viewer};
use slipway_core::id::{SessionId, TerminalId};
use slipway_core::path::RelPath;
use slipway_core::secret::Secret;
use slipway_tests::server::{Parts, Server};

#[derive(Parser)]
#[command(about = "Makes the journey of a new user through the public API")]
struct Args {
    #[command(flatten)]
    parts: Parts,
}

/// One line per step with its time.
struct Transcript(Instant);

impl Transcript {
    #[expect(
        clippy::print_stdout,
        reason = "the transcript is this program's output"
    )]
    fn step(&mut self, text: &str) {
        println!("{:>8.1} ms  {text}", self.0.elapsed().as_secs_f64() * 1e3);
        self.0 = now();
    }
}

#[expect(clippy::disallowed_methods, reason = "a transcript shows real times")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let folder = tempfile::Builder::new()
        .prefix("slipway-smoke-")
        .tempdir()?;
    let mut transcript = Transcript(now());
    let server = Server::start(&args.parts, folder.path()).await?;
    transcript.step(&format!("server ready at {}", server.base));
    let result = journey(&args.parts, folder.path(), server, &mut transcript).await;
    if let Err(error) = &result {
        transcript.step(&format!("FAILED: {error:#}"));
    }
    result
}

async fn journey(
    parts: &Parts,
    folder: &std::path::Path,
    server: Server,
    transcript: &mut Transcript,
) -> Result<()> {
    let register = Register {
        name: "Ana".into(),
        email: "ana@example.org".into(),
        password: Secret::new("quiet tide at seven bells"),
        device: Some("smoke".into()),
    };
    let (client, account) = Client::new(&server.base)?.register(&register).await?;
    ensure!(account.administrator, "the first account is administrator");
    transcript.step("registered; the first account is administrator");

    let workspace = client
        .create_workspace("harbor-tides", Template::Python)
        .await?;
    transcript.step(&format!(
        "workspace from the Python template, revision {}",
        workspace.head
    ));
    let source = client.read_file(workspace.id, "main.py").await?;
    let base = slipway_core::hash::ContentHash::of(&source);
    let edited = Bytes::from([source.as_ref(), b"\nprint('edited by smoke')\n"].concat());
    let written = client
        .write_file(workspace.id, "main.py", Some(&base), edited)
        .await?;
    transcript.step(&format!("main.py saved as revision {}", written.revision));

    let socket = Socket::connect(&client).await?;
    client.start_session(workspace.id).await?;
    let session = client
        .wait_for_session(&socket, workspace.id, |state| state == SessionState::Ready)
        .await?;
    ensure!(
        session.state == SessionState::Ready,
        "the session is {:?}: {:?}",
        session.state,
        session.reason
    );
    transcript.step("session ready");
    let terminal = client.open_terminal(session.id, 120, 30).await?;
    let mut viewer = Viewer::attach(
        &socket,
        Place::new(session.id, terminal.id, client_id(1), 120, 30),
    )
    .await?;
    viewer.write(b"echo it $((40+2)) works\n").await?;
    viewer.read_until("it 42 works").await?;
    transcript.step("a shell answers in the sandbox");

    let run = run(
        &client,
        &socket,
        &workspace,
        RunTarget::File {
            path: RelPath::parse("main.py")?,
        },
    )
    .await?;
    let output = String::from_utf8(client.run_output(run.id).await?.to_vec())?;
    ensure!(
        run.exit.as_ref().is_some_and(|exit| exit.code == Some(0)),
        "main.py ended with {:?}:\n{output}",
        run.exit
    );
    ensure!(
        output.contains("edited by smoke"),
        "the run used the revision shown:\n{output}"
    );
    transcript.step(&format!(
        "main.py ran on revision {} in {} ms, peak {} MiB",
        run.revision,
        run.duration_ms.unwrap_or(0),
        run.peak_memory_bytes.unwrap_or(0) >> 20
    ));

    let install = b"pip install --quiet --disable-pip-version-check six && python -c 'import six' && echo pip-$((40+2)) || echo pip-failed-$((40+2))\n";
    viewer.write(install).await?;
    let seen = viewer.read_until("-42\r\n").await?;
    ensure!(seen.contains("pip-42"), "pip install six failed:\n{seen}");
    transcript.step("pip install works through the egress proxy");

    let place = viewer.place();
    reconnect(&client, terminal.id, place, transcript).await?;
    let (client, server) = pull_the_plug(
        parts, folder, server, &client, &workspace, session.id, transcript,
    )
    .await?;

    client
        .restore(
            workspace.id,
            &Restore {
                revision: workspace.head,
                path: Some(RelPath::parse("main.py")?),
                from: None,
            },
        )
        .await?;
    ensure!(
        client.read_file(workspace.id, "main.py").await? == source,
        "main.py is as it was at revision {}",
        workspace.head
    );
    transcript.step("main.py restored from history");
    client.stop_session(workspace.id).await?;
    let socket = Socket::connect(&client).await?;
    client
        .wait_for_session(&socket, workspace.id, |_| false)
        .await?;
    drop(socket);
    transcript.step("session stopped");
    server.stop().await?;
    transcript.step("server stopped; nothing is left running");
    Ok(())
}

async fn run(
    client: &Client,
    socket: &Socket,
    workspace: &Workspace,
    target: RunTarget,
) -> Result<Run> {
    let run = client
        .start_run(
            workspace.id,
            &StartRun {
                target,
                revision: None,
                cols: None,
                rows: None,
            },
        )
        .await?;
    Ok(client
        .wait_for_run(socket, workspace.id, run.id, |_| false)
        .await?)
}

/// Cuts the connection in mid-output and resumes: a lost or doubled byte anywhere shows in the comparison.
async fn reconnect(
    client: &Client,
    terminal: TerminalId,
    mut place: Place,
    transcript: &mut Transcript,
) -> Result<()> {
    const MARK: &[u8] = b"begin-42\n";
    let wanted = [MARK, sequence(1..=60_000).as_slice()].concat();
    let (mut collected, mut cuts, mut typed) = (Vec::new(), 0, false);
    loop {
        let socket = Socket::connect(client).await?;
        let mut viewer = Viewer::attach(&socket, place).await?;
        if !typed {
            // The shell computes the mark, so that the echo of the line is not taken for it.
            viewer
                .write(b"stty -echo -opost; echo begin-$((6*7)); seq 1 60000\n")
                .await?;
            typed = true;
        }
        let cut_at = collected.len() + 40_000;
        while collected.len() < cut_at {
            match viewer
                .next()
                .await?
                .context("the connection closed by itself")?
            {
                Told::Output(bytes) => collected.extend_from_slice(&bytes),
                Told::Reset | Told::Gap(_) | Told::Restored(_) => {
                    anyhow::bail!("the log did not resume at its offset")
                }
                Told::Exited(exit) => anyhow::bail!("the shell ended: {exit:?}"),
            }
            if collected.ends_with(b"60000\n")
                || collected
                    .windows(7)
                    .rev()
                    .take(400)
                    .any(|end| end == b"\n60000\n")
            {
                let begin = collected
                    .windows(MARK.len())
                    .position(|window| window == MARK)
                    .context("the mark was lost")?;
                ensure!(
                    collected[begin..].starts_with(&wanted),
                    "output of terminal {terminal} was lost or doubled"
                );
                transcript.step(&format!(
                    "connection cut {cuts} times in mid-output, {} bytes resumed exactly",
                    wanted.len()
                ));
                return Ok(());
            }
        }
        place = viewer.place();
        cuts += 1;
    }
}

fn sequence(range: std::ops::RangeInclusive<u32>) -> Vec<u8> {
    range
        .flat_map(|number| format!("{number}\n").into_bytes())
        .collect()
}

/// `kill -9` of the server while a program runs; the next server adopts the session, the output is complete.
async fn pull_the_plug(
    parts: &Parts,
    folder: &std::path::Path,
    server: Server,
    client: &Client,
    workspace: &Workspace,
    session: SessionId,
    transcript: &mut Transcript,
) -> Result<(Client, Server)> {
    let socket = Socket::connect(client).await?;
    let line = "mkfifo /tmp/gate; for i in $(seq 1 200); do echo tick $i; done; cat /tmp/gate; echo complete";
    let started = client
        .start_run(
            workspace.id,
            &StartRun {
                target: RunTarget::Command { line: line.into() },
                revision: None,
                cols: None,
                rows: None,
            },
        )
        .await?;
    // Its terminal is there once it runs.
    let mut events = socket.events(Some(workspace.id)).await?;
    while client.run(started.id).await?.state != RunState::Running {
        events.recv().await.context("the events ended")?;
    }
    let mut viewer = Viewer::attach(
        &socket,
        Place::new(
            session,
            started.id.to_string().parse()?,
            client_id(2),
            80,
            24,
        ),
    )
    .await?;
    viewer.read_until("tick 3\r\n").await?;
    server.kill().await?;
    transcript.step("server killed with SIGKILL in the middle of a run");
    let server = Server::start(parts, folder).await?;
    let token = client.token().context("signed in")?.clone();
    let client = Client::new(&server.base)?.with_token(token);
    let socket = Socket::connect(&client).await?;
    let adopted = client
        .wait_for_session(&socket, workspace.id, |state| state == SessionState::Ready)
        .await?;
    ensure!(
        adopted.id == session && adopted.state == SessionState::Ready,
        "the next server adopts the session; it is {:?} {:?}",
        adopted.state,
        adopted.reason
    );
    let shell = client.open_terminal(session, 80, 24).await?;
    let mut shell =
        Viewer::attach(&socket, Place::new(session, shell.id, client_id(3), 80, 24)).await?;
    shell.write(b"echo open > /tmp/gate\n").await?;
    let run = client
        .wait_for_run(&socket, workspace.id, started.id, |_| false)
        .await?;
    let output = String::from_utf8(client.run_output(run.id).await?.to_vec())?;
    ensure!(
        (1..=200).all(|tick| output.contains(&format!("tick {tick}\r\n")))
            && output.contains("complete"),
        "the output is complete:\n{output}"
    );
    transcript.step("the next server adopted the session; the run's output is complete");
    Ok((client, server))
}

fn client_id(number: u8) -> String {
    format!("00000000-0000-7000-8000-0000000000{number:02x}")
}
