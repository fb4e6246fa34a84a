//! Work that takes long is done beside the server's thread, which has others to serve meanwhile; so much at a
//! time and no more.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::problem::Problem;

/// What `work` returns, done on another thread.
///
/// # Errors
/// When all `permits` are taken, with `busy` as the reason, and when the work panics.
pub(super) async fn aside<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    busy: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let permit = permits.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::too_many(busy, Duration::from_secs(1)))?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        // It went along to the thread that works: a client that leaves does not make room for another.
        drop(permit);
        done
    });
    done.await.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test]
    async fn who_leaves_makes_no_room() {
        let permits = Arc::new(Semaphore::new(1));
        let (go_on, wait) = mpsc::channel::<()>();
        let (tell, begun) = tokio::sync::oneshot::channel();
        let own = permits.clone();
        let client = tokio::spawn(async move {
            let work = move || {
                tell.send(()).unwrap();
                wait.recv().unwrap();
            };
            aside(&own, "busy", work).await.is_ok()
        });
        begun.await.unwrap();
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        let refused = aside(&permits, "busy", || ()).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        go_on.send(()).unwrap();
        drop(permits.acquire().await.unwrap());
        assert_eq!(aside(&permits, "busy", || 7).await.unwrap(), 7);
        let panicked = aside(&permits, "busy", || panic!("at work")).await.unwrap_err().into_response();
        assert_eq!(panicked.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(permits.available_permits(), 1, "a panic gives its permit back");
    }
}
