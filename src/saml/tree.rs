//! XML as it is read here: one parser, no declarations, and no two ways to see a value.

use std::collections::HashSet;

use uppsala::{Document, NodeId, NodeKind, Parser};

use super::refused::SamlRefused;

/// A parsed document that passed what holds for every document.
pub(super) struct Tree<'t>(Document<'t>);

/// An element of it.
#[derive(Clone, Copy)]
pub(super) struct Node<'n> {
    document: &'n Document<'n>,
    id: NodeId,
}

impl<'t> Tree<'t> {
    /// Parses a document. Each identifier occurs once in it, and comments stand only between
    /// elements.
    pub(super) fn parse(text: &'t str) -> Result<Self, SamlRefused> {
        let parser = Parser::new().with_max_depth(DEEPEST).with_forbid_dtd(true);
        let document = parser.parse(text).map_err(|_| SamlRefused::Encoding)?;
        let tree = Self(document);
        tree.is_clear()?;
        Ok(tree)
    }

    pub(super) fn root(&self) -> Result<Node<'_>, SamlRefused> {
        let id = self.0.document_element().ok_or(SamlRefused::Encoding)?;
        Ok(Node { document: &self.0, id })
    }

    /// Every element, wherever it stands.
    pub(super) fn everywhere(&self) -> impl Iterator<Item = Node<'_>> {
        let all = self.0.descendants(self.0.root()).into_iter();
        all.map(|id| Node { document: &self.0, id }).filter(|node| node.element().is_some())
    }

    pub(super) fn document(&self) -> &Document<'t> {
        &self.0
    }

    fn is_clear(&self) -> Result<(), SamlRefused> {
        let mut identifiers = HashSet::new();
        for id in self.0.descendants(self.0.root()) {
            match self.0.node_kind(id) {
                Some(NodeKind::Element(element)) => {
                    let named = element.attributes.iter().filter(|one| {
                        IDENTIFIERS.iter().any(|id| one.name.local_name.eq_ignore_ascii_case(id))
                    });
                    if self.has_comment_beside_text(id) {
                        return Err(SamlRefused::Comment);
                    }
                    for attribute in named {
                        if !identifiers.insert(&*attribute.value) {
                            return Err(SamlRefused::DuplicateId);
                        }
                    }
                }
                Some(NodeKind::ProcessingInstruction(_)) => return Err(SamlRefused::Doctype),
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks at each child once.
    fn has_comment_beside_text(&self, parent: NodeId) -> bool {
        let (mut comment, mut text) = (false, false);
        for child in self.0.children_iter(parent) {
            match self.0.node_kind(child) {
                Some(NodeKind::Comment(_)) => comment = true,
                Some(NodeKind::Text(part)) => text |= !is_blank(part),
                Some(NodeKind::CData(_)) => text = true,
                _ => {}
            }
        }
        comment && text
    }
}

impl<'n> Node<'n> {
    pub(super) fn id(self) -> NodeId {
        self.id
    }

    pub(super) fn is(self, namespace: &str, local: &str) -> bool {
        self.element().is_some_and(|element| element.name.matches(Some(namespace), local))
    }

    pub(super) fn namespace(self) -> &'n str {
        self.element().and_then(|element| element.name.namespace_uri.as_deref()).unwrap_or_default()
    }

    pub(super) fn local(self) -> &'n str {
        self.element().map(|element| &*element.name.local_name).unwrap_or_default()
    }

    pub(super) fn parent(self) -> Option<Self> {
        let id = self.document.parent(self.id)?;
        Some(Self { id, ..self }).filter(|node| node.element().is_some())
    }

    /// An attribute without namespace.
    pub(super) fn attribute(self, name: &str) -> Option<&'n str> {
        let mut attributes = self.element()?.attributes.iter();
        attributes
            .find(|one| one.name.namespace_uri.is_none() && one.name.local_name == name)
            .map(|one| &*one.value)
    }

    pub(super) fn required(self, name: &str) -> Result<&'n str, SamlRefused> {
        self.attribute(name).filter(|value| !value.is_empty()).ok_or(SamlRefused::Shape)
    }

    /// The elements inside; text among them is refused.
    pub(super) fn elements(self) -> Result<Vec<Self>, SamlRefused> {
        let mut elements = Vec::new();
        for id in self.document.children_iter(self.id) {
            match self.document.node_kind(id) {
                Some(NodeKind::Element(_)) => elements.push(Self { id, ..self }),
                Some(NodeKind::Text(text)) if is_blank(text) => {}
                Some(NodeKind::Comment(_)) => {}
                _ => return Err(SamlRefused::Shape),
            }
        }
        Ok(elements)
    }

    /// The elements of one name inside.
    pub(super) fn all(self, namespace: &str, local: &str) -> Result<Vec<Self>, SamlRefused> {
        Ok(self.elements()?.into_iter().filter(|child| child.is(namespace, local)).collect())
    }

    /// The only element of one name inside; `None` where there is none.
    pub(super) fn at_most_one(
        self,
        namespace: &str,
        local: &str,
    ) -> Result<Option<Self>, SamlRefused> {
        match self.all(namespace, local)?.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            _ => Err(SamlRefused::Shape),
        }
    }

    pub(super) fn one(self, namespace: &str, local: &str) -> Result<Self, SamlRefused> {
        self.at_most_one(namespace, local)?.ok_or(SamlRefused::Shape)
    }

    /// All of its text, without white space at the ends; an element inside is refused.
    pub(super) fn text(self) -> Result<String, SamlRefused> {
        let mut text = String::new();
        for id in self.document.children_iter(self.id) {
            match self.document.node_kind(id) {
                Some(NodeKind::Text(part) | NodeKind::CData(part)) => text.push_str(part),
                _ => return Err(SamlRefused::Shape),
            }
        }
        Ok(text.trim_matches(WHITE).to_owned())
    }

    fn element(self) -> Option<&'n uppsala::Element<'n>> {
        self.document.element(self.id)
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| WHITE.contains(&letter))
}

