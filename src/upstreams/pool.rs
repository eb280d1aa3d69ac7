//! A pool of servers: one is taken for each request, and those that fail are left out for a while.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::config::{Balance, Ejection, HashBy, Server, Servers};

use super::choice::{self, Candidate};
use super::member::Member;

/// Servers that stand for one another, by the rules of one configuration.
#[derive(Debug)]
pub struct Pool {
    name: String,
    members: Vec<Seat>,
    balance: Balance,
    ejection: Ejection,
    turns: AtomicUsize,
    ejecting: Mutex<()>,
}

#[derive(Debug)]
struct Seat {
    member: Arc<Member>,
    weight: usize,
}

/// What a request is known by, where the same are to meet the same server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asking<'a> {
    pub address: Option<IpAddr>,
    pub tenant: Option<&'a str>,
}

/// The servers that a request was sent to already, by number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried(u64);

/// A request's server, until dropped.
#[derive(Debug)]
pub struct Taken {
    member: Arc<Member>,
    number: usize,
}

impl Pool {
    /// What the pool before it learnt of the servers both have goes on.
    pub fn new(servers: &Servers, before: Option<&Self>) -> Self {
        let known = |name: &str| {
            let seats = before.map_or(&[][..], |before| &before.members);
            seats.iter().find(|seat| seat.member.name() == name).map(|seat| seat.member.clone())
        };
        let seat = |server: &Server| {
            let name = server.to_string();
            let member = known(&name).unwrap_or_else(|| Arc::new(Member::new(name)));
            if servers.health.is_none() {
                member.is_no_more_looked_at();
            }
            Seat { member, weight: server.weight }
        };
        Self {
            name: servers.name.clone().unwrap_or_default(),
            members: servers.each.iter().map(seat).collect(),
            balance: servers.balance,
            ejection: servers.ejection,
            turns: AtomicUsize::new(0),
            ejecting: Mutex::new(()),
        }
    }

    /// The table's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its servers, in the order of the configuration.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.iter().map(|seat| &seat.member)
    }

    /// A server for a request: one that is up, else any, for none may be as ill as it was found.
    /// `None` where it was sent to all of them already.
    pub fn take(&self, asking: Asking<'_>, tried: &mut Tried, now: Timestamp) -> Option<Taken> {
        let fresh = self.candidates(|number| !tried.has(number));
        let up: Vec<_> = fresh
            .iter()
            .filter(|one| self.members[one.number].member.is_up(now))
            .copied()
            .collect();
        let number = self.chosen(if up.is_empty() { &fresh } else { &up }, asking)?;
        tried.0 |= 1 << number;
        let member = self.members[number].member.clone();
        member.enter();
        Some(Taken { member, number })
    }

    /// Whether there is one that is up and was not tried.
    pub fn has_another(&self, tried: Tried, now: Timestamp) -> bool {
        let mut seats = self.members.iter().enumerate();
        seats.any(|(number, seat)| !tried.has(number) && seat.member.is_up(now))
    }

    /// The server answered.
    pub fn answered(&self, taken: &Taken) {
        taken.member.answered();
    }

    /// The server did not answer. After so many in a row it is left out, unless too many are.
    pub fn failed(&self, taken: &Taken, now: Timestamp) -> Ejected {
        let failures = taken.member.failed();
        if self.ejection.after == 0 || failures < self.ejection.after {
            return Ejected::No;
        }
        let _one_at_a_time = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        let out = self.members().filter(|member| member.is_ejected(now)).count();
        let most = self.members.len() * self.ejection.most_percent / 100;
        if taken.member.is_ejected(now) || out >= most {
            return Ejected::No;
        }
        taken.member.eject(Timestamp(now.0 + self.ejection.time.as_secs()));
        Ejected::Yes
    }

    fn candidates(&self, wanted: impl Fn(usize) -> bool) -> Vec<Candidate> {
        let seats = self.members.iter().enumerate().filter(|(number, _)| wanted(*number));
        let candidate = |(number, Seat { member, weight }): (usize, &'_ Seat)| Candidate {
            number,
            weight: *weight,
            in_flight: member.in_flight(),
        };
        seats.map(candidate).collect()
    }

    fn chosen(&self, among: &[Candidate], asking: Asking<'_>) -> Option<usize> {
        let turn = || self.turns.fetch_add(1, Ordering::Relaxed);
        match self.balance {
            Balance::LeastInFlight => choice::least_in_flight(among, turn()),
            Balance::RoundRobin => choice::round_robin(among, turn()),
            Balance::Hash(by) => match asking.key(by) {
                Some(key) => {
                    let name = |number: usize| self.members[number].member.name().as_bytes();
                    choice::by_hash(among, &key, name)
                }
                None => choice::least_in_flight(among, turn()),
            },
        }
    }
}

/// Whether a server was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ejected {
    No,
    Yes,
}

impl Asking<'_> {
    /// Who has no tenant is known by the address.
    fn key(&self, by: HashBy) -> Option<Vec<u8>> {
        let address = || self.address.map(|address| address.to_string().into_bytes());
        match by {
            HashBy::Address => address(),
            HashBy::Tenant => self.tenant.map(|name| name.as_bytes().to_vec()).or_else(address),
        }
    }
}

impl Tried {
    fn has(self, number: usize) -> bool {
        self.0 & (1 << number) != 0
    }
}

impl Taken {
    /// Where it stands among the servers.
    pub fn number(&self) -> usize {
        self.number
    }

