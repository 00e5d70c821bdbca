//! A connection between two processes: frames on a socket, each with its length and which stream it belongs to.
use std::io;

use bytes::Bytes;
use prost::Message;
use slipway_proto::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use super::FRAMES;
use crate::hub::Ends;

const CONTROL: u8 = 0;
const BULK: u8 = 1;

async fn read(from: &mut OwnedReadHalf) -> io::Result<(u8, Bytes)> {
    let (stream, length) = (from.read_u8().await?, from.read_u32().await?);
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes).await?;
    Ok((stream, bytes.into()))
}

async fn write(to: &mut OwnedWriteHalf, stream: u8, frame: &impl Message) -> io::Result<()> {
    let bytes = frame.encode_to_vec();
    let mut whole = vec![stream];
    whole.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    whole.extend_from_slice(&bytes);
    to.write_all(&whole).await
}

/// Carries frames one way until an end is closed.
async fn carry_in<C, B>(mut from: OwnedReadHalf, control: mpsc::Sender<C>, bulk: mpsc::Sender<B>)
where
    C: Message + Default,
    B: Message + Default,
{
    while let Ok((stream, bytes)) = read(&mut from).await {
        let done = match stream {
            CONTROL => control.send(C::decode(bytes).unwrap()).await.is_ok(),
            _ => bulk.send(B::decode(bytes).unwrap()).await.is_ok(),
        };
        if !done {
            return;
        }
    }
}

async fn carry_out<C: Message, B: Message>(
    mut to: OwnedWriteHalf,
    mut control: mpsc::Receiver<C>,
    mut bulk: mpsc::Receiver<B>,
) {
    loop {
        let done = tokio::select! {
            Some(frame) = control.recv() => write(&mut to, CONTROL, &frame).await,
            Some(frame) = bulk.recv() => write(&mut to, BULK, &frame).await,
            else => return,
        };
        if done.is_err() {
            return;
        }
    }
}

/// The hub's side of a connection.
pub(crate) fn hubs_ends(stream: UnixStream) -> Ends {
    let (from, to) = stream.into_split();
    let (control_in, from_control) = mpsc::channel(FRAMES);
    let (bulk_in, from_bulk) = mpsc::channel(FRAMES);
    let (to_control, control_out) = mpsc::channel(FRAMES);
    let (to_bulk, bulk_out) = mpsc::channel(FRAMES);
    tokio::spawn(carry_in(from, control_in, bulk_in));
    tokio::spawn(carry_out(to, control_out, bulk_out));
    Ends {
        from_control,
        from_bulk,
        to_control,
        to_bulk,
    }
}

/// The engine's side: what the hub says.
pub(crate) fn engines_ends(
    stream: UnixStream,
    control: mpsc::Receiver<v1::SpokeFrame>,
    bulk: mpsc::Receiver<v1::SpokeBulk>,
) -> (mpsc::Receiver<v1::HubFrame>, mpsc::Receiver<v1::HubBulk>) {
    let (from, to) = stream.into_split();
    let (control_in, from_control) = mpsc::channel(FRAMES);
    let (bulk_in, from_bulk) = mpsc::channel(FRAMES);
    tokio::spawn(carry_in(from, control_in, bulk_in));
    tokio::spawn(carry_out(to, control, bulk));
    (from_control, from_bulk)
}