/// XML 1.0 §2.3.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// What names an element, in SAML 1.1, SAML 2.0 and XML signatures, and what verifiers have taken
/// for a name.
const IDENTIFIERS: [&str; 4] = ["ID", "AssertionID", "ResponseID", "RequestID"];

/// An assertion in a response in a token answer is 12 deep.
const DEEPEST: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<SamlRefused> {
        Tree::parse(text).err()
    }

    #[test]
    fn what_two_readers_could_see_differently_is_refused() {
        for (text, expected) in [
            ("<a ID='1'><b ID='1'/></a>", SamlRefused::DuplicateId),
            ("<a ID='1'><b Id='1'/></a>", SamlRefused::DuplicateId),
            ("<a AssertionID='1'><b xml:id='1'/></a>", SamlRefused::DuplicateId),
            ("<a>admin<!-- -->.evil</a>", SamlRefused::Comment),
            ("<a><!-- -->admin</a>", SamlRefused::Comment),
            ("<a><?x y?></a>", SamlRefused::Doctype),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", SamlRefused::Encoding),
            ("<a b='1' b='2'/>", SamlRefused::Encoding),
            ("<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", SamlRefused::Encoding),
            ("<a>&undefined;</a>", SamlRefused::Encoding),
            ("<a/><b/>", SamlRefused::Encoding),
            ("<a></b>", SamlRefused::Encoding),
            ("<x:a/>", SamlRefused::Encoding),
            ("<a>\u{1}</a>", SamlRefused::Encoding),
            ("", SamlRefused::Encoding),
        ] {
            assert_eq!(refused(text), Some(expected), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(33), "</a>".repeat(33));
        assert_eq!(refused(&deep), Some(SamlRefused::Encoding));
        assert_eq!(refused("<a><!-- between --><b/></a>"), None);
    }

    #[test]
    fn text_is_all_of_the_text() {
        let tree = Tree::parse("<a> one&amp;<![CDATA[ <two>]]>\n</a>").unwrap();
        assert_eq!(tree.root().unwrap().text().as_deref(), Ok("one& <two>"));
        let tree = Tree::parse("<a>one<b/>two</a>").unwrap();
        assert_eq!(tree.root().unwrap().text(), Err(SamlRefused::Shape));
        assert_eq!(tree.root().unwrap().elements().err(), Some(SamlRefused::Shape));
    }
}
