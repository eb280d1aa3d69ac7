//! What is over: sessions by their ids, and all that have a mark in common, as every store goes by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::crypto::KeyId;
use crate::redis_link::RedisLink;

use super::SessionState;
use super::ended::{Ended, Names};
use super::heirs::Note;
use super::journal::Journal;
use super::label::Label;
use super::marks::key_mark;
use super::shared_list::SharedList;
use super::spreading::{NotSpread, Spreading};
use super::what::{CLOCKS_APART, Over, What};

/// The set of what is over. Each request asks it, without a lock that all workers share; what is
/// revoked here holds here at once.
#[derive(Debug)]
pub struct Revocations {
    sessions: Ended,
    marks: Ended,
    /// Whether any mark was ever revoked: mostly none was, and nobody works them out.
    any_marks: AtomicBool,
    most: usize,
    spreading: Spreading,
}

impl Revocations {
    /// Room for about `most` sessions, and as many marks; each is forgotten when the absolute lifetime
    /// of what it is about is over, in seconds.
    pub fn new(most: usize, absolute: u64) -> Self {
        Self {
            sessions: Ended::new(most, absolute, Names::Sessions),
            marks: Ended::new(most, absolute, Names::Marks),
            any_marks: AtomicBool::new(false),
            most,
            spreading: Spreading::default(),
        }
    }

    /// Ends everything of `what` that began until now. It holds here from now on, and in every replica
    /// and after a restart where that is configured: that is waited for, a second at most.
    ///
    /// # Errors
    /// [`NotSpread`]; here it holds all the same, and it is told on as soon as that is possible.
    pub async fn revoke(&self, what: What<'_>, now: Timestamp) -> Result<(), NotSpread> {
        let over = what.over(now);
        over.iter().for_each(|one| self.take(*one, now));
        self.spreading.tell(&over, now).await
    }

    /// Ends everything of `what` here alone: the others are told of it by their own configurations.
    pub fn hold(&self, what: What<'_>, now: Timestamp) {
        what.over(now).into_iter().for_each(|one| self.take(one, now));
    }

    /// Ends one session, as [`Revocations::revoke`] does.
    ///
    /// # Errors
    /// As [`Revocations::revoke`].
    pub async fn end(&self, session: &SessionState, now: Timestamp) -> Result<(), NotSpread> {
        let over = Over::session(session);
        self.take(over, now);
        self.spreading.tell(&[over], now).await
    }

    /// Goes on over this journal and this link, where there are any, for sessions that live for
    /// `absolute` seconds at most. What the journal had is known when this returns.
    pub fn spread_over(
        self: &Arc<Self>,
        (journal, link): (Option<&Arc<Journal>>, Option<&RedisLink>),
        absolute: u64,
        clock: &Clock,
    ) {
        let list = |link: &RedisLink| SharedList { link: link.clone(), most: self.most, absolute };
        let is_new = self.spreading.over(journal, link.map(list));
        if let (true, Some(journal)) = (is_new, journal) {
            let (set, clock) = (Arc::downgrade(self), clock.clone());
            journal.follow(Box::new(move |over| {
                let set = set.upgrade();
                set.iter().for_each(|set| over.iter().for_each(|one| set.take(*one, clock.now())));
                set.is_some()
            }));
        }
    }

    /// Lets nobody in before the list that replicas share was read, where there is one.
    pub fn wait_for_the_list(&self) {
        self.spreading.waits_for_the_list();
    }

    /// Whether nobody can say yet what is over.
    pub fn is_ignorant(&self) -> bool {
        self.spreading.is_ignorant()
    }

    /// Reads what other replicas revoked, and tells what could not be told before; whether that is done.
    pub async fn catch_up(&self, now: Timestamp) -> bool {
        match self.spreading.hear(|| self.all(), now).await {
            Ok(heard) => {
                heard.into_iter().flatten().for_each(|one| self.take(one, now));
                self.spreading.knows();
                true
            }
            Err(failed) => {
                tracing::debug!(%failed, "what other replicas ended cannot be read");
                false
            }
        }
    }

