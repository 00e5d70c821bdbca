//! Between wire and core types: `TryFrom` on the way in, `From` on the way out.
use slipway_core::hash::ContentHash;

use crate::v1;

/// Why a wire message cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A hash field did not hold 32 bytes.
    #[error("read a hash: {0} bytes instead of 32")]
    Hash(usize),
    /// A node's kind was missing or unknown.
    #[error("read a node: unknown kind {0}")]
    Kind(i32),
    /// A link's target is longer than systems hold.
    #[error("read a link: a target of {0} bytes")]
    Link(usize),
}

/// Reads a hash field.
///
/// # Errors
/// When it does not hold 32 bytes.
pub fn hash(bytes: &[u8]) -> Result<ContentHash, ConvertError> {
    let array: [u8; 32] = bytes
        .try_into()
        .map_err(|_| ConvertError::Hash(bytes.len()))?;
    Ok(ContentHash::from_bytes(array))
}

/// Writes a hash field.
#[must_use]
pub fn hash_bytes(hash: &ContentHash) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(hash.as_bytes())
}

impl v1::Node {
    /// The kind, if it is a known one.
    ///
    /// # Errors
    /// When the kind is missing or unknown.
    pub fn known_kind(&self) -> Result<v1::Kind, ConvertError> {
        match v1::Kind::try_from(self.kind) {
            Ok(v1::Kind::Unspecified) | Err(_) => Err(ConvertError::Kind(self.kind)),
            Ok(kind) => Ok(kind),
        }
    }
}
