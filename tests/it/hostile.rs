//! Hostile programs in a session: each ends with a sentence for its user, and nobody else notices.
use slipway_api::run::Run;
use slipway_api::session::SessionState;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::Viewer;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_proto::v1;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

/// Somebody hostile, and somebody next to them who must not notice.
struct Scene {
    mallory: Client,
    socket: Socket,
    workspace: WorkspaceId,
    witness: Viewer,
    _bo: Socket,
    lab: Lab,
}

impl Scene {
    async fn open() -> Self {
        let lab = Lab::start().await;
        let (mallory, bo) = (lab.user("mallory").await, lab.user("bo").await);
        let bo_socket = Socket::connect(&bo).await.expect("the scene goes on");
        let bos = bo.empty_workspace().await;
        bo.write_file(bos, "secret.txt", None, "the tide turns at noon".into())
            .await
            .expect("the scene goes on");
        let session = bo.started(&bo_socket, bos).await;
        let witness = bo.shell(&bo_socket, session.id).await;
        let socket = Socket::connect(&mallory).await.expect("the scene goes on");
        let workspace = mallory.empty_workspace().await;
        mallory.started(&socket, workspace).await;
        Self {
            mallory,
            socket,
            workspace,
            witness,
            _bo: bo_socket,
            lab,
        }
    }

    /// Runs a line of shell to its end; its output.
    async fn run(&self, line: &str) -> (Run, String) {
        let run = self
            .mallory
            .command(self.workspace, line)
            .await
            .expect("the scene goes on");
        let run = self
            .mallory
            .finished(&self.socket, self.workspace, run.id)
            .await;
        let output = self
            .mallory
            .run_output(run.id)
            .await
            .expect("the scene goes on");
        (run, String::from_utf8_lossy(&output).into_owned())
    }

    async fn python(&self, program: &str) -> (Run, String) {
        self.run(&format!("python3 -c '{program}'")).await
    }

    /// The session still works, and so does the one next to it.
    async fn all_is_well(&mut self) {
        let (run, output) = self.run("echo fine-$((40+2))").await;
        assert!(output.contains("fine-42"), "{run:?}: {output}");
        assert_eq!(run.reason, None);
        self.witness
            .write(b"cat secret.txt; echo here-$((40+2))\r")
            .await
            .expect("the scene goes on");
        let answered = self.witness.read_until("here-42");
        let seen = tokio::time::timeout(PATIENCE, answered)
            .await
            .expect("the scene goes on");
        assert!(
            seen.expect("the scene goes on")
                .contains("the tide turns at noon")
        );
    }

