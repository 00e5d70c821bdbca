//! `RelPath`: the only way to name a file inside a workspace. It cannot escape by construction.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::Code;
use crate::limits::{LINK_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX};

/// A path below a workspace's root: UTF-8 in NFC, `/` between components, never empty, never `.` or `..`. A replica knows
/// each of its paths in half a dozen places, which share one text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS, utoipa::ToSchema)]
#[ts(type = "string")]
#[schema(value_type = String)]
pub struct RelPath(Arc<str>);

/// Why a text is not a path of a workspace. The message is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing was given.
    #[error("The path is empty. Give at least a name.")]
    Empty,
    /// A component is empty: a slash at an end or two in a row.
    #[error(
        "The path \"{0}\" has an empty part. Use single slashes between names, none at the ends."
    )]
    EmptyComponent(String),
    /// `.` or `..`.
    #[error("The path \"{0}\" contains \".\" or \"..\". Name the place itself.")]
    Traversal(String),
    /// NUL or another control character.
    #[error("The name \"{0}\" contains a control character. Remove it.")]
    Control(String),
    /// A name longer than file systems hold.
    #[error("The name \"{0}…\" is longer than {NAME_BYTES_MAX} bytes. Shorten it.")]
    NameTooLong(String),
    /// A path longer than the database and most systems hold.
    #[error("The path is longer than {PATH_BYTES_MAX} bytes. Use fewer or shorter folders.")]
    TooLong,
    /// More folders inside each other than anyone needs.
    #[error("The path stands below more than {PATH_DEPTH_MAX} folders. Use fewer.")]
    TooDeep,
    /// A name that Windows reserves.
    #[error(
        "The name \"{0}\" is reserved on Windows, so it could not live on every computer. Choose another."
    )]
    Reserved(String),
    /// A character that Windows cannot hold, or a dot or space at the end.
    #[error("The name \"{name}\" contains {what}, which Windows cannot hold. Choose another.")]
    Unportable {
        /// The component.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// Slipway's own folder.
    #[error("The name \".slipway\" belongs to Slipway itself. Choose another.")]
    Private,
}

impl PathError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Reserved(_) | Self::Unportable { .. } | Self::Private => Code::PathReserved,
            Self::Empty
            | Self::EmptyComponent(_)
            | Self::Traversal(_)
            | Self::Control(_)
            | Self::NameTooLong(_)
            | Self::TooLong
            | Self::TooDeep => Code::PathInvalid,
        }
    }
}

