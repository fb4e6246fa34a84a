//! The peers: each receives on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A message of 64 bytes.
pub struct Message {
    sent: Instant,
    pub payload: [u64; 6],
}

impl Message {
    pub fn new(sequence: u64) -> Message {
        Message { sent: Instant::now(), payload: [sequence; 6] }
    }
}

/// What a receiver has seen.
#[derive(Default)]
pub struct Seen {
    count: AtomicU64,
    hop_nanos: AtomicU64,
    sum: AtomicU64,
}

impl Seen {
    fn handled(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    fn last_hop(&self) -> Duration {
        Duration::from_nanos(self.hop_nanos.load(Ordering::Acquire))
    }

    fn take(&self, message: &Message) {
        self.hop_nanos.store(message.sent.elapsed().as_nanos() as u64, Ordering::Release);
        self.sum.fetch_add(message.payload[5], Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Release);
    }
}

/// One that messages are sent to.
pub trait Peer {
    fn send(&mut self, message: Message);
    /// Sends what was held back to be sent together.
    fn flush(&mut self) {}
    /// How many were handled.
    fn handled(&self) -> u64;
    /// How long the newest took.
    fn last_hop(&self) -> Duration;
    fn end(self: Box<Self>);
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A bounded channel and a task.
pub struct Flume {
    sender: flume::Sender<Message>,
    seen: Arc<Seen>,
    thread: JoinHandle<()>,
}

impl Flume {
    pub fn start() -> Flume {
        let (sender, receiver) = flume::bounded::<Message>(1_024);
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        let thread = thread::spawn(move || {
            current_thread().block_on(async {
                while let Ok(message) = receiver.recv_async().await {
                    theirs.take(&message);
                }
            });
        });
        Flume { sender, seen, thread }
    }
}

impl Peer for Flume {
    fn send(&mut self, message: Message) {
        self.sender.send(message).expect("a receiver");
    }

    fn handled(&self) -> u64 {
        self.seen.handled()
    }

    fn last_hop(&self) -> Duration {
        self.seen.last_hop()
    }

    fn end(self: Box<Self>) {
        drop(self.sender);
        self.thread.join().expect("no panic");
    }
}

/// An actix actor on an arbiter of its own.
pub struct Actix {
    address: actix::Addr<Sink>,
    seen: Arc<Seen>,
    stop: flume::Sender<()>,
    thread: JoinHandle<()>,
}

pub struct Sink(Arc<Seen>);

impl actix::Actor for Sink {
    type Context = actix::Context<Sink>;
}

impl actix::Message for Message {
    type Result = ();
}

impl actix::Handler<Message> for Sink {
    type Result = ();

    fn handle(&mut self, message: Message, _: &mut Self::Context) {
        self.0.take(&message);
    }
}

impl Actix {
    pub fn start() -> Actix {
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        let (answer, started) = flume::bounded(1);
        let (stop, stopped) = flume::bounded::<()>(1);
        let thread = thread::spawn(move || {
            let system = actix::System::new();
            system.block_on(async move {
                let address = actix::Actor::start(Sink(theirs));
                answer.send(address).expect("somebody waits");
                let _ = stopped.recv_async().await;
            });
        });
        Actix { address: started.recv().expect("it starts"), seen, stop, thread }
    }
}

impl Peer for Actix {
    fn send(&mut self, message: Message) {
        self.address.do_send(message);
    }

    fn handled(&self) -> u64 {
        self.seen.handled()
    }

    fn last_hop(&self) -> Duration {
        self.seen.last_hop()
    }

    fn end(self: Box<Self>) {
        drop(self.stop);
        self.thread.join().expect("no panic");
    }
}

/// A kameo actor with its usual bounded mailbox.
pub struct Kameo {
    actor: kameo::actor::ActorRef<KameoSink>,
    seen: Arc<Seen>,
    stop: flume::Sender<()>,
    thread: JoinHandle<()>,
}

#[derive(kameo::Actor)]
pub struct KameoSink(Arc<Seen>);

impl kameo::message::Message<Message> for KameoSink {
    type Reply = ();

    async fn handle(&mut self, message: Message, _: &mut kameo::message::Context<Self, ()>) {
        self.0.take(&message);
    }
}

impl Kameo {
    pub fn start() -> Kameo {
        use kameo::actor::Spawn;
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        let (answer, started) = flume::bounded(1);
        let (stop, stopped) = flume::bounded::<()>(1);
        let thread = thread::spawn(move || {
            current_thread().block_on(async move {
                let actor = KameoSink::spawn_with_mailbox(KameoSink(theirs), kameo::mailbox::bounded(1_024));
                answer.send(actor).expect("somebody waits");
                let _ = stopped.recv_async().await;
            });
        });
        Kameo { actor: started.recv().expect("it starts"), seen, stop, thread }
    }
}

impl Peer for Kameo {
    fn send(&mut self, message: Message) {
        self.actor.tell(message).blocking_send().expect("a receiver");
    }

    fn handled(&self) -> u64 {
        self.seen.handled()
    }

    fn last_hop(&self) -> Duration {
        self.seen.last_hop()
    }

    fn end(self: Box<Self>) {
        drop(self.stop);
        self.thread.join().expect("no panic");
    }
}

/// A ractor actor.
pub struct Ractor {
    actor: ractor::ActorRef<Message>,
    seen: Arc<Seen>,
    stop: flume::Sender<()>,
    thread: JoinHandle<()>,
}

struct RactorSink;

impl ractor::Actor for RactorSink {
    type Msg = Message;
    type State = Arc<Seen>;
    type Arguments = Arc<Seen>;

    async fn pre_start(
        &self,
        _: ractor::ActorRef<Message>,
        seen: Arc<Seen>,
    ) -> Result<Arc<Seen>, ractor::ActorProcessingErr> {
        Ok(seen)
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<Message>,
        message: Message,
        seen: &mut Arc<Seen>,
    ) -> Result<(), ractor::ActorProcessingErr> {
        seen.take(&message);
        Ok(())
    }
}

impl Ractor {
    pub fn start() -> Ractor {
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        let (answer, started) = flume::bounded(1);
        let (stop, stopped) = flume::bounded::<()>(1);
        let thread = thread::spawn(move || {
            current_thread().block_on(async move {
                let spawned = ractor::Actor::spawn(None, RactorSink, theirs).await;
                let (actor, _) = spawned.expect("it starts");
                answer.send(actor).expect("somebody waits");
                let _ = stopped.recv_async().await;
            });
        });
        Ractor { actor: started.recv().expect("it starts"), seen, stop, thread }
    }
}

impl Peer for Ractor {
    fn send(&mut self, message: Message) {
        self.actor.cast(message).expect("a receiver");
    }

    fn handled(&self) -> u64 {
        self.seen.handled()
    }

    fn last_hop(&self) -> Duration {
        self.seen.last_hop()
    }

    fn end(self: Box<Self>) {
        drop(self.stop);
        self.thread.join().expect("no panic");
    }
}
