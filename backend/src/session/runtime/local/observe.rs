//! What became of a place: it runs, it ran out of memory, its agent ended, or nothing is known of it.
use slipway_core::code::Code;
use slipway_core::limits;

use super::place::LocalPlace;
use crate::session::runtime::Observed;

pub(super) fn observe(place: &LocalPlace) -> Observed {
    let mut place = place.clone();
    place.find_process();
    if place.is_alive() {
        return Observed::Running;
    }
    let mebi = place.memory_bytes / limits::MIB;
    if place.exit_code() != Some(0) && place.groups.out_of_memory_kills() > 0 {
        return Observed::Gone {
            code: Code::OutOfMemory,
            text: format!("out of memory: {mebi} MiB"),
        };
    }
    match place.exit_code() {
        Some(0) => Observed::Gone {
            code: Code::SessionLost,
            text: "the session's agent ended by itself".to_owned(),
        },
        Some(code) => Observed::Gone {
            code: Code::SessionLost,
            text: format!(
                "the session's agent ended with status {code}: {}",
                place.last_words()
            ),
        },
        None => unknown(),
    }
}

pub(super) fn unknown() -> Observed {
    Observed::Gone {
        code: Code::SessionLost,
        text: "the session's place is gone".to_owned(),
    }
}
