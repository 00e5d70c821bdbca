//! A request of the page, taken apart.
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;

use slipway_core::code::Code;
use slipway_core::path::RelPath;

use super::answer::{self, Fault};

/// A request; its path is below `/api/v1`.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// As it came: escaped, with its query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    /// Takes a request.
    ///
    /// # Errors
    /// When its path is none of an API: a part that means another folder leads nowhere here.
    pub(super) fn of(request: Request<Bytes>) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let asked = Self {
            method: parts.method,
            path: path.to_owned(),
            headers: parts.headers,
            body,
        };
        asked.parts().into_iter().try_for_each(leads_on)?;
        Ok(asked)
    }

    /// A question of our own.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// The same with another body.
    pub(super) fn with_json(&self, body: &impl Serialize) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.clone(),
            body: serde_json::to_vec(body).unwrap_or_default().into(),
        }
    }

    /// The parts of the path, escaped.
    pub(super) fn parts(&self) -> Vec<&str> {
        let path = self.path.split('?').next().unwrap_or_default();
        path.trim_start_matches('/').split('/').collect()
    }

    /// The query with its mark, or nothing.
    pub(super) fn query(&self) -> &str {
        self.path.find('?').map_or("", |at| &self.path[at..])
    }

    /// What the query says of a name.
    pub(super) fn wish(&self, name: &str) -> Option<String> {
        let query = self.query().trim_start_matches('?');
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Whether it is about what this machine keeps, also where a server keeps something alike.
    pub(super) fn is_of_here(&self) -> bool {
        self.wish("of").as_deref() == Some("here")
    }

    /// A number of the query.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let wish = self.wish(name);
        let number = wish.map(|text| text.parse()).transpose();
        number.map_err(|_| Fault::of_field(name, Code::InvalidRequest, "Give a number."))
    }

    /// A header as text.
    pub(super) fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        let value = self.headers.get(name.into())?;
        value.to_str().ok().map(str::trim)
    }

    /// The body as what the route takes.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        answer::read(&self.body)
    }
}

/// Parts of a request's path as a path of a workspace.
///
/// # Errors
/// When it cannot be one.
pub(super) fn path_of(parts: &[&str]) -> Result<RelPath, Fault> {
    let escaped = parts.join("/");
    let path = decoded(&escaped)
        .ok_or_else(|| Fault::new(Code::PathInvalid, "The path is no text in UTF-8."))?;
    Ok(RelPath::parse(&path)?)
}

/// Whether a part of a path, escaped, means what it says.
fn leads_on(part: &str) -> Result<(), Fault> {
    match decoded(part).as_deref() {
        None | Some("." | "..") => Err(Fault::not_found("address")),
        // Whoever sends it on takes it for `/`; it is in no name of a workspace either, and those words help.
        Some(name) if name.contains('\\') => Ok(RelPath::parse(name).map(drop)?),
        Some(_) => Ok(()),
    }
}

fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part)
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str) -> Result<Asked, Fault> {
        Asked::of(Request::get(path).body(Bytes::new()).unwrap())
    }

    #[test]
    fn a_path_is_taken_apart_and_leads_nowhere_else() {
        let one = asked("/workspaces/1/files/a%20b/%C3%A4.txt?revision=3&x=a+b").unwrap();
        let parts = one.parts();
        assert_eq!(parts[..3], ["workspaces", "1", "files"]);
        assert_eq!(path_of(&parts[3..]).unwrap().as_str(), "a b/ä.txt");
        assert_eq!(one.number("revision").unwrap(), Some(3));
        assert!(one.number("x").is_err());
        assert_eq!(one.wish("x").as_deref(), Some("a b"));
        assert_eq!(one.wish("y"), None);
        for odd in [
            "/a/../b",
            "/a/%2e%2E/b",
            "/./a",
            "/a/%ff",
            r"/x\..\sign-in",
            r"/a\b",
            "/a%5cb",
            "/x%5C..%5Csign-in",
        ] {
            assert!(asked(odd).is_err(), "{odd}");
        }
    }
}
