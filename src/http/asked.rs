//! Questions that many ask: the panel is asked once for all of them, so that clients cannot keep it busy,
//! however many there are and however fast they ask.

use std::sync::Arc;
use std::time::Duration;

use actix::Message;
use actors::handle::Slot;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::board::LOOK_EVERY;
use super::problem::Problem;

/// The longest that the panel may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// A question with its last answer, which is given again until it is [`LOOK_EVERY`] old.
pub(super) struct Asked<M: Message>(Arc<Mutex<Option<Last<M::Result>>>>);

struct Last<T> {
    at: Instant,
    answer: Result<Arc<T>, &'static str>,
}

impl<M: Message> Default for Asked<M> {
    fn default() -> Asked<M> {
        Asked(Arc::default())
    }
}

impl<M> Asked<M>
where
    M: Message + Send + 'static,
    M::Result: Send + Sync,
{
    /// The answer.
    ///
    /// # Errors
    /// As of [`ask`].
    pub(super) async fn answer(&self, panel: &Slot<M>, question: M) -> Result<Arc<M::Result>, Problem> {
        let mut last = self.0.clone().lock_owned().await;
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < LOOK_EVERY) {
            return last.answer.clone().map_err(Problem::unavailable);
        }
        let panel = panel.clone();
        // It goes on where the client leaves; or those who come and go would ask anew each time.
        let asked = tokio::spawn(async move {
            let answer = ask(&panel, question).await.map(Arc::new);
            *last = Some(Last { at: Instant::now(), answer: answer.clone() });
            answer
        });
        asked.await.unwrap_or(Err("the server ends")).map_err(Problem::unavailable)
    }
}

/// Asks the panel.
///
/// # Errors
/// When it has ended, or does not answer in time.
pub(super) async fn ask<M>(panel: &Slot<M>, question: M) -> Result<M::Result, &'static str>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    let Some(panel) = panel.upgrade() else { return Err("the panel has ended") };
    let answer = panel.send(question);
    // The address is let go before the wait: it would keep the panel from ending.
    drop(panel);
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err("the panel has ended"),
        Err(_) => Err("the panel does not answer"),
    }
}
