//! A small authority (RFC 8555): it checks signatures, nonces and the state of orders, looks for
//! itself, and hands out certificates by the tests' clock.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use superid_gateway::clock::Clock;
use tokio::net::TcpListener;

use crate::desk::Desk;
use crate::looks;
use crate::signed::{ClientKey, Signed, decoded, encoded};

/// A running authority.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    pub origin: String,
    clock: Clock,
    desk: Desk,
    state: Mutex<State>,
}

/// What it knows, and what a test wants of it.
#[derive(Default)]
pub struct State {
    nonces: HashSet<String>,
    accounts: Vec<(ClientKey, Value)>,
    orders: Vec<Order>,
    /// Where it looks: without TLS, and in TLS.
    pub http: Option<SocketAddr>,
    pub tls: Option<SocketAddr>,
    /// So many good nonces are refused.
    pub bad_nonces: usize,
    /// Orders are too many, for so many seconds.
    pub limited: Option<u64>,
    /// Connections are closed without an answer.
    pub down: bool,
    /// Looks only when it is told to, so that an order stays under way.
    pub looks_away: bool,
    /// The window in which certificates are to be renewed.
    pub window: Option<(u64, u64)>,
    /// The external account that has to be bound, and its key.
    pub external: Option<(String, Vec<u8>)>,
    /// Requests for an order, and what became of them.
    pub asked: usize,
    pub issued: usize,
    /// What the orders said they replace.
    pub replaced: Vec<Value>,
    pub refused_nonces: usize,
    serial: usize,
}

struct Order {
    account: usize,
    hosts: Vec<String>,
    /// What became of each host.
    seen: Vec<Option<Result<(), String>>>,
    certificate: Option<String>,
}

type Answer = Response<Full<Bytes>>;

