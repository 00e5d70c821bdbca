//! Runs everything that belongs to one connection to an agent as one task.
//!
//! HTTP/2 has a task for the connection and one for each stream that sends. For every frame they wake each other, and
//! the sender itself. To the scheduler, a task that wakes itself is work for another thread, which it then wakes: once
//! for each key, for nothing. Inside one task such a wake is another turn of a loop.
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;

/// Turns before other tasks get theirs.
const TURNS_MAX: u32 = 16;

/// Nothing to do.
const IDLE: u8 = 0;
/// The parts are being polled.
const POLLING: u8 = 1;
/// A part was woken: there is another turn to take.
const WOKEN: u8 = 2;

type Part = BoxFuture<'static, ()>;

/// An executor whose parts share a task. Clones share it too.
#[derive(Clone, Default)]
pub(super) struct OneTask(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: AtomicU8,
    task: AtomicWaker,
    arrivals: Mutex<Arrivals>,
}

#[derive(Default)]
struct Arrivals {
    parts: Vec<Part>,
    running: bool,
}

impl Shared {
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == IDLE {
            self.task.wake();
        }
    }
}

impl hyper::rt::Executor<Part> for OneTask {
    fn execute(&self, part: Part) {
        let mut arrivals = self.0.arrivals();
        arrivals.parts.push(part);
        let starts = !std::mem::replace(&mut arrivals.running, true);
        drop(arrivals);
        if starts {
            // Ends with the last part, as each would that had a task of its own.
            tokio::spawn(Parts {
                waker: Waker::from(self.0.clone()),
                shared: self.0.clone(),
                parts: FuturesUnordered::new(),
            });
        } else {
            self.0.wake_by_ref();
        }
    }
}

/// The task.
struct Parts {
    shared: Arc<Shared>,
    waker: Waker,
    parts: FuturesUnordered<Part>,
}

impl Future for Parts {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.task.register(context.waker());
        for _ in 0..TURNS_MAX {
            this.shared.state.store(POLLING, Ordering::Release);
            this.parts.extend(this.shared.arrivals().parts.drain(..));
            let mut inner = Context::from_waker(&this.waker);
            while let Poll::Ready(Some(())) = this.parts.poll_next_unpin(&mut inner) {}
            if this.parts.is_empty() {
                let mut arrivals = this.shared.arrivals();
                if arrivals.parts.is_empty() {
                    arrivals.running = false;
                    return Poll::Ready(());
                }
            }
            let rests = this.shared.state.compare_exchange(
                POLLING,
                IDLE,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if rests.is_ok() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use hyper::rt::Executor as _;
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn parts_that_wake_each_other_go_on_until_all_have_ended() {
        let tasks = OneTask::default();
        let (to_b, mut from_a) = mpsc::channel::<u32>(1);
        let (to_a, mut from_b) = mpsc::channel::<u32>(1);
        let (done, over) = oneshot::channel();
        tasks.execute(Box::pin(async move {
            for number in 0..10_000 {
                to_b.send(number).await.unwrap();
                assert_eq!(from_b.recv().await, Some(number));
            }
            done.send(()).unwrap();
        }));
        tasks.execute(Box::pin(async move {
            while let Some(number) = from_a.recv().await {
                to_a.send(number).await.unwrap();
            }
        }));
        over.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn wakes_from_other_threads_are_not_lost() {
        let tasks = OneTask::default();
        let (sender, mut receiver) = mpsc::channel::<u32>(1);
        let (done, over) = oneshot::channel();
        tasks.execute(Box::pin(async move {
            let mut sum = 0_u64;
            while let Some(number) = receiver.recv().await {
                sum += u64::from(number);
            }
            done.send(sum).unwrap();
        }));
        let sending = tokio::spawn(async move {
            for number in 0..20_000 {
                sender.send(number).await.unwrap();
            }
        });
        sending.await.unwrap();
        assert_eq!(over.await.unwrap(), (0..20_000_u64).sum::<u64>());
    }

    #[tokio::test]
    async fn a_part_that_wakes_itself_does_not_wake_the_task() {
        let polls = Arc::new(AtomicU32::new(0));
        let counted = polls.clone();
        let mut left = 5;
        let part: Part = Box::pin(std::future::poll_fn(move |context| {
            counted.fetch_add(1, Ordering::Relaxed);
            if left == 0 {
                return Poll::Pending;
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        let shared = Arc::new(Shared::default());
        shared.arrivals().parts.push(part);
        let mut parts = Parts {
            waker: Waker::from(shared.clone()),
            shared,
            parts: FuturesUnordered::new(),
        };
        // One poll of the task takes all the turns.
        let woken = Arc::new(Outside(AtomicU32::new(0)));
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut parts).poll(&mut context).is_pending());
        assert_eq!(polls.load(Ordering::Relaxed), 6);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_new_part_after_the_last_has_ended_starts_again() {
        let tasks = OneTask::default();
        for _ in 0..3 {
            let (done, over) = oneshot::channel();
            tasks.execute(Box::pin(async move { done.send(()).unwrap() }));
            over.await.unwrap();
            while tasks.0.arrivals().running {
                tokio::task::yield_now().await;
            }
        }
    }

    struct Outside(AtomicU32);

    impl Wake for Outside {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
