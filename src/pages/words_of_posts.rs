//! What people are told of posts that were kept for them, or that nobody takes.

use http::StatusCode;

use super::words::{Whom, Words};

pub(super) const POST_ORIGIN_REFUSED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "The form came from another site",
    happened: "What was sent here came from a site that may not send it, so nothing was done \
               with it.",
    next: "Open the app itself and begin there.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const KEPT_POSTS_UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not sent yet",
    happened: "A part of the sign-in gateway cannot be reached, and without it nobody could tell whether \
               what you posted was sent already. It was not sent now.",
    next: "Wait a moment and try again. If you had just posted it, go back and post it once more.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const KEPT_FOR_ANOTHER: Words = Words {
    status: StatusCode::CONFLICT,
    title: "What you were sending was not sent",
    happened: "It was kept while you signed in, but it was begun by somebody else, or for another \
               company, than you are signed in as now.",
    next: "Open the page again and fill it in as yourself.",
    whom: Whom::Nobody,
    again: "Open the page",
};

pub(super) const KEPT_NO_MORE: Words = Words {
    status: StatusCode::GONE,
    title: "What you were sending was lost",
    happened: "It was kept while you signed in, but this gateway does not have it any more: it was \
               restarted meanwhile, or your browser changed.",
    next: "Go back to the page you came from and send it again, or open the page anew. You are \
           signed in now.",
    whom: Whom::Nobody,
    again: "Open the page",
};

pub(super) const SENT_ALREADY: Words = Words {
    status: StatusCode::CONFLICT,
    title: "This was sent already",
    happened: "What you were sending when you had to sign in has been sent, and is not sent twice.",
    next: "Open the page to see what became of it.",
    whom: Whom::Nobody,
    again: "Open the page",
};
