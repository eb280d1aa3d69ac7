//! An OpenID provider of the tests' own: honest until a switch is turned. It shares no code with what
//! is tested.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::wire::{find, read_any};
use crate::world::NOW;

/// What it does otherwise than it should. Objects are laid over the honest ones; `null` removes.
#[derive(Clone, Debug)]
pub struct Switches {
    pub algorithm: &'static str,
    pub answer: Value,
    pub claims: Value,
    /// What the claims of an id_token through the browser have besides.
    pub front_claims: Value,
    pub discovery: Value,
    pub header: Value,
    pub keys: Value,
    pub signature: Signature,
    pub tokens: Value,
    pub tokens_status: u16,
    /// Refresh tokens are given, each good once, and the id_tokens they bring say this besides.
    pub refreshed: Option<Value>,
    pub userinfo: Value,
    pub userinfo_as: UserInfoAs,
    /// What a signed userinfo is signed with, where not with `algorithm`.
    pub userinfo_algorithm: Option<&'static str>,
    /// Paths that answer nothing but 503.
    pub down: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    Broken,
    Honest,
    /// By a key nobody published, under the published name.
    OfAnother,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserInfoAs {
    Json,
    Signed,
}

/// A request to one of its endpoints, whole.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub authorization: String,
    pub fields: HashMap<String, String>,
    /// Whether a client certificate came along.
    pub certificate: bool,
}

#[derive(Clone)]
pub struct Dishonest {
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    switches: Switches,
    asked: Vec<Asked>,
    /// Codes, and the query that each was asked for with.
    codes: HashMap<String, HashMap<String, String>>,
    pushed: HashMap<String, HashMap<String, String>>,
    /// Refresh tokens, and what their sign-ins were asked for with.
    refreshes: HashMap<String, HashMap<String, String>>,
    count: usize,
}

impl State {
    /// A refresh token.
    fn given(&mut self, begun: HashMap<String, String>) -> String {
        self.count += 1;
        let token = format!("refresh-{}", self.count);
        self.refreshes.insert(token.clone(), begun);
        token
    }
}

impl Default for Switches {
    fn default() -> Self {
        let nothing = || json!({});
        Self {
            algorithm: "RS256",
            answer: nothing(),
            claims: nothing(),
            front_claims: nothing(),
            discovery: nothing(),
            header: nothing(),
            keys: nothing(),
            signature: Signature::Honest,
            tokens: nothing(),
            tokens_status: 200,
            refreshed: None,
            userinfo: nothing(),
            userinfo_as: UserInfoAs::Json,
            userinfo_algorithm: None,
            down: Vec::new(),
        }
    }
}

