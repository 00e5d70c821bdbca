//! One connection of an engine with the hub: what is said on it, frame by frame.
use super::*;

/// A content that comes piece by piece.
struct Arriving {
    hash: Bytes,
    bytes: Vec<u8>,
    /// A range of what is not here.
    lacks: bool,
}

/// One engine's.
pub(super) struct Connection<'a> {
    hub: &'a Hub,
    /// The revision up to which the engine was told; `None` before its hello.
    sent: Option<u64>,
    flush: u64,
    arriving: Option<Arriving>,
}

/// `None` when it ends.
type Goes = Option<()>;

impl<'a> Connection<'a> {
    pub(super) const fn of(hub: &'a Hub) -> Self {
        Self {
            hub,
            sent: None,
            flush: 0,
            arriving: None,
        }
    }

    async fn say(&self, frame: hub_frame::Frame, ends: &Ends) -> Goes {
        let frame = v1::HubFrame { frame: Some(frame) };
        ends.to_control.send(frame).await.ok()
    }

    /// What came of a content is held.
    pub(super) fn breaks_off(&mut self) {
        if let Some(Arriving {
            hash,
            bytes,
            lacks: false,
        }) = self.arriving.take()
        {
            let mut inner = self.hub.inner();
            let (begin, size) = (ContentHash::of(&bytes), bytes.len() as u64);
            inner.contents.insert(begin, bytes.into());
            let hash = convert::hash(&hash).unwrap();
            inner.begun.insert(hash, (begin, size));
            inner.breaks += 1;
        }
    }

    /// Counts down to the end.
    fn goes_on(&self) -> Goes {
        let mut inner = self.hub.inner();
        match &mut inner.frames_left {
            Some(0) => {
                inner.frames_left = None;
                None
            }
            Some(left) => {
                *left -= 1;
                Some(())
            }
            None => Some(()),
        }
    }

    pub(super) async fn hear(&mut self, frame: spoke_frame::Frame, ends: &Ends) -> Goes {
        match frame {
            spoke_frame::Frame::Hello(hello) => {
                assert_eq!(hello.protocol, PROTOCOL);
                self.greet(&hello, ends).await?;
            }
            spoke_frame::Frame::Propose(propose) => self.proposed(&propose, ends).await?,
            spoke_frame::Frame::Need(need) => {
                for (hash, offset) in need.hashes.into_iter().zip(need.offsets) {
                    self.send_content(hash, offset, ends).await?;
                }
            }
            spoke_frame::Frame::Applied(applied) => self.hub.inner().applied = applied.revision,
            spoke_frame::Frame::Flushed(flushed) => self.hub.inner().flushed = flushed.token,
            // It does not offer to.
            spoke_frame::Frame::Compare(_) => panic!("nobody asks"),
        }
        self.goes_on()
    }

    async fn greet(&mut self, hello: &v1::SpokeHello, ends: &Ends) -> Goes {
        let (head, all) = {
            let inner = self.hub.inner();
            let all: Vec<_> = inner.tree.clone().into_iter().collect();
            (inner.head, all)
        };
        let full = hello.epoch != "e" || hello.revision == 0 || hello.revision > head;
        let greeting = v1::HubHello {
            epoch: "e".into(),
            full,
            ranges: true,
            ..v1::HubHello::default()
        };
        self.say(hub_frame::Frame::Hello(greeting), ends).await?;
        self.sent = Some(hello.revision);
        if full {
            self.sent = Some(head);
            let row = |(path, node): (RelPath, Node)| Row {
                revision: head,
                path,
                node: Some(node),
            };
            let changes = v1::Changes {
                changes: self.told(all.into_iter().map(row)),
                listed: Some(head),
                moment: None,
            };
            self.say(hub_frame::Frame::Changes(changes), ends).await?;
        }
        Some(())
    }

    fn told(&self, rows: impl Iterator<Item = Row>) -> Vec<v1::Change> {
        let inner = self.hub.inner();
        let mut changes: Vec<_> = rows
            .map(|row| {
                let hash = row.node.as_ref().and_then(Node::hash);
                let inline = hash.and_then(|hash| inner.contents.get(&hash).cloned());
                v1::Change {
                    revision: row.revision,
                    path: row.path.to_string(),
                    node: row.node.as_ref().map(wire::to_wire),
                    inline: inline.filter(|bytes| bytes.len() < 64 * 1024),
                    last_of_revision: false,
                    made: 0,
                }
            })
            .collect();
        for n in 0..changes.len() {
            let next = changes.get(n + 1).map(|next| next.revision);
            changes[n].last_of_revision = next != Some(changes[n].revision);
        }
        changes
    }

    /// Tells what the engine does not know yet.
    pub(super) async fn tell(&mut self, asked: Wanted, ends: &Ends) -> Goes {
        let Some(sent) = self.sent else {
            return Some(());
        };
        let (head, rows) = {
            let inner = self.hub.inner();
            let rows = inner.journal.iter().filter(|row| row.revision > sent);
            (inner.head, rows.cloned().collect::<Vec<_>>())
        };
        if !rows.is_empty() {
            let changes = self.told(rows.into_iter());
            let changes = hub_frame::Frame::Changes(v1::Changes {
                changes,
                ..v1::Changes::default()
            });
            self.say(changes, ends).await?;
        }
        self.sent = Some(head);
        if asked.flush > self.flush && asked.flush > self.hub.inner().flushed {
            let token = asked.flush;
            self.say(hub_frame::Frame::Flush(v1::Flush { token }), ends)
                .await?;
        }
        self.flush = asked.flush;
        Some(())
    }

