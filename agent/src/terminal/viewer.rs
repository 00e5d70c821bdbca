//! The viewers of a terminal: what one says is applied, and what it is to be sent next is found in the log. No queue
//! lies between log and carrier, so a slow carrier costs no memory.
use std::task::Context;

use rustix::process::Signal;
use slipway_core::code::Code;
use slipway_proto::v1;
use slipway_proto::v1::attached::Mode as WireMode;
use slipway_proto::v1::terminal_client::Frame as In;
use slipway_proto::v1::terminal_server::Frame as Out;
use slipway_terminal::attach::{Attachment, Frame, Hello, Mode};
use slipway_terminal::colours::Colours;
use slipway_terminal::input::ClientId;
use slipway_terminal::log::Size;

use super::{State, Terminal, Viewer, bounded};
use crate::error::AgentError;

/// Viewers of one terminal.
const VIEWERS_MAX: usize = 16;

/// With so much input unacknowledged a viewer may be waiting for room.
const ACK_BYTES: u64 = 4 * 1024;

/// What a viewer is to be sent now.
pub(super) enum Due {
    Frame(Out),
    End,
    Nothing,
    /// Nothing but an acknowledgement, whose time begins to run.
    Acknowledgement,
}

impl Viewer {
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Owes an acknowledgement of input. It may wait for output, so that nothing need be woken now.
    pub(super) fn owe(&mut self, offset: u64) {
        self.input_ack = Some(offset);
        if !self.ack_armed || self.owes_much() {
            self.wake();
        }
    }

    /// Takes the acknowledgement that is owed; 0 when there is none.
    fn acknowledge(&mut self) -> u64 {
        let Some(offset) = self.input_ack.take() else {
            return 0;
        };
        self.input_acked = offset;
        offset
    }

    fn owes_much(&self) -> bool {
        self.input_ack
            .is_some_and(|offset| offset.saturating_sub(self.input_acked) >= ACK_BYTES)
    }

    /// Queues a small answer. A viewer that asks without listening loses its oldest.
    pub(super) fn answer(&mut self, frame: v1::terminal_server::Frame) {
        const ANSWERS_MAX: usize = 64;
        if self.answers.len() >= ANSWERS_MAX {
            self.answers.remove(0);
        }
        self.answers.push(frame);
        self.wake();
    }
}

impl Terminal {
    /// Admits a viewer. The same client again takes the place of its earlier connection.
    pub(super) fn admit(&self, client: ClientId, hello: &v1::Hello) -> Result<u64, AgentError> {
        let mut state = self.lock();
        let state = &mut *state;
        for earlier in state
            .viewers
            .extract_if(.., |viewer| viewer.client == client)
        {
            // Its stream finds itself gone and ends.
            if let Some(waker) = earlier.waker {
                waker.wake();
            }
        }
        if state.viewers.len() >= VIEWERS_MAX {
            let text = "This terminal is open in too many places. Close one of them.";
            return Err(AgentError::new(Code::TooManyRequests, text));
        }
        let size = if hello.cols == 0 || hello.rows == 0 {
            state.log.size()
        } else {
            bounded(Size {
                cols: hello.cols,
                rows: hello.rows,
            })
        };
        if let (Some(foreground), Some(background)) = (hello.foreground, hello.background) {
            state.answerer.set_colours(Colours {
                foreground,
                background,
            });
        }
        let hello = Hello {
            same_log: hello.epoch == self.epoch,
            have_offset: hello.have_offset,
            window: hello.window,
            visible: hello.visible,
        };
        let (attachment, attached) = Attachment::new(hello, &mut state.log);
        state.turns += 1;
        let number = state.turns;
        let mode = match attached.mode {
            Mode::Resume => WireMode::Resume,
            Mode::Replay => WireMode::Replay,
        };
        let answer = Out::Attached(v1::Attached {
            epoch: self.epoch.clone(),
            mode: mode.into(),
            start_offset: attached.start_offset,
            end_offset: attached.end_offset,
            cols: attached.size.cols,
            rows: attached.size.rows,
            input_offset: state.input.written(client),
        });
        state.viewers.push(Viewer {
            number,
            client,
            attachment,
            size,
            turn: number,
            answers: vec![answer],
            input_ack: None,
            input_acked: state.input.written(client),
            ack_armed: false,
            waker: None,
        });
        self.follow_driver(state);
        self.room.notify_one();
        Ok(number)
    }

    pub(super) fn release(&self, number: u64) {
        let mut state = self.lock();
        state.viewers.retain_mut(|viewer| {
            if viewer.number == number {
                viewer.wake();
            }
            viewer.number != number
        });
        self.follow_driver(&mut state);
        drop(state);
        self.room.notify_one();
    }

    /// The terminal has the size of the viewer that drives it.
    fn follow_driver(&self, state: &mut State) {
        let visible = |viewer: &&Viewer| viewer.attachment.credit().visible();
        let driver = state
            .viewers
            .iter()
            .filter(visible)
            .max_by_key(|viewer| viewer.turn);
        let Some(size) = driver.map(|driver| driver.size) else {
            return;
        };
        if size == state.log.size() || state.leaving {
            return;
        }
        // The mark comes before what the program prints about it.
        state.log.resize(size);
        state.answerer.resize(size);
        if let Err(error) = self.pty.resize(size) {
            tracing::debug!(terminal.id = self.id, %error, "Could not resize a terminal");
        }
        for viewer in &mut state.viewers {
            viewer.wake();
        }
    }

