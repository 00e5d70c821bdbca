//! A person who edits at the hub of a simulated world.
use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::ignore::RULES_FILE;
use slipway_sync::node::Node;

use super::hub::Hub;
use super::ignored::OTHER_RULES;
use super::oracle::Oracle;

impl Oracle {
    /// A person edits at the hub.
    pub(super) fn person(&mut self, hub: &mut Hub) {
        let many = 1 + self.tape.below(3);
        let mut done: Vec<RelPath> = Vec::new();
        hub.revision(|hub| {
            for _ in 0..many {
                let is_rules = self.has_rules && self.tape.one_in(8);
                let path = match is_rules {
                    true => RULES_FILE.to_owned(),
                    false => self.path(hub.tree.keys().map(RelPath::as_str)),
                };
                let Ok(path) = RelPath::parse(&path) else {
                    continue;
                };
                if !done
                    .iter()
                    .any(|other| path == *other || path.is_below(other) || other.is_below(&path))
                {
                    match is_rules {
                        true => self.change_rules(hub, &path),
                        false => self.edit(hub, &path),
                    }
                    done.push(path);
                }
            }
        });
    }

    fn change_rules(&mut self, hub: &mut Hub, path: &RelPath) {
        let text = *self.tape.pick(&OTHER_RULES);
        self.tell(|| format!("a person at the hub: {path} becomes {text:?}"));
        let node = text.map(|text| {
            let bytes = text.as_bytes();
            hub.contents
                .insert(ContentHash::of(bytes), Bytes::from_static(bytes));
            file(bytes, false)
        });
        hub.change(path, node).ok();
    }

    fn edit(&mut self, hub: &mut Hub, path: &RelPath) {
        let current = hub.tree.get(path).cloned();
        let node = match self.tape.below(8) {
            0 => {
                let gone = hub.below(path).into_iter().chain([path.clone()]);
                let texts: Vec<_> = gone.filter_map(|path| hub.bytes(&path).cloned()).collect();
                texts.iter().for_each(|text| self.forget(text));
                None
            }
            1 if current.is_none() => Some(Node::Folder),
            2 if matches!(current, Some(Node::File { .. })) => match current {
                Some(Node::File {
                    hash,
                    size,
                    executable,
                }) => Some(Node::File {
                    hash,
                    size,
                    executable: !executable,
                }),
                _ => return,
            },
            _ if current.as_ref().is_none_or(|node| node.hash().is_some()) => {
                // Whether it is possible is asked before the version counts.
                let probe = hub.clone().change(path, Some(file(b"", false)));
                if probe.is_err() {
                    return;
                }
                let old = hub.bytes(path).cloned();
                let text = self.version(old.as_deref()).into_bytes();
                self.hub_has(&text);
                let executable = matches!(
                    current,
                    Some(Node::File {
                        executable: true,
                        ..
                    })
                );
                let node = file(&text, executable);
                hub.contents.insert(ContentHash::of(&text), text.into());
                Some(node)
            }
            _ => return,
        };
        self.tell(|| format!("a person at the hub: {path} becomes {node:?}"));
        // A name that is taken in another spelling is refused, which the person sees.
        hub.change(path, node).ok();
    }
}

fn file(text: &[u8], executable: bool) -> Node {
    Node::File {
        hash: ContentHash::of(text),
        size: text.len() as u64,
        executable,
    }
}
