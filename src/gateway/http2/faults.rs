//! What an error of HTTP/2 says about whether a request may be sent once more.

use h2::Reason;
use pingora::{Error, ErrorType, RetryType};

/// The app has not begun with the request, and will not: whatever it is, it may be sent again (RFC
/// 9113 §8.7).
pub(in crate::gateway) const UNSEEN: ErrorType = ErrorType::new("not begun with by the app");

/// The app failed a request.
pub(super) fn of_app(error: h2::Error) -> Box<Error> {
    let context = "asking the app by HTTP/2";
    let (unseen, broken) = (is_unseen(&error), error.is_io());
    let kind = match () {
        () if unseen => UNSEEN,
        () if broken => ErrorType::ReadError,
        () => ErrorType::H2Error,
    };
    let mut failed = Error::because(kind, context, error).into_up();
    if unseen {
        failed.set_retry(true);
    } else if broken {
        failed.retry = RetryType::ReusedOnly;
    }
    failed
}

/// A request that could not be put on its connection.
pub(super) fn unsent(error: h2::Error) -> Box<Error> {
    let mut failed = Error::because(UNSEEN, "asking the app by HTTP/2", error).into_up();
    failed.set_retry(true);
    failed
}

/// A GOAWAY reaches only the requests that it does not count among those begun with.
fn is_unseen(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_remote() && (error.is_go_away() || refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_app_did_not_begin_with_is_sent_again_whatever_it_is() {
        let broken = of_app(h2::Error::from(Reason::INTERNAL_ERROR));
        assert!(!broken.retry());
        assert_eq!(*broken.etype(), ErrorType::H2Error);
        let unsent = unsent(h2::Error::from(Reason::INTERNAL_ERROR));
        assert!(unsent.retry());
        assert_eq!(*unsent.etype(), UNSEEN);
    }
}
