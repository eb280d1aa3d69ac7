//! A request's head on its way to an app or tenant: the client's, but for what is left out and what is set.
//!
//! Nothing of the client's is copied: it is read where it stands when the head is spelled.

use std::sync::LazyLock;

use super::heads::{OF_THE_CONNECTION, named, takes_trailers};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use pingora::{Error, ErrorType};

/// What an app is sent. What is set leaves first, then what is left of the client's, each in its order. It has
/// credentials in it, and cannot be printed.
pub(super) struct Outbound<'a> {
    client: &'a Parts,
    target: Option<Uri>,
    gone: Vec<HeaderName>,
    /// Which of the client's names leave at all.
    goes: Option<fn(&str) -> bool>,
    set: Vec<(HeaderName, HeaderValue)>,
    /// Of the names of both, and of what never leaves.
    seen: Marks,
}

impl<'a> Outbound<'a> {
    /// The client's, without what is about the client's own connection (RFC 9113 §8.2.2), and what that says
    /// is. Nothing of ours is in it yet: a client must not be able to name that.
    ///
    /// # Errors
    /// When it says so of what no connection has: whoever does that is after something.
    pub(super) fn of_client(client: &'a Parts) -> pingora::Result<Self> {
        let mut outbound = Self { seen: *CONNECTIONS, ..Self::whole(client) };
        let named = named(&client.headers)?;
        // One that is named is of that connection (RFC 9110 §10.1.4): it says nothing to the app.
        if takes_trailers(&client.headers) && !named.contains(&header::TE) {
            outbound.set(header::TE, HeaderValue::from_static("trailers"));
        }
        named.into_iter().for_each(|name| outbound.leave_out(name));
        Ok(outbound)
    }

    /// All of it, for who sees to the connection's own.
    pub(super) fn whole(client: &'a Parts) -> Self {
        let seen = Marks::default();
        let (gone, set) = (Vec::new(), Vec::with_capacity(MANY));
        Self { client, target: None, gone, goes: None, set, seen }
    }

    pub(super) fn method(&self) -> &'a Method {
        &self.client.method
    }

    /// The path with its query; it has no origin in it (RFC 9112 §3.2.1).
    pub(super) fn target(&self) -> &str {
        let uri = self.target.as_ref().unwrap_or(&self.client.uri);
        uri.path_and_query().map_or("/", |target| target.as_str())
    }

    pub(super) fn goes_to(&mut self, target: Uri) {
        self.target = Some(target);
    }

    /// Sets a field in the place of all there are of its name; `Host` before all others (RFC 9110 §7.2).
    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        let before = match self.seen.mark(&name) {
            Mark::New => None,
            Mark::Seen => self.set.iter_mut().find(|(set, _)| *set == name),
        };
        match before {
            Some((_, before)) => *before = value,
            None if name == header::HOST => self.set.insert(0, (name, value)),
            None => self.set.push((name, value)),
        }
    }

    /// The same, of a text.
    ///
    /// # Errors
    /// When it cannot be a header's value.
    pub(super) fn say(&mut self, name: HeaderName, text: &str) -> pingora::Result<()> {
        let cause = |error| Error::because(ErrorType::InternalError, "not a header's value", error);
        self.set(name, HeaderValue::from_str(text).map_err(cause)?);
        Ok(())
    }

    /// Leaves out all there are of a name.
    pub(super) fn leave_out(&mut self, name: HeaderName) {
        if self.seen.mark(&name) == Mark::Seen {
            self.set.retain(|(set, _)| *set != name);
        }
        self.gone.push(name);
    }

    /// Leaves out all of the client's whose names are not among these.
    pub(super) fn leave_out_but(&mut self, goes: fn(&str) -> bool) {
        self.goes = Some(goes);
    }

    /// All there are of a name.
    pub(super) fn all(&self, name: &HeaderName) -> impl Iterator<Item = &HeaderValue> {
        let set = self.set.iter().filter(move |(set, _)| set == name).map(|(_, value)| value);
        let stays = !self.is_gone(name);
        set.chain(stays.then(|| self.client.headers.get_all(name)).into_iter().flatten())
    }

    /// Each field as it leaves.
    #[inline]
    pub(super) fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let set = self.set.iter().map(|(name, value)| (name, value));
        set.chain(self.client.headers.iter().filter(|(name, _)| !self.is_gone(name)))
    }

    /// How many bytes the fields take on a wire of HTTP/1.1, those of the client's that stay behind among them.
    pub(super) fn bytes_at_most(&self) -> usize {
        let set = self.set.iter().map(|(name, value)| (name, value));
        let fields = set.chain(&self.client.headers);
        fields.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
    }

    /// All of it, for who needs the fields by name.
    pub(super) fn parts(&self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.client.method.clone();
        parts.uri = self.target.as_ref().unwrap_or(&self.client.uri).clone();
        parts.version = self.client.version;
        parts.headers.reserve(self.client.headers.len() + self.set.len());
        for (name, value) in self.fields() {
            parts.headers.append(name, value.clone());
        }
        parts
    }

    /// Whether the client's fields of this name stay behind.
    #[inline]
    fn is_gone(&self, name: &HeaderName) -> bool {
        self.goes.is_some_and(|goes| !goes(name.as_str()))
            || (self.seen.has(name) && self.is_among_the_seen(name))
    }

    fn is_among_the_seen(&self, name: &HeaderName) -> bool {
        self.gone.contains(name)
            || self.set.iter().any(|(set, _)| set == name)
            || (self.seen.connections && OF_THE_CONNECTION.contains(name))
    }
}

