//! One long value over several cookies, because browsers keep 4,096 bytes of each at most.

use std::borrow::Cow;

use http::HeaderValue;

use crate::web::{CookieAttributes, CookieNames, Cookies, SetCookie};

/// Reads and writes a value in up to [`Chunked::MOST`] cookies. The first one begins with their
/// number and a dot; a base64url value has neither.
#[derive(Clone, Copy, Debug)]
pub struct Chunked<'a> {
    pub name: &'a str,
    pub attributes: CookieAttributes,
}

/// The value does not fit in the cookies allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value does not fit in {} cookies of {} bytes", Chunked::MOST, Chunked::SIZE)]
pub struct TooLong;

impl Chunked<'_> {
    /// Cookies at most. With a common 16 kB header limit of app servers there is room beside them.
    pub const MOST: usize = 3;
    /// Bytes of value in each: 4,096 less name and attributes (RFC 6265bis §5.6).
    pub const SIZE: usize = 3800;

    /// The value, put together again. `None` when a piece is missing or the count is not ours.
    pub fn read<'c>(&self, cookies: Cookies<'c>) -> Option<Cow<'c, [u8]>> {
        let [digit @ b'1'..=b'9', b'.', first @ ..] = cookies.one(self.name)? else { return None };
        let count = usize::from(digit - b'0');
        if count > Self::MOST {
            return None;
        }
        let mut value = Cow::Borrowed(first);
        for index in 1..count {
            value.to_mut().extend_from_slice(cookies.one(&CookieNames::chunk(self.name, index))?);
        }
        Some(value)
    }

    /// The `Set-Cookie` values for `value`, and the removal of pieces `cookies` has beyond them.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit.
    pub fn write(
        &self,
        value: &str,
        max_age: Option<u64>,
        cookies: Cookies<'_>,
    ) -> Result<Vec<HeaderValue>, TooLong> {
        let count = value.len().div_ceil(Self::SIZE).max(1);
        if count > Self::MOST {
            return Err(TooLong);
        }
        let mut set: Vec<HeaderValue> = (0..count)
            .map(|index| {
                let end = value.len().min((index + 1) * Self::SIZE);
                let piece = &value[index * Self::SIZE..end];
                let piece = if index == 0 { format!("{count}.{piece}") } else { piece.to_owned() };
                self.cookie(index, &piece, max_age)
            })
            .collect();
        set.extend(self.removals(cookies, count));
        Ok(set)
    }

    /// Removes every piece that `cookies` has.
    pub fn remove(&self, cookies: Cookies<'_>) -> Vec<HeaderValue> {
        self.removals(cookies, 0).collect()
    }

    fn removals(&self, cookies: Cookies<'_>, from: usize) -> impl Iterator<Item = HeaderValue> {
        let most = if cookies.has_a_piece(self.name) { Self::MOST } else { from };
        (from..most)
            .filter(move |index| cookies.has(&CookieNames::chunk(self.name, *index)))
            .map(|index| self.cookie(index, "", Some(0)))
    }

    fn cookie(&self, index: usize, value: &str, max_age: Option<u64>) -> HeaderValue {
        let name = CookieNames::chunk(self.name, index);
        SetCookie { name: &name, value, max_age, attributes: self.attributes }.header()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};

    use super::*;

    const CHUNKED: Chunked<'_> =
        Chunked { name: "s", attributes: CookieAttributes { secure: false, same_site: "Lax" } };

    fn request(set: &[HeaderValue]) -> HeaderMap {
        let pairs: Vec<&str> =
            set.iter().map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        headers
    }

    #[test]
    fn a_long_value_survives_the_journey_in_pieces() {
        let value = "abcdefgh".repeat(1200);
        let none = HeaderMap::new();
        let set = CHUNKED.write(&value, None, Cookies::of(&none)).unwrap();
        assert_eq!(set.len(), 3);
        assert!(set.iter().all(|cookie| cookie.len() < 4096));
        assert_eq!(*CHUNKED.read(Cookies::of(&request(&set))).unwrap(), *value.as_bytes());
    }

    #[test]
    fn a_shorter_value_removes_the_pieces_left_over() {
        let none = HeaderMap::new();
        let long = CHUNKED.write(&"x".repeat(9000), None, Cookies::of(&none)).unwrap();
        let set = CHUNKED.write("y", None, Cookies::of(&request(&long))).unwrap();
        assert_eq!(set.len(), 3);
        assert_eq!(set[2], "s.2=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn pieces_are_removed_wherever_they_are_and_nothing_else_is() {
        for (cookie, gone) in [
            ("s-binding=a; t=1", &[][..]),
            ("s.2=b", &["s.2="]),
            ("s =1.a; s-post=x", &["s="]),
            ("t=1; s=1.a; s.1=b", &["s=", "s.1="]),
            ("ss=1; sx.1=b", &[]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            let removed = CHUNKED.remove(Cookies::of(&headers));
            let names = removed.iter().map(|set| set.to_str().unwrap().split(';').next().unwrap());
            assert_eq!(names.collect::<Vec<_>>(), gone, "{cookie}");
        }
    }

    #[test]
    fn hostile_counts_and_missing_pieces_read_as_nothing() {
        for cookie in ["s=9.x", "s=99999999.x", "s=2.x", "s=0.x", "s=x", "s=", "s=3.a; s.1=b"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            assert_eq!(CHUNKED.read(Cookies::of(&headers)), None, "{cookie}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let none = HeaderMap::new();
        assert!(CHUNKED.write(&"x".repeat(12_000), None, Cookies::of(&none)).is_err());
    }
}
