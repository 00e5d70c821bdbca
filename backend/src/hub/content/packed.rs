//! Contents as they are stored: packed where that makes them smaller. Small ones come by the thousand, so what packs and
//! unpacks them is made once for all of a statement.
use bytes::Bytes;
use slipway_core::hash::ContentHash;
use zstd::bulk::{Compressor, Decompressor};

use crate::hub::types::{HubError, Whole};

/// Below it packing costs more than it saves.
const PACKED_FROM: usize = 512;
/// So much of a larger content tells packed data apart from text.
const PROBE: usize = 4096;
/// Below it all of a content is packed as soon as a part of it.
const PROBED_FROM: usize = 8 * PROBE;
const RAW: i16 = 0;
const ZSTD: i16 = 1;

/// A small content as it is stored.
pub(super) struct Packed {
    pub(super) hash: ContentHash,
    /// Of the content.
    pub(super) size: i64,
    pub(super) codec: i16,
    pub(super) body: Vec<u8>,
}

impl Packed {
    pub(super) fn new(content: &Whole, packer: &mut Packer) -> Self {
        let (codec, body) = packer.pack(content.bytes());
        Self {
            hash: content.hash(),
            size: content.size().cast_signed(),
            codec,
            body,
        }
    }
}

/// Packs one content after another.
#[derive(Default)]
pub(super) struct Packer(Option<Compressor<'static>>);

impl Packer {
    /// A content as it is stored.
    pub(super) fn pack(&mut self, content: &[u8]) -> (i16, Vec<u8>) {
        let packed = self.packed(content);
        packed.map_or_else(|| (RAW, content.to_vec()), |packed| (ZSTD, packed))
    }

    fn packed(&mut self, content: &[u8]) -> Option<Vec<u8>> {
        if content.len() < PACKED_FROM {
            return None;
        }
        let compressor = match &mut self.0 {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(1).ok()?),
        };
        if content.len() >= PROBED_FROM {
            let probe = compressor.compress(&content[..PROBE]).ok()?;
            if !is_smaller(&probe, PROBE) {
                return None;
            }
        }
        let packed = compressor.compress(content).ok()?;
        is_smaller(&packed, content.len()).then_some(packed)
    }
}

/// Whether packing is worth what unpacking costs.
const fn is_smaller(packed: &[u8], size: usize) -> bool {
    packed.len() < size / 10 * 9
}

/// Unpacks one content after another.
#[derive(Default)]
pub(super) struct Unpacker(Option<Decompressor<'static>>);

impl Unpacker {
    pub(super) fn unpack(
        &mut self,
        codec: i16,
        content: Vec<u8>,
        size: usize,
    ) -> Result<Bytes, HubError> {
        let damaged = |error: std::io::Error| HubError::Damaged(error.to_string());
        match codec {
            RAW => Ok(content.into()),
            ZSTD => {
                let decompressor = match &mut self.0 {
                    Some(decompressor) => decompressor,
                    none => none.insert(Decompressor::new().map_err(damaged)?),
                };
                let bytes = decompressor.decompress(&content, size);
                bytes.map(Bytes::from).map_err(damaged)
            }
            other => Err(HubError::Damaged(format!("codec {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_as_it_was_and_only_what_shrinks_is_packed() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        let text = |many: usize| "every word of it once more ".repeat(many).into_bytes();
        let mut seed = 1_u32;
        let chance = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(0x9e37_79b1).wrapping_add(12_345);
            (seed >> 24) as u8
        });
        let chance: Vec<u8> = chance.take(50_000).collect();
        for (content, shrinks) in [
            (text(1), false),
            (text(40), true),
            (text(4_000), true),
            (chance[..3_000].to_vec(), false),
            (chance, false),
        ] {
            let (codec, packed) = packer.pack(&content);
            assert_eq!(packed.len() < content.len(), shrinks);
            let out = unpacker.unpack(codec, packed, content.len()).unwrap();
            assert!(out == content);
        }
        assert!(unpacker.unpack(7, Vec::new(), 0).is_err());
        assert!(unpacker.unpack(ZSTD, b"none".to_vec(), 4).is_err());
    }
}