/// Names that may have been met: nearly every other one is told apart without a look at those.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    bits: [u64; 4],
    /// What is of the client's connection is among them.
    connections: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    New,
    /// It, or another one that looks like it.
    Seen,
}

impl Marks {
    fn mark(&mut self, name: &HeaderName) -> Mark {
        let (word, bit) = place(name);
        let before = self.bits[word] & bit;
        self.bits[word] |= bit;
        if before == 0 { Mark::New } else { Mark::Seen }
    }

    fn has(&self, name: &HeaderName) -> bool {
        let (word, bit) = place(name);
        self.bits[word] & bit != 0
    }
}

/// By its length and three of its letters.
#[inline]
fn place(name: &HeaderName) -> (usize, u64) {
    let name = name.as_str().as_bytes();
    let letter = |at: usize| usize::from(name.get(at).copied().unwrap_or_default());
    let last = name.len().saturating_sub(1);
    let number = name.len() * 5 + letter(0) * 3 + letter(last / 2) * 7 + letter(last) * 11;
    (number / 64 % 4, 1 << (number % 64))
}

static CONNECTIONS: LazyLock<Marks> = LazyLock::new(|| {
    let mut marks = Marks { connections: true, ..Marks::default() };
    for name in &OF_THE_CONNECTION {
        marks.mark(name);
    }
    marks
});

/// Headers of ours that most requests get.
const MANY: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(fields: &[(&'static str, &'static str)]) -> Parts {
        let mut parts = http::Request::new(()).into_parts().0;
        for (name, value) in fields {
            parts.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        parts
    }

    fn left(outbound: &Outbound<'_>) -> Vec<String> {
        let field = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let fields: Vec<String> = outbound.fields().map(field).collect();
        let mut of_map: Vec<String> = outbound.parts().headers.iter().map(field).collect();
        let mut sorted = fields.clone();
        sorted.sort();
        of_map.sort();
        assert_eq!(sorted, of_map, "the same fields, however they are asked for");
        fields
    }

    #[test]
    fn what_is_of_the_clients_connection_or_named_by_it_does_not_leave() {
        let client = client(&[
            ("connection", "keep-alive, x-hop"),
            ("proxy-authorization", "Basic eA=="),
            ("keep-alive", "timeout=5"),
            ("x-hop", "1"),
            ("x-hop", "2"),
            ("te", "gzip, trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-stays", "1"),
        ]);
        let outbound = Outbound::of_client(&client).unwrap();
        assert_eq!(left(&outbound), ["te: trailers", "x-stays: 1"]);
        assert_eq!(left(&Outbound::whole(&client)).len(), 9, "but for who sees to it");
    }

    #[test]
    fn trailers_are_asked_for_where_that_was_not_of_the_clients_connection() {
        for (connection, te, left_of_it) in [
            ("keep-alive", "trailers", &["te: trailers"][..]),
            ("TE", "trailers", &[]),
            ("te, close", "gzip, trailers;q=1", &[]),
            ("keep-alive", "gzip", &[]),
        ] {
            let client = client(&[("connection", connection), ("te", te)]);
            assert_eq!(left(&Outbound::of_client(&client).unwrap()), left_of_it, "{connection}");
        }
    }

    #[test]
    fn what_is_set_has_the_place_of_all_there_are_of_its_name() {
        let client = client(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")]);
        let mut outbound = Outbound::of_client(&client).unwrap();
        let value = HeaderValue::from_static;
        outbound.set(HeaderName::from_static("a"), value("x"));
        outbound.set(HeaderName::from_static("a"), value("y"));
        outbound.set(header::TRANSFER_ENCODING, value("chunked"));
        assert_eq!(left(&outbound), ["a: y", "transfer-encoding: chunked", "b: 2", "c: 4"]);
        let all = |outbound: &Outbound<'_>, name| {
            let name = HeaderName::from_static(name);
            let all = outbound.all(&name);
            all.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (all(&outbound, "a"), all(&outbound, "b")),
            (vec!["y".into()], vec!["2".into()])
        );
        outbound.leave_out(HeaderName::from_static("a"));
        outbound.leave_out(HeaderName::from_static("b"));
        assert!(all(&outbound, "a").is_empty() && all(&outbound, "b").is_empty());
        outbound.set(HeaderName::from_static("b"), value("z"));
        assert_eq!(left(&outbound), ["transfer-encoding: chunked", "b: z", "c: 4"]);
        outbound.set(header::HOST, value("app.example"));
        let fields = ["host: app.example", "transfer-encoding: chunked", "b: z"];
        assert_eq!(left(&outbound), [&fields[..], &["c: 4"]].concat());
        outbound.leave_out_but(|name| name != "c");
        assert_eq!(left(&outbound), fields);
    }

    #[test]
    fn names_that_look_alike_are_told_apart() {
        let names: Vec<String> = (0..2_000).map(|number| format!("x-{number}")).collect();
        let mut parts = client(&[]);
        for name in &names {
            parts
                .headers
                .append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("c"));
        }
        let mut outbound = Outbound::of_client(&parts).unwrap();
        for name in names.iter().step_by(2) {
            outbound.set(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("s"));
        }
        for name in names.iter().step_by(4) {
            outbound.leave_out(HeaderName::try_from(name).unwrap());
        }
        assert_eq!(outbound.parts().headers.len(), 1_500);
        for (number, name) in names.iter().enumerate() {
            let said: Vec<_> = outbound.all(&HeaderName::try_from(name).unwrap()).collect();
            let is = match number % 4 {
                0 => vec![],
                2 => vec!["s"],
                _ => vec!["c"],
            };
            assert_eq!(said, is, "{name}");
        }
    }
}
