//! What each trouble says to people: one entry for each, in words for whoever sits before it.

use http::StatusCode;

/// One page's words.
pub(super) struct Words {
    pub status: StatusCode,
    pub title: &'static str,
    /// What happened, in one or two sentences.
    pub happened: &'static str,
    /// The next step, true also where no second try is offered.
    pub next: &'static str,
    pub whom: Whom,
    /// What the link to a second try is called.
    pub again: &'static str,
}

/// Who can help when the next step does not.
#[derive(Clone, Copy)]
pub(super) enum Whom {
    /// The customer's own SuperOffice administrator.
    Administrator,
    /// The next step is all there is to do.
    Nobody,
    /// Whoever runs the app and this gateway.
    Operator,
}

impl Whom {
    /// The sentence that names them.
    pub(super) fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Administrator => Some(
                "If that does not help, ask your company’s SuperOffice administrator and give \
                 them the reference below.",
            ),
            Self::Nobody => None,
            Self::Operator => Some(
                "If that does not help, ask the people who run this app and give them \
                 the reference below.",
            ),
        }
    }
}

pub(super) const ALREADY_USED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This sign-in was used already",
    happened: "Each sign-in works once. This one has been finished before, perhaps because the \
               page was reloaded or opened again from the history.",
    next: "You may be signed in already: go to the start page. If not, sign in again.",
    whom: Whom::Nobody,
    again: "Sign in again",
};

pub(super) const ATTEMPT_EXPIRED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "The sign-in took too long",
    happened: "For your safety a sign-in must be finished within some minutes. This one was left \
               open for longer.",
    next: "Sign in again. Nothing is lost but the sign-in itself.",
    whom: Whom::Nobody,
    again: "Sign in again",
};

pub(super) const BAD_REQUEST: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "The request could not be read",
    happened: "The address or what came with it is damaged, too long, or written in a way that \
               is not safe to pass on.",
    next: "Check the address, or follow the link from where you found it once more.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const BINDING_MISSING: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "The sign-in began somewhere else",
    happened: "This browser did not begin the sign-in that came back, or it does not keep \
               cookies for this site.",
    next: "Sign in again in this window. If you see this page once more, allow cookies for this \
           site first.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const APP_ERROR: Words = Words {
    status: StatusCode::BAD_GATEWAY,
    title: "SuperOffice could not finish",
    happened: "SuperOffice sent you here because something went wrong there: with approving, \
               installing or opening this app.",
    next: "Open the app again. Only an administrator of SuperOffice can approve or install it, so \
           if you are not one, ask one to do that first.",
    whom: Whom::Administrator,
    again: "Try again",
};

pub(super) const APPROVAL_REVOKED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "The app is not approved any more",
    happened: "Your company had approved this app to use its SuperOffice data, and has taken that \
               back. Until it is approved again nobody of your company can sign in.",
    next: "Only an administrator of SuperOffice in your company can approve the app. If you are one, \
           sign in and do it; if not, ask one.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const CONSENT_DECLINED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "The app was not approved",
    happened: "At SuperID the app was not given permission to use your SuperOffice data, so you \
               are not signed in.",
    next: "If that was not what you meant, sign in again and approve the app. Some companies let \
           only an administrator approve apps.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const INTERACTION_NEEDED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "SuperID has a question for you",
    happened: "SuperOffice’s sign-in service, SuperID, has to ask you something before it can sign you \
               in, such as your password or which account you mean, and could not.",
    next: "Sign in again in a window of its own and answer what SuperID asks.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const INTERNAL: Words = Words {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Something went wrong here",
    happened: "The sign-in gateway failed at its own work. To be safe it passed nothing on.",
    next: "Try again in a minute.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const LOOP_CLOCK: Words = Words {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "The sign-in service’s clock and ours disagree",
    happened: "The sign-in came back with a time that is not now, so it counts as ended, or as not \
               begun. The gateway’s clock is probably wrong.",
    next: "Trying again helps only once the clock of the gateway’s machine has been set right.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const LOOP_COOKIE: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "The sign-in goes round in circles",
    happened: "You signed in several times, but this browser does not send the sign-in cookie \
               back, so each time the app does not know you.",
    next: "Allow cookies for this site, switch off add-ons that block them, and try again. \
           Another browser or a private window shows whether that was it.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const LOOP_SCHEME: Words = Words {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "The sign-in goes round in circles",
    happened: "The app is opened by http where the gateway expects https. Browsers then keep the \
               sign-in cookie back, and signing in would go round in circles.",
    next: "Open the app by its https address. If you did, its public origin is set wrongly in \
           the gateway.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const MISCONFIGURED: Words = Words {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "The app is not set up correctly",
    happened: "A setting of the sign-in gateway, or of the app’s registration where people \
               sign in, does not fit. Nobody can sign in until it is corrected.",
    next: "There is nothing for you to change. Try again later.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const NOT_ADMINISTRATOR: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "Only administrators come in here",
    happened: "You are signed in, but this part of the app is for SuperOffice administrators, \
               and you are not signed in as one.",
    next: "Go back to the start page, or sign in as an administrator.",
    whom: Whom::Administrator,
    again: "Sign in as someone else",
};