impl Dishonest {
    /// An honest one.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One with these switches turned.
    pub async fn with(turn: impl FnOnce(&mut Switches)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut switches = Switches::default();
        turn(&mut switches);
        let state = State {
            switches,
            asked: Vec::new(),
            codes: HashMap::new(),
            pushed: HashMap::new(),
            refreshes: HashMap::new(),
            count: 0,
        };
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, state: Arc::new(Mutex::new(state)) };
        let server = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream, false).await });
            }
        });
        provider
    }

    /// The same endpoints once more under https; gives its origin.
    pub async fn behind(&self, acceptor: TlsAcceptor) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, acceptor) = (server.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let shown = stream.get_ref().1.peer_certificates().is_some();
                    server.serve(stream, shown).await;
                });
            }
        });
        format!("https://localhost:{port}")
    }

    pub fn turn(&self, turn: impl FnOnce(&mut Switches)) {
        turn(&mut self.state.lock().unwrap().switches);
    }

    /// A token of these claims with others laid over them, under the switches as they are turned.
    pub fn token_of(&self, claims: Value, more: &Value, turn: impl Fn(&mut Switches)) -> String {
        let mut switches = Switches::default();
        turn(&mut switches);
        KEYS.token(&switches, &laid(claims, more))
    }

    /// The requests to a path so far.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "what TLS says of the client")]
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, certificate: bool) {
        let mut bytes = Vec::new();
        let (head, body) = loop {
            if read_any(&mut stream, &mut bytes).await == 0 {
                return;
            }
            let Some(end) = find(&bytes, b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length: usize = header(&head, "content-length").parse().unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                break (head, String::from_utf8_lossy(&bytes[end + 4..]).into_owned());
            }
        };
        let target = head.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let text = if body.is_empty() { query } else { &body };
        let asked = Asked {
            path: path.to_owned(),
            authorization: header(&head, "authorization"),
            fields: form_urlencoded::parse(text.as_bytes()).into_owned().collect(),
            certificate,
        };
        let answer = self.answer(asked);
        let _gone = stream.write_all(answer.as_bytes()).await;
        let _gone = stream.shutdown().await;
    }

    fn answer(&self, asked: Asked) -> String {
        let state = &mut *self.state.lock().unwrap();
        state.asked.push(asked.clone());
        if state.switches.down.iter().any(|path| *path == asked.path) {
            return reply(503, "text/plain", "down");
        }
        match asked.path.as_str() {
            "/.well-known/openid-configuration" => {
                json_reply(200, &laid(self.document(), &state.switches.discovery))
            }
            "/keys" => json_reply(200, &laid(KEYS.jwks(), &state.switches.keys)),
            "/par" => {
                state.count += 1;
                let reference = format!("urn:pushed:{}", state.count);
                state.pushed.insert(reference.clone(), asked.fields);
                json_reply(201, &json!({"request_uri": reference, "expires_in": 60}))
            }
            "/authorize" => self.authorize(state, asked.fields),
            "/token" => self.token(state, &asked),
            "/userinfo" => self.userinfo(state),
            "/logout" => reply(200, "text/html", "signed out"),
            _ => reply(404, "text/plain", "no such page"),
        }
    }

    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url);
        json!({
            "issuer": self.url, "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
            "userinfo_endpoint": at("/userinfo"), "end_session_endpoint": at("/logout"),
            "pushed_authorization_request_endpoint": at("/par"),
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn authorize(&self, state: &mut State, fields: HashMap<String, String>) -> String {
        let fields = match fields.get("request_uri") {
            Some(reference) => state.pushed.remove(reference).unwrap_or_default(),
            None => fields,
        };
        let asked = |name: &str| fields.get(name).cloned().unwrap_or_default();
        state.count += 1;
        let code = format!("code-{}", state.count);
        let mut answer = json!({"state": asked("state"), "iss": self.url});
        let kinds = asked("response_type");
        let has = |kind: &str| kinds.split(' ').any(|word| word == kind);
        if has("code") {
            answer["code"] = json!(code);
        }
        if has("token") {
            answer["access_token"] = json!(ACCESS_TOKEN);
            answer["token_type"] = json!("Bearer");
            answer["expires_in"] = json!("3600");
        }
        if has("id_token") {
            let mut claims = self.claims(&fields);
            claims["c_hash"] = json!(half(state.switches.algorithm, &code));
            claims["at_hash"] = json!(half(state.switches.algorithm, ACCESS_TOKEN));
            let claims = laid(laid(claims, &state.switches.claims), &state.switches.front_claims);
            answer["id_token"] = json!(KEYS.token(&state.switches, &claims));
        }
        state.codes.insert(code, fields.clone());
        let answer = laid(answer, &state.switches.answer);
        let pairs = answer.as_object().unwrap().iter();
        let pairs = pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let joint = if asked("response_mode") == "fragment" { '#' } else { '?' };
        let location = format!("{}{joint}{query}", asked("redirect_uri"));
        format!(
            "HTTP/1.1 303 X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    }

    /// Tokens for a refresh token: no nonce (OpenID Connect Core §12.2), and the next one.
    fn refreshed(&self, state: &mut State, token: &str) -> String {
        let Some(begun) = state.refreshes.remove(token) else {
            return json_reply(400, &json!({"error": "invalid_grant"}));
        };
        let mut claims = self.claims(&begun);
        claims.as_object_mut().unwrap().remove("nonce");
        let more = state.switches.refreshed.clone().unwrap_or_default();
        let token = KEYS.token(&state.switches, &laid(claims, &more));
        let next = state.given(begun);
        let tokens = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
            "id_token": token, "refresh_token": next,
        });
        json_reply(200, &tokens)
    }

    fn token(&self, state: &mut State, asked: &Asked) -> String {
        if let Some(token) = asked.fields.get("refresh_token") {
            return self.refreshed(state, token);
        }
        let code = asked.fields.get("code").cloned().unwrap_or_default();
        let Some(begun) = state.codes.remove(&code) else {
            return json_reply(400, &json!({"error": "invalid_grant"}));
        };
        let verifier = asked.fields.get("code_verifier").cloned().unwrap_or_default();
        let challenge =
            URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        let same = begun.get("redirect_uri") == asked.fields.get("redirect_uri");
        if begun.get("code_challenge") != Some(&challenge) || !same {
            return json_reply(400, &json!({"error": "invalid_grant"}));
        }
        let mut claims = self.claims(&begun);
        claims["at_hash"] = json!(half(state.switches.algorithm, ACCESS_TOKEN));
        let token = KEYS.token(&state.switches, &laid(claims, &state.switches.claims));
        let mut tokens = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
            "id_token": token,
        });
        if state.switches.refreshed.is_some() {
            tokens["refresh_token"] = json!(state.given(begun));
        }
        json_reply(state.switches.tokens_status, &laid(tokens, &state.switches.tokens))
    }

    fn userinfo(&self, state: &State) -> String {
        let said = json!({
            "sub": "ada-1", "given_name": "Ada", "family_name": "Lovelace",
            "email": "ada@nordlys.example", "email_verified": true,
        });
        let said = laid(said, &state.switches.userinfo);
        match state.switches.userinfo_as {
            UserInfoAs::Json => json_reply(200, &said),
            UserInfoAs::Signed => {
                let said = laid(json!({"iss": self.url, "aud": "client"}), &said);
                let mut switches = state.switches.clone();
                switches.algorithm = switches.userinfo_algorithm.unwrap_or(switches.algorithm);
                reply(200, "application/jwt", &KEYS.token(&switches, &said))
            }
        }
    }

    fn claims(&self, begun: &HashMap<String, String>) -> Value {
        json!({
            "iss": self.url, "sub": "ada-1", "aud": begun.get("client_id"), "iat": NOW,
            "exp": NOW + 3600, "nonce": begun.get("nonce"), "hd": "nordlys.example",
            "email": "ada@nordlys.example", "email_verified": true, "given_name": "Ada",
        })
    }
}