impl Authority {
    pub async fn start(clock: &Clock) -> Self {
        superid_gateway::crypto::install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            origin,
            clock: clock.clone(),
            desk: Desk::new(),
            state: Mutex::new(State::default()),
        };
        let authority = Self(Arc::new(inner));
        let serving = authority.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if serving.state().down {
                    continue;
                }
                let serving = serving.clone();
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { Ok::<_, Infallible>(serving.answer(request).await) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move {
                    let _client_gone = connection.await;
                });
            }
        });
        authority
    }

    pub fn directory(&self) -> String {
        format!("{}/directory", self.0.origin)
    }

    pub fn root(&self) -> rustls::pki_types::CertificateDer<'static> {
        self.0.desk.root.clone()
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// The tokens of orders that are under way.
    pub fn tokens(&self) -> Vec<String> {
        let state = self.state();
        let open = state.orders.iter().enumerate().filter(|(_, order)| order.certificate.is_none());
        open.flat_map(|(at, order)| (0..order.hosts.len()).map(move |host| token(at, host)))
            .collect()
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        let mut answer = match (head.method, path.as_str()) {
            (Method::GET, "/directory") => self.directory_page(),
            (Method::GET, path) if path.starts_with("/renewal/") => self.renewal(),
            (Method::HEAD, "/nonce") => told(StatusCode::OK, &Value::Null),
            (Method::POST, path) => match self.signed(path, &body) {
                Ok((signed, account)) => self.act(path, &signed, account).await,
                Err(problem) => problem,
            },
            _ => refused(StatusCode::NOT_FOUND, "malformed", "there is no such page"),
        };
        let nonce = self.nonce();
        answer.headers_mut().insert("replay-nonce", nonce.parse().unwrap());
        answer
    }

    fn directory_page(&self) -> Answer {
        let at = |path: &str| format!("{}/{path}", self.0.origin);
        let mut directory = json!({
            "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("order"),
        });
        if self.state().window.is_some() {
            directory["renewalInfo"] = at("renewal").into();
        }
        told(StatusCode::OK, &directory)
    }

    fn renewal(&self) -> Answer {
        let written = |seconds: u64| {
            let moment = time::OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
            moment.format(&time::format_description::well_known::Rfc3339).unwrap()
        };
        let (start, end) = self.state().window.unwrap();
        let window = json!({ "start": written(start), "end": written(end) });
        let mut answer = told(StatusCode::OK, &json!({ "suggestedWindow": window }));
        answer.headers_mut().insert("retry-after", "21600".parse().unwrap());
        answer
    }

    /// Signature, nonce and address, and whose account it is; for a new one its key is beside it.
    fn signed(&self, path: &str, body: &[u8]) -> Result<(Signed, Option<usize>), Answer> {
        let malformed = |why| refused(StatusCode::BAD_REQUEST, "malformed", why);
        let body = serde_json::from_slice(body).map_err(|_| malformed("no JSON"))?;
        let signed = Signed::read(&body).ok_or_else(|| malformed("no JWS"))?;
        let mut state = self.state();
        let nonce = signed.header["nonce"].as_str().unwrap_or_default();
        let known = state.nonces.remove(nonce);
        if !known || state.bad_nonces > 0 {
            state.bad_nonces = state.bad_nonces.saturating_sub(1);
            state.refused_nonces += 1;
            return Err(refused(StatusCode::BAD_REQUEST, "badNonce", "not one of ours"));
        }
        if signed.header["url"] != format!("{}{path}", self.0.origin) {
            return Err(malformed("for another address"));
        }
        let (key, account) = match (&signed.header["jwk"], signed.header["kid"].as_str()) {
            (jwk @ Value::Object(_), None) if path == "/account" => (ClientKey::read(jwk), None),
            (Value::Null, Some(kid)) => {
                let number = kid.rsplit_once('/').and_then(|(_, number)| number.parse().ok());
                let found = number.and_then(|number: usize| state.accounts.get(number));
                let Some((key, _)) = found else {
                    let status = StatusCode::BAD_REQUEST;
                    return Err(refused(status, "accountDoesNotExist", "nobody's"));
                };
                (Some(key.clone()), number)
            }
            _ => return Err(malformed("a key and an account, or neither")),
        };
        match key.filter(|key| signed.holds(key)) {
            Some(_) => Ok((signed, account)),
            None => Err(refused(StatusCode::UNAUTHORIZED, "unauthorized", "the signature is not")),
        }
    }

    async fn act(&self, path: &str, signed: &Signed, account: Option<usize>) -> Answer {
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let number = |at: usize| steps.get(at).and_then(|step| step.parse::<usize>().ok());
        match (steps[0], account) {
            ("account", None) => self.new_account(signed),
            ("account", Some(account)) => {
                let mut state = self.state();
                state.accounts[account].1 = signed.json();
                told(StatusCode::OK, &json!({ "status": "valid" }))
            }
            ("order", Some(account)) if steps.len() == 1 => self.new_order(signed, account),
            (what, Some(account)) => {
                let Some(at) = number(1) else { return nothing() };
                let ours = self.state().orders.get(at).is_some_and(|one| one.account == account);
                match what {
                    _ if !ours => nothing(),
                    "order" => told(StatusCode::OK, &self.order(at)),
                    "authorization" => told(StatusCode::OK, &self.authorization(at, number(2))),
                    "challenge" => self.look(at, &steps).await,
                    "finalize" => self.finalize(at, signed),
                    "certificate" => self.certificate(at),
                    _ => nothing(),
                }
            }
            (_, None) => nothing(),
        }
    }

    fn new_account(&self, signed: &Signed) -> Answer {
        let wanted = signed.json();
        let mut state = self.state();
        if wanted["termsOfServiceAgreed"] != true {
            return refused(StatusCode::FORBIDDEN, "userActionRequired", "agree first");
        }
        if let Some((id, key)) = &state.external {
            let bound = Signed::read(&wanted["externalAccountBinding"]);
            let holds = bound.is_some_and(|bound| {
                let ours =
                    bound.header["kid"] == *id && bound.header["url"] == signed.header["url"];
                let same = ClientKey::read(&bound.json()) == ClientKey::read(&signed.header["jwk"]);
                ours && same && bound.holds_by(key)
            });
            if !holds {
                return refused(StatusCode::FORBIDDEN, "externalAccountRequired", "bind it");
            }
        }
        let key = ClientKey::read(&signed.header["jwk"]).unwrap();
        state.accounts.push((key, wanted));
        let id = format!("{}/account/{}", self.0.origin, state.accounts.len() - 1);
        let mut answer = told(StatusCode::CREATED, &json!({ "status": "valid" }));
        answer.headers_mut().insert("location", id.parse().unwrap());
        answer
    }

    fn new_order(&self, signed: &Signed, account: usize) -> Answer {
        let wanted = signed.json();
        let mut state = self.state();
        state.asked += 1;
        if let Some(seconds) = state.limited {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut answer = refused(status, "rateLimited", "too many of them");
            answer.headers_mut().insert("retry-after", seconds.into());
            return answer;
        }
        let named = wanted["identifiers"].as_array().unwrap().iter();
        let hosts: Vec<String> = named
            .filter(|one| one["type"] == "dns")
            .map(|one| one["value"].as_str().unwrap().to_owned())
            .collect();
        if !wanted["replaces"].is_null() {
            state.replaced.push(wanted["replaces"].clone());
        }
        let seen = vec![None; hosts.len()];
        state.orders.push(Order { account, hosts, seen, certificate: None });
        let at = state.orders.len() - 1;
        drop(state);
        let mut order = self.order(at);
        order["replaces"] = wanted["replaces"].clone();
        let mut answer = told(StatusCode::CREATED, &order);
        let url = format!("{}/order/{at}", self.0.origin);
        answer.headers_mut().insert("location", url.parse().unwrap());
        answer
    }

    fn order(&self, at: usize) -> Value {
        let state = self.state();
        let order = &state.orders[at];
        let url = |what: &str| format!("{}/{what}/{at}", self.0.origin);
        let all = |what: fn(&Option<Result<(), String>>) -> bool| order.seen.iter().all(what);
        let status = if order.certificate.is_some() {
            "valid"
        } else if all(|seen| matches!(seen, Some(Ok(())))) {
            "ready"
        } else if all(|seen| !matches!(seen, Some(Err(_)))) {
            "pending"
        } else {
            "invalid"
        };
        let host = |host: usize| format!("{}/{host}", url("authorization"));
        let mut told = json!({
            "status": status,
            "authorizations": (0..order.hosts.len()).map(host).collect::<Vec<_>>(),
            "finalize": url("finalize"),
        });
        if order.certificate.is_some() {
            told["certificate"] = url("certificate").into();
        }
        told
    }

    fn authorization(&self, at: usize, host: Option<usize>) -> Value {
        let state = self.state();
        let order = &state.orders[at];
        let Some(host) = host.filter(|host| *host < order.hosts.len()) else { return Value::Null };
        let (status, error) = match &order.seen[host] {
            None => ("pending", Value::Null),
            Some(Ok(())) => ("valid", Value::Null),
            Some(Err(why)) => ("invalid", problem("unauthorized", why)),
        };
        let challenge = |kind: &str| {
            let url = format!("{}/challenge/{at}/{host}/{kind}", self.0.origin);
            let mut challenge =
                json!({ "type": kind, "url": url, "token": token(at, host), "status": status });
            if !error.is_null() {
                challenge["error"] = error.clone();
            }
            challenge
        };
        json!({
            "identifier": { "type": "dns", "value": order.hosts[host] },
            "status": status,
            "challenges": [challenge("dns-01"), challenge("http-01"), challenge("tls-alpn-01")],
        })
    }

    /// Looks, and has an opinion from then on.
    async fn look(&self, at: usize, steps: &[&str]) -> Answer {
        let [_, _, host, kind] = steps else { return nothing() };
        let Ok(number) = host.parse::<usize>() else { return nothing() };
        let (name, authorization, http, tls, away) = {
            let state = self.state();
            let order = &state.orders[at];
            let key = &state.accounts[order.account].0;
            let authorization = format!("{}.{}", token(at, number), key.thumbprint);
            (order.hosts[number].clone(), authorization, state.http, state.tls, state.looks_away)
        };
        if !away {
            let seen = match *kind {
                "http-01" => looks::by_http(http.unwrap(), &name, &authorization).await,
                "tls-alpn-01" => looks::by_tls(tls.unwrap(), &name, &authorization).await,
                _ => Err("that is not looked for here".to_owned()),
            };
            self.state().orders[at].seen[number] = Some(seen);
        }
        let found = self.authorization(at, Some(number));
        let challenges = found["challenges"].as_array().unwrap();
        let mut same = challenges.iter().find(|one| one["type"] == *kind).unwrap().clone();
        // Whoever asked hears of it from the order.
        same.as_object_mut().unwrap().remove("error");
        told(StatusCode::OK, &same)
    }

    fn finalize(&self, at: usize, signed: &Signed) -> Answer {
        if self.order(at)["status"] != "ready" {
            return refused(StatusCode::FORBIDDEN, "orderNotReady", "not yet");
        }
        let csr = signed.json()["csr"].as_str().and_then(decoded).unwrap_or_default();
        let (now, mut state) = (self.0.clock.now().0, self.state());
        let hosts = state.orders[at].hosts.clone();
        let Some(pem) = self.0.desk.sign(&csr, &hosts, now - 60, LIFE) else {
            return refused(StatusCode::BAD_REQUEST, "badCSR", "not for this order");
        };
        state.orders[at].certificate = Some(pem);
        state.issued += 1;
        drop(state);
        told(StatusCode::OK, &self.order(at))
    }

    fn certificate(&self, at: usize) -> Answer {
        match &self.state().orders[at].certificate {
            Some(pem) => Response::new(Full::new(Bytes::from(pem.clone()))),
            None => nothing(),
        }
    }

    fn nonce(&self) -> String {
        let mut state = self.state();
        state.serial += 1;
        let nonce = encoded(format!("nonce {}", state.serial).as_bytes());
        state.nonces.insert(nonce.clone());
        nonce
    }
}

impl State {
    /// What the accounts said of themselves.
    pub fn accounts(&self) -> Vec<Value> {
        self.accounts.iter().map(|(_, said)| said.clone()).collect()
    }

    /// Whom nobody knows any more.
    pub fn forget_accounts(&mut self) {
        self.accounts.clear();
    }
}

fn token(order: usize, host: usize) -> String {
    encoded(format!("token of {order} for {host}").as_bytes())
}

fn told(status: StatusCode, json: &Value) -> Answer {
    let text = if json.is_null() { String::new() } else { json.to_string() };
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer
}

fn refused(status: StatusCode, kind: &str, detail: &str) -> Answer {
    told(status, &problem(kind, detail))
}

fn problem(kind: &str, detail: &str) -> Value {
    json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail })
}

fn nothing() -> Answer {
    refused(StatusCode::NOT_FOUND, "malformed", "there is no such thing")
}

/// Seconds a certificate lives.
pub const LIFE: u64 = 90 * 86_400;