    /// Does that twice a second, for as long as it is waited for.
    pub async fn keep_up(self: Arc<Self>, clock: Clock) {
        loop {
            self.catch_up(clock.now()).await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether a session is over, or might be.
    pub fn has(&self, session: &SessionState) -> bool {
        self.has_session(&session.id.0, session.signed_in) || self.has_marks(session)
    }

    /// Whether a session that is listed is over, or might be.
    pub(super) fn has_listed(&self, id: &[u8; 16], label: &Label, signed_in: Timestamp) -> bool {
        self.has_session(id, signed_in)
            || (self.any_marks()
                && (label.undated().is_some_and(|mark| self.marks.has_name(&mark))
                    || label.dated().any(|mark| self.marks.has(&mark, signed_in))))
    }

    /// Whether all that this key has sealed is over.
    pub fn has_key(&self, key: impl FnOnce() -> Option<KeyId>) -> bool {
        self.any_marks() && key().is_some_and(|key| self.marks.has_name(&key_mark(key)))
    }

    /// When a session that is made now begins: after what was revoked a moment ago, by a clock that may
    /// be ahead of ours.
    pub(super) fn begins(&self, session: &SessionState) -> Timestamp {
        let began = session.signed_in;
        if !self.any_marks() {
            return began;
        }
        let latest = began.plus(2 * CLOCKS_APART);
        let dated = session.source.dated(&session.principal);
        let over = dated.filter_map(|mark| self.marks.until(&mark));
        let after = over.filter(|until| *until <= latest).map(|until| until.plus(1));
        after.fold(began, Timestamp::max)
    }

    /// Follows a longer absolute lifetime. What was over under the shorter one may have been forgotten
    /// here, and stays over.
    pub fn lengthen(&self, absolute: u64, now: Timestamp) {
        self.sessions.lengthen(absolute, now);
        self.marks.lengthen(absolute, now);
    }

    /// Takes over from a process with another absolute lifetime: what was over there stays over.
    pub(super) fn come_after(&self, before: u64, now: Timestamp) {
        self.sessions.come_after(before, now);
        self.marks.come_after(before, now);
        self.spreading.knows();
    }

    /// Remembers what is over, wherever that was said.
    pub(super) fn take(&self, over: Over, now: Timestamp) {
        match over.names {
            Names::Sessions => self.sessions.note(over.name, over.began, now),
            Names::Marks => {
                self.marks.note(over.name, over.began, now);
                self.any_marks.store(true, Ordering::SeqCst);
            }
        }
    }

    /// Refuses all sessions with a name of this one's shard that are as old as this.
    pub(super) fn refuse_until(&self, names: Names, name: [u8; 16], time: Timestamp) {
        match names {
            Names::Sessions => self.sessions.refuse_until(name, time),
            Names::Marks => {
                self.marks.refuse_until(name, time);
                self.any_marks.store(true, Ordering::SeqCst);
            }
        }
    }

    pub(super) fn has_session(&self, id: &[u8; 16], signed_in: Timestamp) -> bool {
        self.sessions.has(id, signed_in)
    }

    /// Everything there is, and from now on everything that comes, to `heir`.
    pub(super) fn bequeath(&self, heir: &Sender<Note>) -> Vec<Note> {
        self.sessions.heirs.add(heir.clone());
        self.marks.heirs.add(heir.clone());
        let mut notes = self.sessions.notes();
        notes.extend(self.marks.notes());
        notes
    }

    pub(super) fn disinherit(&self) {
        self.sessions.heirs.leave();
        self.marks.heirs.leave();
    }

    fn has_marks(&self, session: &SessionState) -> bool {
        let source = &session.source;
        let sealed_with = || session.keys.iter().any(|key| self.marks.has_name(&key_mark(*key)));
        self.any_marks()
            && (sealed_with()
                || source.undated().is_some_and(|mark| self.marks.has_name(&mark))
                || source
                    .dated(&session.principal)
                    .any(|mark| self.marks.has(&mark, session.signed_in)))
    }

    fn all(&self) -> Vec<Over> {
        let sets = [(Names::Sessions, &self.sessions), (Names::Marks, &self.marks)];
        let of = |(names, set): (Names, &Ended)| {
            set.all().into_iter().map(move |(name, began)| Over { names, name, began })
        };
        sets.into_iter().flat_map(of).collect()
    }

    fn any_marks(&self) -> bool {
        self.any_marks.load(Ordering::Acquire)
    }
}

/// How often the list that replicas share is read.
const LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000);

