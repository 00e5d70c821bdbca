//! Nodes of the tree, between the wire and sync.
use slipway_core::hash::ContentHash;
use slipway_core::limits::LINK_BYTES_MAX;
use slipway_proto::convert::{self, ConvertError};
use slipway_proto::v1;
use slipway_sync::node::Node;

/// A node as the wire carries it.
#[must_use]
pub fn to_wire(node: &Node) -> v1::Node {
    let mut wire = v1::Node::default();
    match node {
        Node::File {
            hash,
            size,
            executable,
        } => {
            wire.set_kind(v1::Kind::File);
            wire.hash = convert::hash_bytes(hash);
            wire.size = *size;
            wire.executable = *executable;
        }
        Node::Folder => wire.set_kind(v1::Kind::Folder),
        Node::Symlink { target } => {
            wire.set_kind(v1::Kind::Symlink);
            wire.hash = convert::hash_bytes(&ContentHash::of(target.as_bytes()));
            wire.link_target.clone_from(target);
        }
    }
    wire
}

/// A node as sync compares it.
///
/// # Errors
/// Unknown kind, a hash that is none, or a link that leads further than any can.
pub fn from_wire(wire: &v1::Node) -> Result<Node, ConvertError> {
    Ok(match wire.known_kind()? {
        v1::Kind::File => Node::File {
            hash: convert::hash(&wire.hash)?,
            size: wire.size,
            executable: wire.executable,
        },
        v1::Kind::Symlink if wire.link_target.len() > LINK_BYTES_MAX => {
            return Err(ConvertError::Link(wire.link_target.len()));
        }
        v1::Kind::Symlink => Node::Symlink {
            target: wire.link_target.clone(),
        },
        v1::Kind::Folder | v1::Kind::Unspecified => Node::Folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_no_system_holds_is_none() {
        let read = |bytes: usize| {
            let target = "x".repeat(bytes);
            from_wire(&to_wire(&Node::Symlink { target }))
        };
        assert!(read(LINK_BYTES_MAX).is_ok());
        assert!(matches!(
            read(LINK_BYTES_MAX + 1),
            Err(ConvertError::Link(_))
        ));
    }
}
