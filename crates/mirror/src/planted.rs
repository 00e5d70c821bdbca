//! Known bugs of others, planted one at a time to see that the simulation finds each. In a product there is none: the
//! question is answered by a constant.

/// A bug that somebody had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A file is replaced without a look at what is replaced.
    Unverified,
    /// A new file goes over one that no scan has seen.
    OverUnseen,
    /// A file is removed as the one it was, whatever it is by now.
    RemovedUnseen,
    /// The old file is removed before the new one has its name.
    RemovedFirst,
    /// Nothing is flushed before it counts as kept.
    NeverFlushed,
    /// A folder goes with whatever lies in it.
    WholeFolder,
    /// A folder that makes way for a file goes with what nobody has seen in it.
    FullFolder,
    /// A folder that cannot be read is empty.
    FailedListing,
    /// What could not be written counts as written.
    FailedIsDone,
    /// A folder that was made anew is the one that it was.
    AnyRoot,
    /// After the hub was set back, what it lacks was deleted.
    OldBase,
    /// Without a base, what is here wins.
    LocalWins,
    /// A deletion here wins over an edit there.
    DeletionWins,
    /// Only what events tell is looked at.
    NoAudit,
    /// A file whose size and time are the same is the same.
    TrustedTimes,
    /// A file whose size is the same is the same.
    TrustedSize,
    /// A file that is written while it is read is what was read.
    TrustedRead,
    /// What was replaced is dropped, though a program still writes to it.
    LateWriter,
    /// What loses a conflict is dropped if it is a conflict copy.
    CopyOfCopy,
    /// A conflict copy takes the place of another one.
    CopyOverCopy,
    /// Links are followed.
    LinksFollowed,
    /// An answer that got lost was good.
    LostAnswer,
    /// An edit of exactly what is here is a conflict.
    KnownIsConflict,
    /// What was not told whole is not told again.
    HalfIsWhole,
    /// What found no room is not tried again.
    FullOnce,
    /// What comes from the hub is proposed to it.
    Echo,
    /// A base is kept that says more than the files do.
    BaseLeads,
    /// What a loss of power left of a file is an edit.
    TornIsEdit,
    /// Most of a folder goes at the hub, and nobody is asked.
    Unasked,
    /// A file that moves is deleted where it was before it is told where it is.
    GoneFirst,
    /// A file that moved at the hub is renamed here, whatever it is by now.
    MovedUnseen,
    /// Whatever comes when something goes is told to be that.
    FalseOrigin,
    /// What another spelling of a name finds is replaced as what has that name.
    OverSpelling,
    /// What another spelling of a name finds has its new name already, and the old name goes.
    SpellingGoes,
    /// A folder goes with what stays out of step in it.
    StaysOutGoes,
    /// Rules that come from the hub let out what stays here.
    RulesOfOthers,
}

/// All of them, with who had them and the harm that brings them to light: crashes, losses of power, errors, hostile programs,
/// lost events, restored hubs, or one who writes alone, by their first letters; `k` are programs that make links, `t` those
/// that write to what they opened long before, `m` those that rename, `i` tools that make what never syncs.
pub const ALL: &[(Bug, &str, &str)] = &[
    (Bug::Unverified, "syncthing #220, #1852", "h"),
    (Bug::OverUnseen, "syncthing #3742, #2416", "h"),
    (Bug::RemovedUnseen, "syncthing #4987, #6252", "h"),
    (Bug::RemovedFirst, "syncthing performFinish", "c"),
    (Bug::NeverFlushed, "mutagen, no fsync anywhere", "p"),
    (Bug::WholeFolder, "syncthing #6646", "h"),
    (Bug::FullFolder, "mutagen 912bc19e", ""),
    (Bug::FailedListing, "owncloud #6677", "e"),
    (Bug::FailedIsDone, "owncloud #8294", "e"),
    (Bug::AnyRoot, "mutagen #275, #292", "p"),
    (Bug::OldBase, "nextcloud #9259, #1238", "r"),
    (Bug::LocalWins, "syncthing #3876, #6605", ""),
    (Bug::DeletionWins, "syncthing #10207", ""),
    (
        Bug::NoAudit,
        "mutagen b825379b, owncloud #10458, notify #412",
        "l",
    ),
    (Bug::TrustedTimes, "unison 2.54, fastcheck", ""),
    (Bug::TrustedSize, "vscode #119002", ""),
    (Bug::TrustedRead, "unison, DANGER.README", "h"),
    (
        Bug::LateWriter,
        "git-annex assistant, writers of replaced files",
        "t",
    ),
    (Bug::CopyOfCopy, "syncthing moveForConflict", ""),
    (
        Bug::CopyOverCopy,
        "Mysteries of Dropbox, lost conflict copies",
        "",
    ),
    (Bug::LinksFollowed, "syncthing #4286, #6090", "lk"),
    (Bug::LostAnswer, "owncloud #5106", ""),
    (Bug::KnownIsConflict, "syncthing #10349", "s"),
    (Bug::HalfIsWhole, "mutagen 796d74a9", ""),
    (Bug::FullOnce, "devspace #1491", "e"),
    (Bug::Echo, "mutagen c4830be3, skaffold #2472", ""),
    (Bug::BaseLeads, "nextcloud #4806", "c"),
    (Bug::TornIsEdit, "nextcloud #10547", "p"),
    (Bug::Unasked, "what unison has confirmbigdel for", ""),
    (Bug::GoneFirst, "owncloud #7441", ""),
    (Bug::MovedUnseen, "syncthing #6650 to #6657", "hm"),
    (Bug::FalseOrigin, "syncthing #5203", ""),
    (Bug::OverSpelling, "syncthing #1787, #6973", ""),
    (Bug::SpellingGoes, "syncthing #6978", "m"),
    (Bug::StaysOutGoes, "what syncthing has (?d) for", "i"),
    (
        Bug::RulesOfOthers,
        "what syncthing keeps .stignore to itself for",
        "i",
    ),
];

#[cfg(any(test, feature = "simulation"))]
std::thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in the engines of this thread, or takes it out again.
#[cfg(any(test, feature = "simulation"))]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this bug is planted.
#[cfg(any(test, feature = "simulation"))]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Whether this bug is planted: none is.
#[cfg(not(any(test, feature = "simulation")))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}
