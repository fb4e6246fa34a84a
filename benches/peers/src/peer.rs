//! The peers: each receives on a thread of its own, and does nothing with its messages.

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
struct Seen {
    count: AtomicU64,
    hop_nanos: AtomicU64,
    sum: AtomicU64,
}

impl Seen {
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

/// A receiver of another library, which is sent to at an address of that library's.
struct Other<A> {
    address: A,
    send: fn(&A, Message),
    seen: Arc<Seen>,
    stop: flume::Sender<()>,
    thread: JoinHandle<()>,
}

impl<A: Send + 'static> Other<A> {
    /// Starts a thread on which `receive` tells its address, receives, and ends when the last argument does.
    fn start(
        receive: impl FnOnce(Arc<Seen>, flume::Sender<A>, flume::Receiver<()>) + Send + 'static,
        send: fn(&A, Message),
    ) -> Box<dyn Peer> {
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        let (answer, started) = flume::bounded(1);
        let (stop, stopped) = flume::bounded(1);
        let thread = thread::spawn(move || receive(theirs, answer, stopped));
        let address = started.recv().expect("it starts");
        Box::new(Other { address, send, seen, stop, thread })
    }
}

impl<A> Peer for Other<A> {
    fn send(&mut self, message: Message) {
        (self.send)(&self.address, message);
    }

    fn handled(&self) -> u64 {
        self.seen.count.load(Ordering::Acquire)
    }

    fn last_hop(&self) -> Duration {
        Duration::from_nanos(self.seen.hop_nanos.load(Ordering::Acquire))
    }

    fn end(self: Box<Self>) {
        // A channel ends with its last sender, an actor when it is told to.
        drop((self.address, self.stop));
        self.thread.join().expect("no panic");
    }
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A bounded channel and a task.
pub fn flume_channel() -> Box<dyn Peer> {
    let receive = |seen: Arc<Seen>, answer: flume::Sender<flume::Sender<Message>>, _| {
        let (sender, receiver) = flume::bounded::<Message>(1_024);
        answer.send(sender).expect("somebody waits");
        current_thread().block_on(async {
            while let Ok(message) = receiver.recv_async().await {
                seen.take(&message);
            }
        });
    };
    Other::start(receive, |sender, message| sender.send(message).expect("a receiver"))
}

struct ActixSink(Arc<Seen>);

impl actix::Actor for ActixSink {
    type Context = actix::Context<ActixSink>;
}

impl actix::Message for Message {
    type Result = ();
}

impl actix::Handler<Message> for ActixSink {
    type Result = ();

    fn handle(&mut self, message: Message, _: &mut Self::Context) {
        self.0.take(&message);
    }
}

/// An actix actor on an arbiter of its own.
pub fn actix_actor() -> Box<dyn Peer> {
    let receive = |seen, answer: flume::Sender<actix::Addr<ActixSink>>, stopped: flume::Receiver<()>| {
        actix::System::new().block_on(async move {
            answer.send(actix::Actor::start(ActixSink(seen))).expect("somebody waits");
            let _ = stopped.recv_async().await;
        });
    };
    Other::start(receive, |address, message| address.do_send(message))
}

#[derive(kameo::Actor)]
struct KameoSink(Arc<Seen>);

impl kameo::message::Message<Message> for KameoSink {
    type Reply = ();

    async fn handle(&mut self, message: Message, _: &mut kameo::message::Context<Self, ()>) {
        self.0.take(&message);
    }
}

/// A kameo actor with its usual bounded mailbox.
pub fn kameo_actor() -> Box<dyn Peer> {
    use kameo::actor::{ActorRef, Spawn};
    let receive = |seen, answer: flume::Sender<ActorRef<KameoSink>>, stopped: flume::Receiver<()>| {
        current_thread().block_on(async move {
            let actor = KameoSink::spawn_with_mailbox(KameoSink(seen), kameo::mailbox::bounded(1_024));
            answer.send(actor).expect("somebody waits");
            let _ = stopped.recv_async().await;
        });
    };
    Other::start(receive, |actor, message| actor.tell(message).blocking_send().expect("a receiver"))
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

/// A ractor actor.
pub fn ractor_actor() -> Box<dyn Peer> {
    use ractor::ActorRef;
    let receive = |seen, answer: flume::Sender<ActorRef<Message>>, stopped: flume::Receiver<()>| {
        current_thread().block_on(async move {
            let (actor, _) = ractor::Actor::spawn(None, RactorSink, seen).await.expect("it starts");
            answer.send(actor).expect("somebody waits");
            let _ = stopped.recv_async().await;
        });
    };
    Other::start(receive, |actor, message| actor.cast(message).expect("a receiver"))
}