pub(super) const NOT_CLAIM: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "You do not have access here",
    happened: "You are signed in, but this part of the app is for certain people only, and you \
               are not one of them.",
    next: "Go back to the start page, or sign in as someone who has access.",
    whom: Whom::Operator,
    again: "Sign in as someone else",
};

pub(super) const NOT_TENANT: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "Your company does not have access here",
    happened: "You are signed in, but this part of the app is not open to the company you signed \
               in for.",
    next: "If you belong to several companies, sign in again and choose another one.",
    whom: Whom::Operator,
    again: "Choose another company",
};

pub(super) const NOT_PERSON: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "You are not let in here",
    happened: "You signed in, and the app’s operator has not said that people with your account may \
               come in. You are not signed in to the app.",
    next: "Sign in with another account, if you have one for work. Otherwise the app’s operator has \
           to add you.",
    whom: Whom::Operator,
    again: "Sign in as someone else",
};

pub(super) const PROVIDER_DECLINED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "The sign-in was declined",
    happened: "At the service where you sign in, somebody said no to this sign-in, or you may not use \
               the app there. You are not signed in.",
    next: "If that was not what you meant, sign in again. Some companies let only an administrator \
           approve apps.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const PROVIDER_REFUSED: Words = Words {
    status: StatusCode::BAD_GATEWAY,
    title: "The sign-in service did not sign you in",
    happened: "The service where you sign in answered with an error.",
    next: "Sign in again. If it happens once more, the app’s registration there may need to be \
           corrected.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const PROVIDER_UNREACHABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "The sign-in service does not answer",
    happened: "The service where you sign in cannot be reached just now. The app itself may be well.",
    next: "Wait a minute and try again.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const NO_SIGN_IN_FOR_TENANT: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "Your company cannot sign in here",
    happened: "The address you opened is for a company that this app does not serve, or not at this \
               address. You are not signed in.",
    next: "Check the address. In SuperOffice, somebody may have set the panel up with a wrong one.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const NO_SIGN_IN_WITHOUT_TENANT: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "Which company is this for?",
    happened: "Each company signs in to this app in its own way, and the address you opened does not \
               say which company you are of.",
    next: "Open the app from SuperOffice, or by the address your company was given.",
    whom: Whom::Administrator,
    again: "Try again",
};

pub(super) const NOT_SET_UP: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "The app is not set up for your company",
    happened: "SuperOffice has to set this app up for each company, and has not done so for yours, or \
               not in the way the app needs. Nobody of your company can approve it by themselves.",
    next: "Ask the people who made the app for you: they have SuperOffice set it up.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const NOT_OF_SUPEROFFICE: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "SuperID does not let this app in",
    happened: "This app should need nobody’s approval, but SuperOffice’s sign-in service, SuperID, \
               refused it all the same.",
    next: "Sign in again. If it happens once more, the app’s registration at SuperOffice has to be \
           corrected.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const NOT_APPROVED_BY_PERSON: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "You did not approve the app",
    happened: "Each person approves this app for themselves, and at SuperID you did not, so you are not \
               signed in.",
    next: "If that was not what you meant, sign in again and approve the app.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const NOT_FOUND: Words = Words {
    status: StatusCode::NOT_FOUND,
    title: "There is no such page",
    happened: "Nothing here has the address you opened.",
    next: "Check the address, or begin from the start page.",
    whom: Whom::Nobody,
    again: "Try again",
};

