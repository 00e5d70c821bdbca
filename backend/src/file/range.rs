//! `Range` of a download: one range of bytes; several, or what is no range of bytes, get the whole.
use axum::http::{HeaderMap, HeaderName, header};
use slipway_core::code::Code;

use crate::error::Error;

/// A part of a content, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: u64,
    /// The last byte of it.
    pub(super) to: u64,
}

impl Range {
    pub(super) const fn bytes(self) -> u64 {
        self.to - self.from + 1
    }

    /// As `Content-Range` says it.
    pub(super) fn header(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.from, self.to)
    }
}

/// The part that a request asks for; `None`: the whole.
///
/// # Errors
/// When it lies outside of the content.
pub(super) fn asked(headers: &HeaderMap, etag: &str, size: u64) -> Result<Option<Range>, Error> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A part of another version is of no use to who has the beginning of this one.
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Ok(None);
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((from, to)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Ok(None);
    };
    let outside = || {
        let message = format!("The file has {size} bytes; the range lies outside of it.");
        Error::new(Code::RangeUnsatisfiable, message).with_size(size)
    };
    let range = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to),
        (Ok(from), Err(_)) if to.is_empty() => (from, u64::MAX),
        (Err(_), Ok(0)) if from.is_empty() => return Err(outside()),
        (Err(_), Ok(last)) if from.is_empty() => (size.saturating_sub(last), u64::MAX),
        // Not understood, or more than one: the whole is always right.
        _ => return Ok(None),
    };
    let (from, to) = range;
    if from >= size {
        return Err(outside());
    }
    let to = to.min(size - 1);
    Ok(Some(Range { from, to }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ten(range: &str) -> Result<Option<(u64, u64)>, Code> {
        let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
        let asked = asked(&headers, "etag", 10).map_err(|error| error.code());
        Ok(asked?.map(|range| (range.from, range.to)))
    }

    #[test]
    fn a_range_is_cut_to_the_content_refused_or_ignored() {
        assert_eq!(of_ten("bytes=0-3"), Ok(Some((0, 3))));
        assert_eq!(of_ten("bytes=9-9"), Ok(Some((9, 9))));
        assert_eq!(of_ten("bytes=4-"), Ok(Some((4, 9))));
        assert_eq!(of_ten("bytes=4-99"), Ok(Some((4, 9))));
        assert_eq!(of_ten("bytes=-3"), Ok(Some((7, 9))));
        assert_eq!(of_ten("bytes=-99"), Ok(Some((0, 9))));
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(of_ten(outside), Err(Code::RangeUnsatisfiable), "{outside}");
        }
        for ignored in [
            "bytes=3-2",
            "bytes=0-1,4-5",
            "bytes=a-b",
            "bytes=-",
            "lines=1-2",
            "0-3",
        ] {
            assert_eq!(of_ten(ignored), Ok(None), "{ignored}");
        }
    }
}