    async fn proposed(&self, propose: &v1::Propose, ends: &Ends) -> Goes {
        let (lacking, result) = {
            let mut inner = self.hub.inner();
            let mut lacking = Vec::new();
            for operation in &propose.operations {
                let hash = operation.node.as_ref().map(|node| &node.hash);
                let Some(Ok(hash)) = hash.map(|hash| convert::hash(hash)) else {
                    continue;
                };
                let is_file = operation.node.as_ref().unwrap().kind() == v1::Kind::File;
                if let Some(bytes) = &operation.inline {
                    assert_eq!(ContentHash::of(bytes), hash);
                    inner.contents.insert(hash, bytes.clone());
                } else if is_file && !inner.contents.contains_key(&hash) {
                    lacking.push(convert::hash_bytes(&hash));
                }
            }
            inner.head += 1;
            let before = inner.journal.len();
            let outcomes = propose.operations.iter();
            let outcomes = outcomes.map(|operation| inner.one(operation)).collect();
            if inner.journal.len() == before {
                inner.head -= 1;
            }
            let (batch, revision) = (propose.batch, inner.head);
            let result = v1::ProposeResult {
                batch,
                revision,
                outcomes,
                made: 0,
            };
            (lacking, result)
        };
        // What is committed stays, also when nobody hears of it.
        self.goes_on()?;
        let asked: HashSet<_> = lacking.iter().cloned().collect();
        if !asked.is_empty() {
            let begun = |hash: &Bytes| {
                let known = convert::hash(hash).unwrap();
                let (begin, size) = self.hub.inner().begun.remove(&known)?;
                Some(v1::Begun {
                    hash: hash.clone(),
                    begin: convert::hash_bytes(&begin),
                    size,
                })
            };
            let begun = asked.iter().filter_map(begun).collect();
            let hashes = asked.into_iter().collect();
            let need = v1::Need {
                hashes,
                begun,
                ..v1::Need::default()
            };
            self.say(hub_frame::Frame::Need(need), ends).await?;
        }
        self.say(hub_frame::Frame::Result(result), ends).await
    }

    async fn send_content(&self, hash: Bytes, offset: u64, ends: &Ends) -> Goes {
        let known = convert::hash(&hash).unwrap();
        let bytes = self.hub.inner().contents.get(&known).cloned();
        let missing = bytes.is_none();
        let bytes = bytes.unwrap_or_default();
        let mut offset = usize::try_from(offset).unwrap();
        loop {
            if self.goes_on().is_none() {
                self.hub.inner().breaks += 1;
                return None;
            }
            let end = bytes.len().min(offset + BULK_FRAME_BYTES_MAX);
            let last = end == bytes.len();
            let blob = v1::Blob {
                hash: hash.clone(),
                offset: offset as u64,
                data: bytes.slice(offset..end),
                last,
                missing,
                ..v1::Blob::default()
            };
            let frame = Some(hub_bulk::Frame::Blob(blob));
            ends.to_bulk.send(v1::HubBulk { frame }).await.ok()?;
            self.hub.inner().sent += (end - offset) as u64;
            if last {
                return Some(());
            }
            offset = end;
        }
    }

    pub(super) async fn blob(&mut self, blob: v1::Blob, ends: &Ends) -> Goes {
        let arriving = self.arriving.get_or_insert_with(|| Arriving {
            hash: blob.hash.clone(),
            bytes: Vec::new(),
            lacks: false,
        });
        assert_eq!(
            (&arriving.hash, arriving.bytes.len() as u64),
            (&blob.hash, blob.offset),
            "one content after another"
        );
        {
            let mut inner = self.hub.inner();
            inner.received += blob.data.len() as u64;
            let begin = usize::try_from(blob.from_offset).unwrap();
            let end = begin + usize::try_from(blob.from_size).unwrap();
            let from = convert::hash(&blob.from);
            match from.map(|from| inner.contents.get(&from)) {
                Err(_) => arriving.bytes.extend_from_slice(&blob.data),
                Ok(Some(from)) => arriving.bytes.extend_from_slice(&from[begin..end]),
                Ok(None) => {
                    arriving.bytes.resize(arriving.bytes.len() + end - begin, 0);
                    arriving.lacks = true;
                }
            }
        }
        if blob.last {
            let Arriving { hash, bytes, lacks } = self.arriving.take()?;
            let known = convert::hash(&hash).unwrap();
            let held = !blob.missing && !lacks && ContentHash::of(&bytes) == known;
            if held {
                self.hub.inner().contents.insert(known, bytes.into());
            }
            let arrived = v1::Arrived { hash, held };
            self.say(hub_frame::Frame::Arrived(arrived), ends).await?;
        }
        self.goes_on()
    }
}
