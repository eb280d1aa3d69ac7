//! A call to SuperID as a part of the trace it belongs to.

use crate::back_channel::{Answer, CallFailed};
use crate::telemetry::{Child, child};

/// Waits for the answer.
///
/// # Errors
/// The call's own.
pub(crate) async fn asked(
    call: impl Future<Output = Result<Answer, CallFailed>>,
) -> Result<Answer, CallFailed> {
    let mut span = child(Child::SuperId);
    let answered = call.await;
    if let Some(span) = &mut span {
        match &answered {
            Ok(answer) => span.answered(answer.status.as_u16()),
            Err(_) => span.failed(),
        }
    }
    answered
}