    /// Applies what a viewer said; false when it is done.
    fn apply(&self, number: u64, frame: In) -> Result<bool, AgentError> {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(index) = state
            .viewers
            .iter()
            .position(|viewer| viewer.number == number)
        else {
            return Ok(false);
        };
        let viewer = &mut state.viewers[index];
        match frame {
            In::Hello(_) => return Err(AgentError::invalid("A hello comes once, first.")),
            In::Detach(_) => return Ok(false),
            In::Ack(v1::Ack {
                parsed_offset,
                window,
            }) => {
                let now = self.clock.now_ms();
                let credit = viewer.attachment.credit_mut();
                let waited = credit.available() == 0;
                credit.acknowledge(parsed_offset, window, now);
                if waited {
                    viewer.wake();
                }
                self.room.notify_one();
            }
            In::Resize(v1::Resize { cols, rows }) => {
                viewer.size = bounded(Size { cols, rows });
                self.follow_driver(state);
            }
            In::Visibility(v1::Visibility { visible }) => {
                viewer.attachment.credit_mut().set_visible(visible);
                if visible {
                    state.turns += 1;
                    viewer.turn = state.turns;
                }
                self.follow_driver(state);
                self.room.notify_one();
            }
            In::Signal(v1::Signal { name }) => {
                let signal = signal_of(&name)?;
                self.activity.touch();
                if !state.leaving
                    && let Err(error) = self.pty.signal(signal, self.pid)
                {
                    tracing::debug!(terminal.id = self.id, %error, "Could not send a signal");
                }
            }
            In::Input(v1::Input { offset, data }) => {
                self.activity.touch();
                let client = viewer.client;
                if viewer.turn != state.turns {
                    state.turns += 1;
                    viewer.turn = state.turns;
                    self.follow_driver(state);
                    self.room.notify_one();
                }
                self.take_input(state, client, offset, data)?;
            }
        }
        Ok(true)
    }

    fn take_input(
        &self,
        state: &mut State,
        client: ClientId,
        offset: u64,
        data: bytes::Bytes,
    ) -> Result<(), AgentError> {
        state
            .input
            .offer(client, offset, data)
            .map_err(|error| AgentError::invalid(format!("Input was refused: {error}.")))?;
        if state.leaving {
            state.input.discard();
            for viewer in state
                .viewers
                .iter_mut()
                .filter(|viewer| viewer.client == client)
            {
                viewer.owe(state.input.written(client));
            }
        }
        Ok(())
    }

    /// Applies a frame and hands input on at once, without waiting for the writer's turn.
    pub(super) fn hear(&self, number: u64, frame: In) -> Result<bool, AgentError> {
        let input = matches!(frame, In::Input(_));
        let goes_on = self.apply(number, frame)?;
        if input && self.give_input(&mut false).is_err() {
            self.typed.notify_one();
        }
        Ok(goes_on)
    }

    pub(super) fn refuse(&self, number: u64, error: &AgentError) {
        let mut state = self.lock();
        if let Some(viewer) = state
            .viewers
            .iter_mut()
            .find(|viewer| viewer.number == number)
        {
            viewer.answer(Out::Refused(v1::Refused {
                code: error.code.as_str().to_owned(),
                message: error.message.clone(),
            }));
        }
    }

    pub(super) fn due(&self, number: u64, context: &Context<'_>, ack_is_due: bool) -> Due {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(viewer) = state
            .viewers
            .iter_mut()
            .find(|viewer| viewer.number == number)
        else {
            return Due::End;
        };
        if ack_is_due {
            viewer.ack_armed = false;
        }
        if !viewer.answers.is_empty() {
            return Due::Frame(viewer.answers.remove(0));
        }
        if ack_is_due || viewer.owes_much() || state.exit.is_some() {
            let offset = viewer.acknowledge();
            if offset > 0 {
                return Due::Frame(Out::InputAck(v1::InputAck { offset }));
            }
        }
        if viewer.attachment.ended() {
            return Due::End;
        }
        let now = self.clock.now_ms();
        match viewer
            .attachment
            .next(&mut state.log, state.exit.is_some(), now)
        {
            Some(Frame::Output { offset, data }) => Due::Frame(Out::Output(v1::Output {
                offset,
                data,
                input_offset: viewer.acknowledge(),
            })),
            Some(Frame::Resized { at, size }) => Due::Frame(Out::Resized(v1::Resized {
                at_offset: at,
                cols: size.cols,
                rows: size.rows,
            })),
            Some(Frame::Restored { at, size, data }) => Due::Frame(Out::Restored(v1::Restored {
                at_offset: at,
                cols: size.cols,
                rows: size.rows,
                data,
            })),
            Some(Frame::Gap { from, to }) => Due::Frame(Out::Gap(v1::Gap { from, to })),
            Some(Frame::Exited) => state
                .exit
                .clone()
                .map_or(Due::End, |exit| Due::Frame(Out::Exited(exit))),
            None => {
                viewer.waker = Some(context.waker().clone());
                if viewer.input_ack.is_none() || viewer.ack_armed {
                    return Due::Nothing;
                }
                viewer.ack_armed = true;
                Due::Acknowledgement
            }
        }
    }
}

fn signal_of(name: &str) -> Result<Signal, AgentError> {
    Ok(match name {
        "INT" => Signal::INT,
        "TERM" => Signal::TERM,
        "KILL" => Signal::KILL,
        "HUP" => Signal::HUP,
        "QUIT" => Signal::QUIT,
        "TSTP" => Signal::TSTP,
        "CONT" => Signal::CONT,
        _ => {
            return Err(AgentError::invalid(format!(
                "\"{name}\" is no signal that can be sent."
            )));
        }
    })
}
