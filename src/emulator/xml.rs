//! A reader for the little XML that reaches the emulator: elements, namespaces and text.

use std::collections::HashMap;

/// An element with what it holds; attributes matter only where they bind namespaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Without its prefix.
    pub(super) name: String,
    /// Empty where there is none.
    pub(super) namespace: String,
    /// All text directly inside, decoded.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Why a text is not XML as far as we read it.
pub(super) type Malformed = &'static str;

const DEEPEST: usize = 32;

/// Reads a document. Refuses declarations of types, and anything after the root element.
pub(super) fn parse(text: &str) -> Result<Element, Malformed> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}') };
    reader.skip_between()?;
    let root = reader.element(&HashMap::new(), 0)?;
    reader.skip_between()?;
    match reader.rest {
        "" => Ok(root),
        _ => Err("something follows the root element"),
    }
}

/// Text as it may stand between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Element {
    /// The first child of this name, whatever its namespace.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of this name in this namespace.
    pub(super) fn child_in(&self, namespace: &str, name: &str) -> Option<&Element> {
        let mut named = self.children.iter().filter(|child| child.name == name);
        named.find(|child| child.namespace == namespace)
    }

    /// Takes the first child of this name out.
    pub(super) fn take_in(&mut self, namespace: &str, name: &str) -> Option<Element> {
        let is_it = |child: &Element| child.name == name && child.namespace == namespace;
        let place = self.children.iter().position(is_it)?;
        Some(self.children.remove(place))
    }
}

struct Reader<'a> {
    rest: &'a str,
}

/// The namespace of each prefix; the empty one stands for none.
type Bindings<'a> = HashMap<&'a str, String>;

impl<'a> Reader<'a> {
    /// Skips blanks, comments and processing instructions between elements.
    fn skip_between(&mut self) -> Result<(), Malformed> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest {
                rest if rest.starts_with("<!--") => drop(self.until("-->")?),
                rest if rest.starts_with("<?") => drop(self.until("?>")?),
                rest if rest.starts_with("<!") => return Err("a declaration of types"),
                _ => return Ok(()),
            }
        }
    }

    fn element(&mut self, around: &Bindings<'a>, depth: usize) -> Result<Element, Malformed> {
        if depth > DEEPEST {
            return Err("too deep");
        }
        self.rest = self.rest.strip_prefix('<').ok_or("an element was expected")?;
        let tag = self.tag()?;
        let (inside, empty) = match tag.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (tag, false),
        };
        let (qualified, attributes) = inside.split_once(is_blank).unwrap_or((inside, ""));
        let bindings = bound(around, attributes)?;
        let mut element = named(qualified, &bindings)?;
        if !empty {
            self.content(&mut element, qualified, &bindings, depth)?;
        }
        Ok(element)
    }

    /// What stands between the tags, and the end tag.
    fn content(
        &mut self,
        element: &mut Element,
        qualified: &str,
        bindings: &Bindings<'a>,
        depth: usize,
    ) -> Result<(), Malformed> {
        loop {
            let plain = self.rest.find('<').ok_or("an element has no end")?;
            element.text.push_str(&decoded(&self.rest[..plain])?);
            self.rest = &self.rest[plain..];
            if let Some(rest) = self.rest.strip_prefix("</") {
                self.rest = rest;
                let end = self.until(">")?;
                return match end.trim_end() == qualified {
                    true => Ok(()),
                    false => Err("an end tag closes another element"),
                };
            }
            if let Some(rest) = self.rest.strip_prefix("<![CDATA[") {
                self.rest = rest;
                element.text.push_str(self.until("]]>")?);
            } else if self.rest.starts_with("<!--") || self.rest.starts_with("<?") {
                let end = if self.rest.starts_with("<?") { "?>" } else { "-->" };
                self.until(end)?;
            } else {
                element.children.push(self.element(bindings, depth + 1)?);
            }
        }
    }

    /// The inside of a tag, up to the `>` that is not in quotes.
    fn tag(&mut self) -> Result<&'a str, Malformed> {
        let mut quote = None;
        for (place, letter) in self.rest.char_indices() {
            match (quote, letter) {
                (None, '>') => {
                    let tag = &self.rest[..place];
                    self.rest = &self.rest[place + 1..];
                    return Ok(tag);
                }
                (None, '"' | '\'') => quote = Some(letter),
                (Some(open), letter) if open == letter => quote = None,
                _ => {}
            }
        }
        Err("a tag has no end")
    }

    fn until(&mut self, end: &str) -> Result<&'a str, Malformed> {
        let (before, rest) = self.rest.split_once(end).ok_or("the text breaks off")?;
        self.rest = rest;
        Ok(before)
    }
}

fn named(qualified: &str, bindings: &Bindings<'_>) -> Result<Element, Malformed> {
    let (prefix, name) = qualified.split_once(':').unwrap_or(("", qualified));
    if name.is_empty() {
        return Err("an element has no name");
    }
    let namespace = match (prefix, bindings.get(prefix)) {
        (_, Some(namespace)) => namespace.clone(),
        ("", None) => String::new(),
        (_, None) => return Err("a prefix is not bound"),
    };
    Ok(Element { name: name.to_owned(), namespace, ..Element::default() })
}

/// The bindings inside a tag with these attributes.
fn bound<'a>(around: &Bindings<'a>, attributes: &'a str) -> Result<Bindings<'a>, Malformed> {
    let mut bindings = around.clone();
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("an attribute has no value")?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let quote = quote.ok_or("a value has no quotes")?;
        let (value, after) = after[1..].split_once(quote).ok_or("a value has no end")?;
        match name.trim().split_once(':') {
            Some(("xmlns", prefix)) => drop(bindings.insert(prefix, decoded(value)?)),
            None if name.trim() == "xmlns" => drop(bindings.insert("", decoded(value)?)),
            _ => {}
        }
        rest = after.trim_start();
    }
    Ok(bindings)
}

fn decoded(text: &str) -> Result<String, Malformed> {
    let mut parts = text.split('&');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').ok_or("a reference has no end")?;
        whole.push(referenced(name).ok_or("an unknown reference")?);
        whole.push_str(rest);
    }
    Ok(whole)
}

fn referenced(name: &str) -> Option<char> {
    if let Some(hexadecimal) = name.strip_prefix("#x") {
        return char::from_u32(u32::from_str_radix(hexadecimal, 16).ok()?);
    }
    if let Some(decimal) = name.strip_prefix('#') {
        return char::from_u32(decimal.parse().ok()?);
    }
    let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
    known.into_iter().find(|(known, _)| *known == name).map(|(_, letter)| letter)
}

fn is_blank(letter: char) -> bool {
    letter.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_references_and_cdata_are_resolved() {
        let text = "<?xml version=\"1.0\"?><!-- > --><a:x xmlns:a='urn:a' note=\"1 > 0\">\
                    <y xmlns=\"urn:b\">1 &lt; &#50;<![CDATA[ & 3]]></y><a:z/></a:x>\n";
        let root = parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.namespace.as_str()), ("x", "urn:a"));
        assert_eq!(root.child_in("urn:b", "y").unwrap().text, "1 < 2 & 3");
        assert!(root.child_in("urn:a", "z").is_some());
        assert!(root.child_in("urn:b", "z").is_none());
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<!DOCTYPE a><a/>",
            "<b:a/>",
            "<a>&x;</a>",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
