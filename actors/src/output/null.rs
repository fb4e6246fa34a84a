//! Takes frames and drops them: for running without a display, and for measuring.

use super::Context;
use crate::supervisor::worker::Failure;

/// Takes every frame that it can get.
///
/// # Errors
/// An injected fault.
pub async fn run(context: &mut Context) -> Result<(), Failure> {
    while let Some(picture) = context.newer().await? {
        context.shown(&picture);
    }
    Ok(())
}