    fn person(subject: &str, signed_in: u64) -> SessionState {
        let source =
            super::super::Source::of("sod").known_as("https://a.example", subject, Some("s1"));
        SessionState { source, ..SessionState::of(subject, [1; 16], Timestamp(signed_in)) }
    }

    async fn over_after(what: What<'_>, session: &SessionState) -> bool {
        let set = Revocations::new(64, 1_000);
        assert!(!set.has(session));
        set.revoke(what, NOW).await.unwrap();
        set.has(session)
    }

    #[tokio::test]
    async fn each_word_ends_whom_it_names_and_nobody_else() {
        let (astrid, tenant) = (person("Astrid@B.example", 9_000), cust(1));
        let (authority, issuer) = ("sod", "https://a.example");
        let who = |subject, tenant| What::Person { authority, subject, tenant };
        for what in [
            What::Everything,
            What::Session(astrid.id),
            who("astrid@b.example", None),
            who("astrid@b.example", Some(&tenant)),
            What::Tenant { authority, tenant: &tenant },
            What::ProviderSession { authority, issuer, sid: "s1" },
            What::ProviderSubject { authority, issuer, subject: "Astrid@B.example" },
        ] {
            assert!(over_after(what, &astrid).await, "{what:?}");
        }
        let by_a_clock_ahead = |seconds| person("Astrid@B.example", NOW.0 + seconds);
        assert!(over_after(What::Everything, &by_a_clock_ahead(CLOCKS_APART)).await);
        assert!(!over_after(What::Everything, &by_a_clock_ahead(CLOCKS_APART + 1)).await);
        let (other, elsewhere) = (cust(2), "https://b.example");
        for what in [
            What::Session(super::super::SessionId([2; 16])),
            who("bjarne@b.example", None),
            who("astrid@b.example", Some(&other)),
            What::Person { authority: "online", subject: "astrid@b.example", tenant: None },
            What::Tenant { authority, tenant: &other },
            What::Tenant { authority: "online", tenant: &tenant },
            What::ProviderSession { authority, issuer, sid: "s2" },
            What::ProviderSession { authority, issuer: elsewhere, sid: "s1" },
            What::ProviderSubject { authority, issuer: elsewhere, subject: "Astrid@B.example" },
            What::Key([1; 4]),
        ] {
            assert!(!over_after(what, &astrid).await, "{what:?}");
        }
    }

    #[tokio::test]
    async fn who_comes_back_is_let_in_but_not_by_the_session_of_the_provider_that_ended() {
        let set = Revocations::new(64, 1_000);
        let tenant = cust(1);
        set.revoke(What::Tenant { authority: "sod", tenant: &tenant }, NOW).await.unwrap();
        let mut again = person("a@b", NOW.0);
        assert!(set.has(&again), "by a clock that may be ahead");
        again.signed_in = set.begins(&again);
        assert!(!set.has(&again));
        let issuer = "https://a.example";
        let what = What::ProviderSession { authority: "sod", issuer, sid: "s1" };
        set.revoke(what, NOW).await.unwrap();
        assert!(set.has(&again) && set.has(&person("a@b", NOW.0 + 500)));
    }

    #[tokio::test]
    async fn a_key_stays_revoked_however_long_it_is() {
        let set = Revocations::new(64, 1_000);
        assert!(!set.has_key(|| Some([7; 4])));
        set.revoke(What::Key([7; 4]), NOW).await.unwrap();
        for number in 0..1_000_u64 {
            let tenant = cust(number);
            let later = NOW.plus(number * 100);
            set.revoke(What::Tenant { authority: "sod", tenant: &tenant }, later).await.unwrap();
        }
        assert!(set.has_key(|| Some([7; 4])) && !set.has_key(|| Some([8; 4])));
        assert!(!set.has_key(|| None));
    }

    fn cust(number: u64) -> crate::identity::ContextId {
        crate::identity::ContextId::parse(&format!("Cust{number}")).unwrap()
    }
}
