//! Makes a place: volume, groups, folder and record, then the sandbox, until its agent listens.
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::time::Duration;

use super::bwrap::Sources;
use super::place::{self, LocalPlace};
use super::volume::{self, Volume};
use super::{Local, blocking, encode, failed, spawn};
use crate::session::runtime::{Place, PlaceSpec, RuntimeError};

/// From the start of the process until the agent's socket accepts.
const START_TIMEOUT: Duration = Duration::from_secs(10);

impl Local {
    pub(super) async fn start_place(&self, spec: &PlaceSpec) -> Result<Place, RuntimeError> {
        self.usable()?;
        let turn = self.turn(spec.workspace);
        let _turn = turn.lock().await;
        let folder = self.run.join(spec.session.to_string());
        if let Some(found) = LocalPlace::read(&folder) {
            if found.is_alive() && found.connect().await.is_ok() {
                self.serve(&found)?;
                return encode(&found);
            }
            self.end(&found).await?;
        }
        let (mut place, volume) = blocking(|| self.prepare(spec, folder))?;
        self.serve(&place)?;
        let started = blocking(|| self.spawn(&place, &volume, spec))
            .map_err(|source| failed(spec.session, "start the sandbox of", source));
        let listening = match started {
            Ok(mut child) => await_agent(&mut place, &mut child).await,
            Err(error) => Err(error),
        };
        if let Err(error) = listening {
            self.end(&place).await?;
            return Err(error);
        }
        place
            .seal_sockets()
            .and_then(|()| place.write())
            .map_err(|source| failed(spec.session, "record the place of", source))?;
        encode(&place)
    }

    /// Volume, groups, folder and record: all that the first process needs.
    fn prepare(
        &self,
        spec: &PlaceSpec,
        folder: PathBuf,
    ) -> Result<(LocalPlace, Volume), RuntimeError> {
        let io = |what: &'static str| move |source| failed(spec.session, what, source);
        let volume = self
            .volumes
            .attach(spec.workspace)
            .map_err(io("make the volume of"))?;
        let groups = self
            .groups
            .create(&spec.session.to_string(), &self.config.limits)
            .map_err(io("set the limits of"))?;
        let place = LocalPlace {
            session: spec.session,
            workspace: spec.workspace,
            folder,
            uid: volume.uid,
            groups,
            memory_bytes: self.config.limits.memory_bytes,
            sandboxed: !self.config.unsafe_no_sandbox,
            process: None,
        };
        let sockets = place.sockets();
        fs::create_dir_all(&sockets)
            .and_then(|()| fs::set_permissions(&sockets, fs::Permissions::from_mode(0o700)))
            .and_then(|()| chown(&sockets, place.uid, place.uid))
            // Before the process, so that a server that dies now leaves nothing unknown behind.
            .and_then(|()| place.write())
            .map_err(io("make the folder of"))?;
        Ok((place, volume))
    }

    fn spawn(
        &self,
        place: &LocalPlace,
        volume: &Volume,
        spec: &PlaceSpec,
    ) -> io::Result<tokio::process::Child> {
        let key = spec.agent_key.expose(); // handed to the agent, which will ask for it
        let with_egress = self.egress.is_some();
        if self.config.unsafe_no_sandbox {
            tracing::warn!(session.id = %spec.session, "Starting session {} WITHOUT a sandbox: its programs can do what this server can", spec.session);
            let (agent, path) = (&self.config.agent, &self.config.path);
            return spawn::unsafely(place, agent, path, &volume.files, key, with_egress);
        }
        let sources = Sources {
            image: self.config.image.clone(),
            agent: self.config.agent.clone(),
            work: volume.files.join(volume::FOLDERS[0]),
            home: volume.files.join(volume::FOLDERS[1]),
            volume: volume.files.clone(),
            sockets: place.sockets(),
            memory_group: place.groups.memory.clone(),
            pids_group: place.groups.pids.clone(),
        };
        let bwrap = self.bwrap.clone().map_err(io::Error::other)?;
        spawn::sandboxed(&spawn::Launch {
            place,
            sources: &sources,
            bwrap: &bwrap,
            filters: &self.filters,
            key,
            with_egress,
            processes: (place.groups.pids.is_none() && place.uid.is_some())
                .then_some(self.config.limits.processes),
        })
    }
}

/// Waits until the agent's socket accepts, or tells why it never will.
async fn await_agent(
    place: &mut LocalPlace,
    child: &mut tokio::process::Child,
) -> Result<(), RuntimeError> {
    let deadline = tokio::time::Instant::now() + START_TIMEOUT;
    loop {
        if place.connect().await.is_ok() {
            break;
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(RuntimeError::Start(format!(
                "it ended with {status}: {}",
                place.last_words()
            )));
        }
        if tokio::time::Instant::now() > deadline {
            return Err(RuntimeError::Start(format!(
                "it does not listen after {} s: {}",
                START_TIMEOUT.as_secs(),
                place.last_words()
            )));
        }
        // waits: a socket that does not exist yet cannot be waited for; a start takes some ten of these
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if place.sandboxed {
        place.find_process();
    } else {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        place.process = pid.and_then(|pid| Some((pid, place::started(pid)?.0)));
    }
    if place.process.is_none() {
        return Err(RuntimeError::Start(format!(
            "its process is not known: {}",
            place.last_words()
        )));
    }
    Ok(())
}
