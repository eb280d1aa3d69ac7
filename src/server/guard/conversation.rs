//! How far a WebSocket has come, in both directions.

use crate::web::Frames;

/// Both directions of a tunnel, and what was said at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tunnel {
    pub(super) to_app: Frames,
    pub(super) to_client: Frames,
    pub(super) app_told: bool,
    pub(super) client_told: bool,
}

impl Tunnel {
    /// Whether a close frame is the last thing the client hears, ours or the app's.
    pub(super) fn client_heard(&self) -> bool {
        self.client_told || self.to_client.has_closed()
    }
}