    pub fn member(&self) -> &Member {
        &self.member
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.member.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn servers(count: usize, balance: Balance) -> Servers {
        let server = |number: usize| Server::at("10.0.0.1", 3_000 + number as u16);
        Servers {
            each: (0..count).map(server).collect(),
            balance,
            ejection: Ejection { after: 2, time: Duration::from_secs(30), most_percent: 50 },
            ..Servers::one(Server::at("10.0.0.1", 3_000))
        }
    }

    fn taken(pool: &Pool, tried: &mut Tried, now: Timestamp) -> Option<usize> {
        pool.take(Asking::default(), tried, now).map(|taken| taken.number())
    }

    fn fails(pool: &Pool, number: usize, now: Timestamp) -> Ejected {
        let mut tried = Tried(!(1 << number));
        pool.failed(&pool.take(Asking::default(), &mut tried, now).unwrap(), now)
    }

    #[test]
    fn a_request_is_sent_to_each_server_once() {
        let pool = Pool::new(&servers(3, Balance::RoundRobin), None);
        let mut tried = Tried::default();
        let mut sent: Vec<_> =
            (0..3).filter_map(|_| taken(&pool, &mut tried, Timestamp(0))).collect();
        sent.sort_unstable();
        assert_eq!(sent, [0, 1, 2]);
        assert!(!pool.has_another(tried, Timestamp(0)));
        assert_eq!(taken(&pool, &mut tried, Timestamp(0)), None);
    }

    #[test]
    fn what_is_with_a_server_counts_until_it_is_done() {
        let pool = Pool::new(&servers(2, Balance::LeastInFlight), None);
        let take = || pool.take(Asking::default(), &mut Tried::default(), Timestamp(0)).unwrap();
        let (first, second) = (take(), take());
        assert_ne!(first.number(), second.number());
        let number = first.number();
        drop(first);
        for _ in 0..2 {
            assert_eq!(take().number(), number, "the other one is busy");
        }
    }

    #[test]
    fn who_fails_in_a_row_is_left_out_for_a_while_and_again_after_one_more() {
        let pool = Pool::new(&servers(2, Balance::RoundRobin), None);
        let now = Timestamp(100);
        assert_eq!([fails(&pool, 0, now), fails(&pool, 0, now)], [Ejected::No, Ejected::Yes]);
        let others = |now| (0..4).all(|_| taken(&pool, &mut Tried::default(), now) == Some(1));
        assert!(others(now) && others(Timestamp(129)) && !others(Timestamp(130)));
        assert_eq!(fails(&pool, 0, Timestamp(130)), Ejected::Yes);
        assert!(others(Timestamp(159)) && !others(Timestamp(160)));
    }

    #[test]
    fn an_answer_between_two_failures_forgives_the_first() {
        let pool = Pool::new(&servers(2, Balance::RoundRobin), None);
        let now = Timestamp(100);
        for _ in 0..3 {
            assert_eq!(fails(&pool, 0, now), Ejected::No);
            let taken = pool.take(Asking::default(), &mut Tried(!1), now).unwrap();
            pool.answered(&taken);
        }
    }

    #[test]
    fn no_more_are_left_out_than_may_be() {
        let pool = Pool::new(&servers(3, Balance::RoundRobin), None);
        let now = Timestamp(100);
        for number in [0, 1, 2] {
            fails(&pool, number, now);
            let ejected = fails(&pool, number, now);
            assert_eq!(ejected == Ejected::Yes, number == 0, "half of three is one");
        }
    }

    #[test]
    fn where_all_are_out_each_is_tried_all_the_same() {
        let mut both = servers(2, Balance::RoundRobin);
        both.ejection.most_percent = 100;
        let pool = Pool::new(&both, None);
        let now = Timestamp(100);
        for number in [0, 0, 1, 1] {
            fails(&pool, number, now);
        }
        assert!(!pool.has_another(Tried::default(), now));
        assert!(taken(&pool, &mut Tried::default(), now).is_some());
    }

    #[test]
    fn a_client_or_a_tenant_meets_the_same_server_again() {
        let address = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let by_tenant = Pool::new(&servers(5, Balance::Hash(HashBy::Tenant)), None);
        let by_address = Pool::new(&servers(5, Balance::Hash(HashBy::Address)), None);
        let number = |pool: &Pool, address, tenant| {
            let asking = Asking { address, tenant };
            pool.take(asking, &mut Tried::default(), Timestamp(0)).unwrap().number()
        };
        let mut met = [false; 5];
        for last in 0..100 {
            let first = number(&by_address, address(last), None);
            assert_eq!(number(&by_address, address(last), Some("Cust1")), first);
            met[first] = true;
            let same = number(&by_tenant, address(last), Some("Cust1"));
            assert_eq!(same, number(&by_tenant, address(1), Some("Cust1")));
            assert_eq!(number(&by_tenant, address(last), None), first);
        }
        assert_eq!(met, [true; 5]);
    }

    #[test]
    fn a_new_configuration_knows_what_was_learnt_of_the_servers_it_has_too() {
        let before = Pool::new(&servers(2, Balance::RoundRobin), None);
        let now = Timestamp(100);
        fails(&before, 1, now);
        fails(&before, 1, now);
        let mut more = servers(3, Balance::RoundRobin);
        more.each.remove(0);
        let after = Pool::new(&more, Some(&before));
        let up: Vec<bool> = after.members().map(|member| member.is_up(now)).collect();
        assert_eq!(up, [false, true]);
    }
}
