//! Takes back what a person's operations did, when one of them did not pass and all were to pass together.
use slipway_core::path::RelPath;

use super::Work;
use crate::disk::{DiskError, Expected, Seen, Was};
use crate::engine::state::State;
use crate::local::By;

/// How one step is taken back.
pub(super) enum Back {
    /// This stands where nothing stood.
    Made(RelPath, Expected),
    /// This file took another's place, which has a private name since, and was executable or not.
    Over(RelPath, Was, String, bool),
    /// It has a private name since.
    Gone(RelPath, String),
    /// A link is gone.
    Link(RelPath, String),
    /// An empty folder is gone.
    Folder(RelPath),
    /// It has another name since.
    Moved(RelPath, RelPath),
}

impl State {
    /// Takes all back, the last step first. What another program did meanwhile stays, and what it stands in the way of comes
    /// back beside it.
    pub(in crate::engine) fn take_back(&mut self, work: &mut Work) {
        for back in std::mem::take(&mut work.back).into_iter().rev() {
            if let Err(error) = self.step_back(&back) {
                tracing::warn!(%error, "A step of a commit that did not pass cannot be taken back");
                if let Back::Over(path, _, name, _) | Back::Gone(path, name) = &back {
                    self.rescue_named(path, name);
                }
            }
        }
        work.gone.clear();
        let touched: Vec<_> = work.touched.iter().cloned().collect();
        for path in touched {
            let first = self.first_unknown(path);
            self.scan_path(&first, By::Person, &mut work.touched);
        }
    }

    fn step_back(&mut self, back: &Back) -> Result<(), DiskError> {
        match back {
            Back::Made(path, Expected::File(made)) => {
                let made = self.still(path, made)?;
                self.disk.remove(path, &Expected::File(made)).map(drop)
            }
            Back::Made(path, made) => self.disk.remove(path, made).map(drop),
            Back::Over(path, ours, name, executable) => {
                let over = Some(self.still(path, ours)?);
                let put = self.disk.put(name, path, *executable, over);
                put.map(drop)
            }
            Back::Gone(path, name) => self.disk.bring_back(name, path),
            Back::Link(path, target) => self.disk.make_link(path, target),
            Back::Folder(path) => self.disk.make_folder(path),
            Back::Moved(from, to) => self.disk.rename(to, from),
        }
    }

    /// What was put at a path, as it stands there now: the steps after it may have moved it away and back.
    fn still(&self, path: &RelPath, ours: &Was) -> Result<Was, DiskError> {
        match self.disk.root().look(path)? {
            Some(Seen::File(print)) if print.is_untouched(&ours.print) => {
                Ok(Was { print, ..*ours })
            }
            _ => Err(DiskError::Unexpected),
        }
    }
}
