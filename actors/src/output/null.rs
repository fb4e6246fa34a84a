//! Takes frames and drops them: for running without a display, and for measuring.

use super::Context;

/// Takes every frame that it can get.
pub async fn run(context: &mut Context) {
    while let Some(picture) = context.newer().await {
        context.shown(&picture);
    }
}
