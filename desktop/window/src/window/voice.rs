//! What the page is told without asking: what the gateway tells, what shall be shown, what was chosen in the menu.
use std::sync::{Arc, Mutex, PoisonError};

use slipway_api::desktop::Told;
use slipway_desktop::gateway::Gateway;
use tauri::ipc::Channel;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Shell;

/// Addresses that wait for a page; more than a person can wish for.
const WAITING_MAX: usize = 16;

/// Speaks to the page.
pub(super) struct Voice {
    /// Subscribed before anything can be told.
    told: Mutex<Option<broadcast::Receiver<Told>>>,
    ear: Mutex<Ear>,
}

#[derive(Default)]
struct Ear {
    page: Option<Channel<Told>>,
    /// What a page that is not there yet shall show. Everything else it reads when it comes.
    waiting: Vec<Told>,
}

impl Voice {
    pub(super) fn new(gateway: &Gateway) -> Self {
        Self {
            told: Mutex::new(Some(gateway.told())),
            ear: Mutex::default(),
        }
    }

    /// The page listens from now on, and hears first how things stand.
    pub(super) fn listen(&self, page: Channel<Told>, standing: Told) {
        let mut ear = self.ear();
        let waiting = std::mem::take(&mut ear.waiting);
        for told in std::iter::once(standing).chain(waiting) {
            // A page that has gone comes back and listens anew.
            drop(page.send(told));
        }
        ear.page = Some(page);
    }

    /// The page is being loaded and does not listen.
    pub(super) fn silence(&self) {
        self.ear().page = None;
    }

    /// Shows an address of the page.
    pub(super) fn show(&self, address: String) {
        self.tell(Told::Show { address });
    }

    /// Tells the page something; whether it listens.
    pub(super) fn tell(&self, told: Told) -> bool {
        let mut ear = self.ear();
        let Some(page) = &ear.page else {
            if matches!(told, Told::Show { .. }) && ear.waiting.len() < WAITING_MAX {
                ear.waiting.push(told);
            }
            return false;
        };
        page.send(told).is_ok()
    }

    fn ear(&self) -> std::sync::MutexGuard<'_, Ear> {
        self.ear.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what the gateway tells, for ever.
pub(super) async fn relay(shell: Arc<Shell>) {
    let voice = &shell.voice;
    let told = voice
        .told
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut told) = told else { return };
    loop {
        match told.recv().await {
            Ok(told) => {
                voice.tell(told);
            }
            // What was missed is read again by whoever shows it.
            Err(RecvError::Lagged(_)) => {
                for told in [shell.gateway.standing(), Told::Workspaces, Told::Account] {
                    voice.tell(told);
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shall_be_shown_waits_for_the_page_and_nothing_else_does() {
        let voice = Voice {
            told: Mutex::default(),
            ear: Mutex::default(),
        };
        voice.tell(Told::Workspaces);
        voice.show("/w/1".to_owned());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let page = |heard: &Arc<Mutex<Vec<String>>>| {
            let heard = Arc::clone(heard);
            Channel::new(move |body| {
                if let tauri::ipc::InvokeResponseBody::Json(text) = body {
                    heard.lock().unwrap().push(text);
                }
                Ok(())
            })
        };
        voice.listen(page(&heard), Told::Account);
        voice.tell(Told::Workspaces);
        voice.silence();
        voice.tell(Told::Workspaces);
        let heard = heard.lock().unwrap();
        let expected = [
            r#"{"told":"account"}"#,
            r#"{"told":"show","address":"/w/1"}"#,
            r#"{"told":"workspaces"}"#,
        ];
        assert_eq!(*heard, expected);
    }
}