impl RelPath {
    /// Reads a path as a person or client writes it; the result is in NFC.
    ///
    /// # Errors
    /// When it cannot live on every system; the error says why.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        let normal = normal(text);
        if normal.split('/').count() > PATH_DEPTH_MAX {
            return Err(PathError::TooDeep);
        }
        if longest(&normal) > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        for name in normal.split('/') {
            check_name(name, text)?;
        }
        Ok(Self(normal.into()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The last component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
    /// The folder it stands in; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.into()))
    }
    /// All folders above it, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }
    /// The components from the root.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
    /// A path below this one.
    ///
    /// # Errors
    /// When the result is not a path.
    pub fn join(&self, rest: &str) -> Result<Self, PathError> {
        Self::parse(&format!("{}/{rest}", self.0))
    }
    /// The same place with a number in the name, before its extension: `src/main (2).rs` for `src/main.rs`.
    ///
    /// # Errors
    /// When the name gets too long.
    pub fn beside(&self, number: u32) -> Result<Self, PathError> {
        let (folder, name) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        // A dot at the front begins a hidden name, not an extension.
        let dot = name.rfind('.').filter(|dot| *dot > 0).unwrap_or(name.len());
        let (stem, extension) = name.split_at(dot);
        let name = format!("{stem} ({number}){extension}");
        if folder.is_empty() {
            Self::parse(&name)
        } else {
            Self::parse(&format!("{folder}/{name}"))
        }
    }
    /// Whether it stands below `folder`, at any depth.
    #[must_use]
    pub fn is_below(&self, folder: &Self) -> bool {
        self.0
            .strip_prefix(folder.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }
    /// Whether a link at this path could lead out of the workspace, or nowhere because it is longer than systems hold.
    ///
    /// `..` is allowed at the front alone, where it climbs folders of the tree. Behind a name it may climb from wherever
    /// another link led. So no link leaves the workspace by itself, and then none does by way of another.
    #[must_use]
    pub fn is_led_out_by(&self, target: &str) -> bool {
        let is_one = !target.is_empty() && target.len() <= LINK_BYTES_MAX;
        if !is_one || target.starts_with('/') || target.contains(['\0', '\\']) {
            return true;
        }
        let mut parts = target
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .peekable();
        let mut climbs = 0;
        while parts.next_if_eq(&"..").is_some() {
            climbs += 1;
        }
        climbs >= self.components().count() || parts.any(|part| part == "..")
    }
    /// Equal for two paths that a case-insensitive or normalising volume would take for one.
    #[must_use]
    pub fn fold_key(&self) -> String {
        fold(&self.0)
    }
}

/// NFC of the case-folded text; the spelling that insensitive volumes compare.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    normal(&icu_casemap::CaseMapperBorrowed::new().fold_string(text)).into_owned()
}

/// NFC of a text.
fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Bytes of a path in our form or of its fold key: some letters take more room in one than in the other.
fn longest(normal: &str) -> usize {
    if normal.is_ascii() {
        return normal.len();
    }
    normal.len().max(fold(normal).len())
}

fn check_name(name: &str, whole: &str) -> Result<(), PathError> {
    if name.is_empty() {
        return Err(PathError::EmptyComponent(shown(whole)));
    }
    if name == "." || name == ".." {
        return Err(PathError::Traversal(shown(whole)));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(PathError::NameTooLong(name.chars().take(40).collect()));
    }
    if name.chars().any(char::is_control) {
        return Err(PathError::Control(shown(name)));
    }
    if let Some(bad) = name.chars().find(|c| r#"<>:"|?*\"#.contains(*c)) {
        return Err(PathError::Unportable {
            name: shown(name),
            what: format!("\"{bad}\""),
        });
    }
    if name.ends_with('.') || name.ends_with(' ') {
        return Err(PathError::Unportable {
            name: shown(name),
            what: "a dot or space at its end".to_owned(),
        });
    }
    if is_reserved(name) {
        return Err(PathError::Reserved(shown(name)));
    }
    if fold(name) == ".slipway" {
        return Err(PathError::Private);
    }
    Ok(())
}

/// Windows' device names, with any extension and with superscript digits.
fn is_reserved(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_ascii_uppercase();
    if ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) {
        return true;
    }
    let Some(rest) = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"))
    else {
        return false;
    };
    let mut digits = rest.chars();
    matches!(
        (digits.next(), digits.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

/// Text for an error message: control characters visible, bounded.
fn shown(text: &str) -> String {
    text.chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect()
}

/// In a map by path, ranges of text can be asked for. A path is compared and hashed as its text is.
impl std::borrow::Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl std::fmt::Display for RelPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::fmt::Debug for RelPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
impl std::str::FromStr for RelPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}
impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The code stands in front: whoever answers for a body can tell it from other mistakes of shape.
        Self::parse(&text)
            .map_err(|error| serde::de::Error::custom(format_args!("{}: {error}", error.code())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_letters_are_folded_as_all_others_are() {
        let plain: String = (0..=0x7f_u8).map(char::from).collect();
        let folded = fold(&format!("{plain}Ä"));
        assert_eq!(folded, format!("{}ä", fold(&plain)));
        assert_eq!(normal(&format!("{plain}Ä")), format!("{}Ä", normal(&plain)));
    }

    #[test]
    fn what_cannot_live_everywhere_is_refused_with_its_reason() {
        let cases = [
            ("", Code::PathInvalid),
            ("/etc/passwd", Code::PathInvalid),
            ("a//b", Code::PathInvalid),
            ("a/", Code::PathInvalid),
            ("../x", Code::PathInvalid),
            ("a/./b", Code::PathInvalid),
            ("a\0b", Code::PathInvalid),
            ("a\nb", Code::PathInvalid),
            ("CON", Code::PathReserved),
            ("src/nul.txt", Code::PathReserved),
            ("com¹.log", Code::PathReserved),
            ("LPT0", Code::PathReserved),
            ("what?", Code::PathReserved),
            ("a\\b", Code::PathReserved),
            ("end.", Code::PathReserved),
            ("end ", Code::PathReserved),
            (".Slipway/root", Code::PathReserved),
        ];
        for (text, code) in cases {
            assert_eq!(
                RelPath::parse(text).map_err(|e| e.code()),
                Err(code),
                "{text:?}"
            );
        }
        assert_eq!(
            RelPath::parse(&"x".repeat(256)).map_err(|e| e.code()),
            Err(Code::PathInvalid)
        );
        let deep = |many| vec!["x"; many].join("/");
        assert!(RelPath::parse(&deep(100)).is_ok());
        assert_eq!(RelPath::parse(&deep(101)), Err(PathError::TooDeep));
        assert_eq!(
            RelPath::parse(&"x/".repeat(3000)).map_err(|e| e.code()),
            Err(Code::PathInvalid)
        );
    }

    #[test]
    fn neither_a_path_nor_its_fold_key_is_longer_than_an_index_holds() {
        let path = |name: &str, many| RelPath::parse(&vec![name; many].join("/"));
        let name = "x".repeat(255);
        let longest = path(&name, 8).unwrap();
        assert_eq!(longest.as_str().len(), PATH_BYTES_MAX - 1);
        assert_eq!(longest.join("x"), Err(PathError::TooLong));
        // Three times as long in our form, and half as long again without letter case.
        for (letter, letters, short, long) in [("\u{1d160}", 20, 8, 22), ("\u{149}", 120, 5, 8)] {
            let name = letter.repeat(letters);
            let typed = long * (name.len() + 1) - 1;
            assert!(typed <= PATH_BYTES_MAX, "{letter:?}");
            assert!(path(&name, short).is_ok(), "{letter:?}");
            assert_eq!(path(&name, long), Err(PathError::TooLong), "{letter:?}");
        }
    }

    #[test]
    fn ordinary_names_pass() {
        for text in [
            "main.py",
            "src/lib.rs",
            ".gitignore",
            "Ünïcode/日本.txt",
            "CONSOLE",
            "com10",
            "a b",
            "node_modules/x",
        ] {
            assert_eq!(
                RelPath::parse(text).map(|p| p.to_string()).as_deref(),
                Ok(text)
            );
        }
    }

    #[test]
    fn a_copy_stands_beside_with_its_number_before_the_extension() {
        for (path, beside) in [
            ("main.py", "main (2).py"),
            ("src.d/Makefile", "src.d/Makefile (2)"),
            (".gitignore", ".gitignore (2)"),
            ("a/.env.local", "a/.env (2).local"),
            ("a.tar.gz", "a.tar (2).gz"),
        ] {
            let copy = RelPath::parse(path).and_then(|path| path.beside(2));
            assert_eq!(copy.map(|copy| copy.to_string()).as_deref(), Ok(beside));
        }
    }

    #[test]
    fn two_spellings_of_one_name_share_their_fold_key() {
        let key = |text| RelPath::parse(text).expect("valid").fold_key();
        assert_eq!(key("README.md"), key("readme.MD"));
        assert_eq!(key("caf\u{e9}"), key("cafe\u{301}"));
        assert_eq!(key("straße"), key("STRASSE"));
        assert_ne!(key("a"), key("b"));
    }

    proptest! {
        #[test]
        fn a_path_that_parses_never_escapes(text in "\\PC{0,40}") {
            if let Ok(path) = RelPath::parse(&text) {
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert!(path.components().all(|c| !c.is_empty() && c != "." && c != ".."));
                prop_assert_eq!(RelPath::parse(path.as_str()), Ok(path.clone()));
            }
        }
    }
}
