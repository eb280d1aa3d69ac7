//! XML written as Exclusive XML Canonicalization 1.0 would write it, so that nothing needs a parser.
//!
//! A namespace is declared where an element uses it first and nowhere else; attributes have no
//! namespace and are sorted. What a [`Node`] writes by itself is therefore what a verifier digests
//! of it, wherever it stands in a document.

/// An element.
#[derive(Clone)]
pub(in crate::emulator) struct Node {
    /// Empty for the default namespace.
    prefix: &'static str,
    namespace: &'static str,
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Child>,
}

#[derive(Clone)]
enum Child {
    Node(Node),
    Text(String),
}

/// What a prefix means, innermost last.
type Scope = Vec<(&'static str, &'static str)>;

impl Node {
    pub(in crate::emulator) fn new(
        (prefix, namespace): (&'static str, &'static str),
        name: &'static str,
    ) -> Self {
        Self { prefix, namespace, name, attributes: Vec::new(), children: Vec::new() }
    }

    /// An element of the same namespace under the same prefix.
    pub(in crate::emulator) fn sibling(&self, name: &'static str) -> Self {
        Self::new((self.prefix, self.namespace), name)
    }

    pub(in crate::emulator) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    pub(in crate::emulator) fn holding(mut self, child: Node) -> Self {
        self.children.push(Child::Node(child));
        self
    }

    pub(in crate::emulator) fn holding_all(self, children: impl IntoIterator<Item = Node>) -> Self {
        children.into_iter().fold(self, Self::holding)
    }

    pub(in crate::emulator) fn saying(mut self, text: &str) -> Self {
        self.children.push(Child::Text(text.to_owned()));
        self
    }

    /// Puts a child at this place among the children.
    pub(in crate::emulator) fn insert(&mut self, place: usize, child: Node) {
        self.children.insert(place.min(self.children.len()), Child::Node(child));
    }

    /// The canonical form of the element as the apex of what is digested.
    pub(in crate::emulator) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut Scope::new(), &mut out);
        out
    }

    /// A document, beginning with the declaration that SuperID's samples have (`superid.md` §3.3).
    pub(in crate::emulator) fn document(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", self.canonical())
    }

    fn write(&self, scope: &mut Scope, out: &mut String) {
        let tag = match self.prefix {
            "" => self.name.to_owned(),
            prefix => format!("{prefix}:{}", self.name),
        };
        let bound = scope.iter().rev().find(|(prefix, _)| *prefix == self.prefix);
        let known = bound.is_some_and(|(_, namespace)| *namespace == self.namespace);
        out.push('<');
        out.push_str(&tag);
        if !known {
            let joint = if self.prefix.is_empty() { "" } else { ":" };
            let declared = format!(" xmlns{joint}{}=\"{}\"", self.prefix, self.namespace);
            out.push_str(&declared);
            scope.push((self.prefix, self.namespace));
        }
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_by_key(|(name, _)| *name);
        for (name, value) in attributes {
            out.push_str(&format!(" {name}=\"{}\"", in_quotes(value)));
        }
        out.push('>');
        for child in &self.children {
            match child {
                Child::Node(node) => node.write(scope, out),
                Child::Text(text) => out.push_str(&between_tags(text)),
            }
        }
        out.push_str(&format!("</{tag}>"));
        if !known {
            scope.pop();
        }
    }
}

fn between_tags(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\r', "&#xD;")
}

fn in_quotes(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_declared_where_it_is_used_first_and_what_is_special_is_escaped() {
        let inner =
            Node::new(("b", "urn:b"), "y").with("z", "1").with("a", "\"<\t").saying("<&>\r");
        let root = Node::new(("", "urn:a"), "x").holding(inner.clone());
        let root =
            root.holding(Node::new(("", "urn:c"), "w")).holding(Node::new(("", "urn:a"), "v"));
        assert_eq!(
            inner.canonical(),
            "<b:y xmlns:b=\"urn:b\" a=\"&quot;&lt;&#x9;\" z=\"1\">&lt;&amp;&gt;&#xD;</b:y>"
        );
        assert_eq!(
            root.canonical(),
            format!("<x xmlns=\"urn:a\">{}<w xmlns=\"urn:c\"></w><v></v></x>", inner.canonical())
        );
    }
}