/// The keys of every provider of this kind.
pub static KEYS: LazyLock<Keys> = LazyLock::new(Keys::made);
pub const ACCESS_TOKEN: &str = "access-token-of-the-provider";

pub struct Keys {
    rsa: RsaKeyPair,
    other: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    fn made() -> Self {
        let rsa = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { rsa: rsa(), other: rsa(), p256, ed25519: Ed25519KeyPair::generate().unwrap() }
    }

    /// The private half of the RSA key as PKCS#8 in PEM, and the P-256 and Ed25519 ones.
    pub fn pem(&self, which: &str) -> String {
        let der: Vec<u8> = match which {
            "RS256" => {
                let der: aws_lc_rs::encoding::Pkcs8V1Der = self.rsa.as_der().unwrap();
                der.as_ref().to_vec()
            }
            "ES256" => self.p256.to_pkcs8v1().unwrap().as_ref().to_vec(),
            _ => self.ed25519.to_pkcs8v1().unwrap().as_ref().to_vec(),
        };
        let body = STANDARD.encode(der);
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let lines = lines.join("\n");
        format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
    }

    /// The public half, as verifiers take it.
    pub fn public(&self, which: &str) -> Vec<u8> {
        match which {
            "RS256" => self.rsa.public_key().as_ref().to_vec(),
            "ES256" => self.p256.public_key().as_ref().to_vec(),
            _ => self.ed25519.public_key().as_ref().to_vec(),
        }
    }

    /// All public halves, as they are published.
    pub fn jwks(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = self.rsa.public_key();
        let point = self.p256.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "use": "sig", "kid": "rsa",
             "n": text(rsa.modulus().big_endian_without_leading_zero()),
             "e": text(rsa.exponent().big_endian_without_leading_zero())},
            {"kty": "EC", "crv": "P-256", "use": "sig", "kid": "p256",
             "x": text(&point[1..33]), "y": text(&point[33..65])},
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "ed25519",
             "x": text(self.ed25519.public_key().as_ref())},
        ]})
    }

    fn token(&self, switches: &Switches, claims: &Value) -> String {
        let kid = match switches.algorithm {
            "ES256" => "p256",
            "EdDSA" => "ed25519",
            _ => "rsa",
        };
        let header = json!({"alg": switches.algorithm, "typ": "JWT", "kid": kid});
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&laid(header, &switches.header)), part(claims));
        let mut signature = self.sign(switches, message.as_bytes());
        match switches.signature {
            Signature::Broken => signature[7] ^= 1,
            Signature::Missing => signature.clear(),
            Signature::Honest | Signature::OfAnother => {}
        }
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, switches: &Switches, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = match switches.signature {
            Signature::OfAnother => &self.other,
            _ => &self.rsa,
        };
        let mut signature = vec![0; 256];
        match switches.algorithm {
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(message).as_ref().to_vec(),
            "PS256" => {
                rsa.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            "HS256" => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret of main");
                hmac::sign(&key, message).as_ref().to_vec()
            }
            _ => {
                rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn half(algorithm: &str, text: &str) -> String {
    let by = if algorithm == "EdDSA" { &digest::SHA512 } else { &digest::SHA256 };
    let digest = digest::digest(by, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..digest.as_ref().len() / 2])
}

fn laid(mut under: Value, over: &Value) -> Value {
    let nothing = Map::new();
    for (name, value) in over.as_object().unwrap_or(&nothing) {
        match value {
            Value::Null => drop(under.as_object_mut().unwrap().remove(name)),
            value => under[name] = value.clone(),
        }
    }
    under
}

fn header(head: &str, name: &str) -> String {
    let line = |line: &str| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    head.lines().find_map(line).unwrap_or_default()
}

fn json_reply(status: u16, body: &Value) -> String {
    reply(status, "application/json", &body.to_string())
}

fn reply(status: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}