    /// What people are told while a line runs.
    async fn told_while(&self, line: &str, code: Code) -> (Run, String, String) {
        let mut events = self
            .socket
            .events(Some(self.workspace))
            .await
            .expect("the scene goes on");
        let (run, output) = self.run(line).await;
        let told = async {
            loop {
                let event = events.recv().await.expect("events go on");
                if let Some(v1::event::Event::Notice(notice)) = event.event
                    && notice.code == code.as_str()
                {
                    return notice.message;
                }
            }
        };
        let told = tokio::time::timeout(PATIENCE, told).await;
        let told = told.unwrap_or_else(|_| panic!("a notice; {run:?}: {output}"));
        (run, output, told)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_hog_is_told_what_it_ran_out_of() {
    let mut scene = Scene::open().await;
    let hog = "python3 -c 'held = b\"x\" * (700 << 20); print(len(held))'";
    let (run, output, told) = scene.told_while(hog, Code::OutOfMemory).await;
    assert!(!output.contains("734003200"), "{output}");
    assert_eq!(run.reason.as_deref(), Some("out of memory: 512 MiB"));
    assert_eq!(told, "out of memory: 512 MiB");
    // A program that is killed for another reason is not blamed for the earlier one's greed.
    let (run, _) = scene.run("kill -9 $$").await;
    assert_eq!(run.reason, None);
    scene.all_is_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_bomb_meets_the_limit_and_ends_with_its_run() {
    let mut scene = Scene::open().await;
    let bomb = "import os, time\nnumber = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(600)\n        number += 1\nexcept OSError as error:\n    print(number, error.strerror, flush=True)\n    time.sleep(11)\n    open(\"late.txt\", \"w\").write(\"late\")\n    time.sleep(2)";
    scene
        .mallory
        .write_file(scene.workspace, "bomb.py", None, bomb.into())
        .await
        .unwrap();
    let (_, output, told) = scene
        .told_while("python3 bomb.py", Code::TooManyProcesses)
        .await;
    assert!(
        output.contains("Resource temporarily unavailable"),
        "{output}"
    );
    assert!(told.starts_with("too many processes: "), "{told}");
    // Meanwhile a file was written and stored, long after any thread that is not kept had ended.
    let late = scene.mallory.read_file(scene.workspace, "late.txt").await;
    assert!(late.is_ok(), "{late:?}");
    scene.all_is_well().await;
    // One that never stops by itself is stopped by its user.
    let run = scene
        .mallory
        .command(scene.workspace, "b() { b | b & b; }; b")
        .await
        .unwrap();
    let state = slipway_api::run::RunState::Running;
    scene
        .mallory
        .until_run(&scene.socket, scene.workspace, run.id, state)
        .await;
    scene.mallory.stop_run(run.id).await.unwrap();
    scene
        .mallory
        .finished(&scene.socket, scene.workspace, run.id)
        .await;
    scene.all_is_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_filler_fills_its_own_disk_only() {
    let mut scene = Scene::open().await;
    if let Some(reason) = no_own_disk(&scene.lab) {
        println!("SKIP a_disk_filler_fills_its_own_disk_only: {reason}");
        return;
    }
    let fill = "dd if=/dev/zero of=$HOME/big bs=1M count=4000 2>&1; sync; sleep 2; rm $HOME/big";
    let (_, output, told) = scene.told_while(fill, Code::DiskFull).await;
    assert!(output.contains("No space left on device"), "{output}");
    assert!(told.starts_with("disk full: "), "{told}");
    scene.all_is_well().await;
}

/// Why sessions have no disk of their own on this machine, if they have not.
fn no_own_disk(lab: &Lab) -> Option<String> {
    let protections = lab.app().runtime.protections();
    let disk = protections
        .iter()
        .find(|one| format!("{one:?}").contains("disk"))?;
    (!disk.active).then(|| format!("{disk:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_others_can_be_read() {
    let mut scene = Scene::open().await;
    let (_, output) = scene
        .run("find / -path /proc -prune -o \\( -name secret.txt -o -name '.s.PGSQL*' -o -name '*.sock' \\) -print 2>/dev/null; echo over")
        .await;
    assert!(!output.contains("secret.txt"), "{output}");
    assert!(!output.contains("PGSQL"), "{output}");
    assert!(output.contains("over"), "{output}");
    let data = scene.lab.data_dir().display().to_string();
    let (run, output) = scene.run(&format!("ls -la {data}")).await;
    assert!(output.contains("No such file or directory"), "{output}");
    assert_ne!(run.exit.and_then(|exit| exit.code), Some(0));
    let (_, output) = scene
        .run("cat /proc/1/environ /proc/1/mem; ls -l /proc/1/fd")
        .await;
    assert!(output.contains("Permission denied"), "{output}");
    assert!(!output.contains("SLIPWAY_AGENT_KEY"), "{output}");
    let (_, output) = scene.run("env; ps -e -o args || true").await;
    assert!(!output.contains("SLIPWAY_AGENT_KEY"), "{output}");
    assert!(!output.contains("postgres"), "{output}");
    scene.all_is_well().await;
}

/// Every way to take processor time, disk time or files from the agent; then the same on a process of one's own.
const SLOW_DOWN: &str = r#"
for way in "taskset -p 1 1" "chrt -i -p 0 1" "renice 19 -p 1" "renice 19 -g 1" "renice 19 -u $(id -u)" \
    "ionice -c 3 -p 1" "ionice -c 3 -P 1" "ionice -c 3 -u $(id -u)" "prlimit --pid 1 --nofile=3:3"; do
    $way > /dev/null 2>&1 && echo "did: $way"
done
own=0
for way in "taskset -p 1 $$" "chrt -b -p 0 $$" "renice 19 -p $$" "ionice -c 3 -p $$"; do
    $way > /dev/null && own=$((own + 1))
done
echo "own: $own"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_cannot_be_ended_slowed_or_traced() {
    let mut scene = Scene::open().await;
    let before = scene.mallory.session(scene.workspace).await.unwrap();
    let id = before.expect("a session").id;
    let mut shell = scene.mallory.shell(&scene.socket, id).await;
    shell.write(b"mine=kept\r").await.unwrap();
    scene
        .run("for signal in TERM HUP INT QUIT USR1 CHLD SEGV STOP KILL; do kill -$signal 1; done; echo tried")
        .await;
    let forged = "import ctypes, struct; info = struct.pack(\"iiiiii104x\", 15, 0, -1, 0, 0, 0); print(ctypes.CDLL(None).syscall(129, 1, 15, info))";
    scene.python(forged).await;
    let (_, output) = scene
        .python(
            "import resource; resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)); print(\"limited\")",
        )
        .await;
    assert!(!output.contains("limited"), "{output}");
    let (_, output) = scene.run(SLOW_DOWN).await;
    assert!(!output.contains("did:"), "{output}");
    assert!(output.contains("own: 4"), "{output}");
    let steal = "import ctypes, os; agent = os.pidfd_open(1); print(\"best:\", max(ctypes.CDLL(None).syscall(438, agent, fd, 0) for fd in range(32)))";
    let (_, output) = scene.python(steal).await;
    assert!(output.contains("best: -1"), "{output}");
    // The same agent answers: its shells have what they had.
    shell.write(b"echo $mine-$((40+2))\r").await.unwrap();
    let answered = tokio::time::timeout(PATIENCE, shell.read_until("kept-42"));
    answered.await.unwrap().unwrap();
    scene.run("kill -9 -1").await;
    let (_, output) = scene
        .python("import ctypes; print(\"traced\", ctypes.CDLL(None).ptrace(16, 1, 0, 0))")
        .await;
    assert!(!output.contains("traced 0"), "{output}");
    let session = scene.mallory.session(scene.workspace).await.unwrap();
    assert_eq!(
        session.map(|session| session.state),
        Some(SessionState::Ready)
    );
    scene.all_is_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_network_is_reached() {
    let mut scene = Scene::open().await;
    let port = scene.lab.base().rsplit(':').next().unwrap().to_owned();
    for (address, port) in [
        ("127.0.0.1", port.as_str()),
        ("169.254.169.254", "80"),
        ("10.0.0.1", "53"),
    ] {
        let (_, output) = scene
            .python(&format!("import socket; socket.create_connection((\"{address}\", {port}), 5); print(\"reached\")"))
            .await;
        assert!(!output.contains("reached"), "{address}: {output}");
        let words = ["Connection refused", "Network is unreachable"];
        assert!(
            words.iter().any(|words| output.contains(words)),
            "{address}: {output}"
        );
    }
    let socket = scene.lab.postgres_socket().join(".s.PGSQL.5432");
    let (_, output) = scene
        .python(&format!(
            "import socket; socket.socket(socket.AF_UNIX).connect(\"{}\"); print(\"reached\")",
            socket.display()
        ))
        .await;
    assert!(output.contains("No such file or directory"), "{output}");
    scene.all_is_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_rights_are_gained() {
    let mut scene = Scene::open().await;
    let (_, output) = scene
        .run("unshare -Ur id -u || echo no-namespace; mount -t tmpfs none /mnt || echo no-mount; cp /bin/bash own; chmod u+s own; ./own -p -c 'id -u'; echo > /usr/own || echo no-write")
        .await;
    for words in ["no-namespace", "no-mount", "no-write"] {
        assert!(output.contains(words), "{words}: {output}");
    }
    assert!(!output.lines().any(|line| line.trim() == "0"), "{output}");
    let (_, output) = scene
        .python(
            "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print(\"opened\")",
        )
        .await;
    assert!(!output.contains("opened"), "{output}");
    scene.all_is_well().await;
}