pub(super) const REAPPROVAL_NEEDED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "An administrator must approve the app again",
    happened: "This app asks for more than your company has approved so far. Until an administrator \
               approves it again nobody of your company can sign in; nothing is wrong with your \
               account.",
    next: "Ask a SuperOffice administrator of your company to sign in to this app and approve it. If \
           you are one, sign in again and approve it yourself.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const SESSIONS_UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not available for a moment",
    happened: "A part of the sign-in gateway cannot be reached, and without it nobody could tell whether \
               you are signed in. You have not been signed out.",
    next: "Wait a moment and load the page again.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const STORE_UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Nobody can be signed in just now",
    happened: "A part of the sign-in gateway cannot be reached, and without it this sign-in could be \
               neither checked nor remembered. To be safe you were not let in.",
    next: "Wait a minute and sign in again.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const SUPERID_EXPIRED: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "SuperID says that the time is over",
    happened: "SuperOffice’s sign-in service, SuperID, did not sign you in because something has \
               expired: the sign-in was open for too long, or the time of the app’s approval is over.",
    next: "Sign in again. If it happens once more, the app has to be approved anew.",
    whom: Whom::Administrator,
    again: "Sign in again",
};

pub(super) const SUPERID_REFUSED: Words = Words {
    status: StatusCode::BAD_GATEWAY,
    title: "SuperID did not sign you in",
    happened: "SuperOffice’s sign-in service, SuperID, answered with an error.",
    next: "Sign in again. If it happens once more, the app’s registration at SuperOffice may need \
           to be corrected.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const SUPERID_UNREACHABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "SuperID does not answer",
    happened: "SuperOffice’s sign-in service, SuperID, cannot be reached just now. The app \
               itself may be well.",
    next: "Wait a minute and try again. SuperOffice tells on its status page when its services \
           are disturbed.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const TENANT_DELETED: Words = Words {
    status: StatusCode::GONE,
    title: "This company’s SuperOffice is gone",
    happened: "SuperOffice says that your company’s SuperOffice was deleted, and this app works with it \
               alone.",
    next: "If you belong to several companies, sign out and sign in for another one. Otherwise ask \
           whoever looks after SuperOffice in your company.",
    whom: Whom::Administrator,
    again: "Try again",
};

pub(super) const TENANT_SUSPENDED: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "This company’s SuperOffice is suspended",
    happened: "SuperOffice says that your company’s SuperOffice is suspended, and this app works with it \
               alone.",
    next: "Ask whoever looks after SuperOffice in your company. Once it runs again, so does this app.",
    whom: Whom::Administrator,
    again: "Try again",
};

pub(super) const TENANT_UNKNOWN: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "This company is not known here",
    happened: "This gateway has not been told the serial number of the company you signed in for, so \
               it cannot tell whether the sign-in is meant for it.",
    next: "If you belong to several companies, sign in again and choose another one. Otherwise the \
           app’s operator has to add your company.",
    whom: Whom::Operator,
    again: "Choose another company",
};

pub(super) const TOKEN_REPLAYED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This sign-in was sent twice",
    happened: "The same proof of sign-in came a second time, and the second one does not count.",
    next: "Sign in again.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const TOO_LARGE: Words = Words {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    title: "Too large",
    happened: "What you sent is larger than this app takes, so nothing of it was kept.",
    next: "Go back, and send something smaller, or the same in parts.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const TOO_MANY: Words = Words {
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Too many requests",
    happened: "Your browser, or somebody on the same connection, asked for too much in a short \
               time.",
    next: "Wait a minute and try again.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const TOO_BUSY: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Too busy for the moment",
    happened: "More is asked for here than can be served just now.",
    next: "Wait a minute and try again.",
    whom: Whom::Nobody,
    again: "Try again",
};

pub(super) const UNVERIFIED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "The sign-in could not be verified",
    happened: "What came back did not prove that the sign-in service signed you in to this app, so \
               you were not let in.",
    next: "Sign in again from the start.",
    whom: Whom::Operator,
    again: "Sign in again",
};

pub(super) const UPSTREAM_TIMEOUT: Words = Words {
    status: StatusCode::GATEWAY_TIMEOUT,
    title: "The app took too long",
    happened: "You are past the sign-in, but the app did not answer in time. What you sent may \
               or may not have been done.",
    next: "Look whether your last change is there before you send it again.",
    whom: Whom::Operator,
    again: "Try again",
};

pub(super) const UPSTREAM_UNREACHABLE: Words = Words {
    status: StatusCode::BAD_GATEWAY,
    title: "The app does not answer",
    happened: "You are past the sign-in, but the app behind it cannot be reached just now.",
    next: "Try again in a minute.",
    whom: Whom::Operator,
    again: "Try again",
};
