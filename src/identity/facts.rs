//! What is said of a person in JSON, to an app that checks a signature or to a page of its own.

use serde_json::{Map, Value};

use super::Principal;

impl Principal {
    /// All that is told of somebody, no credential among it, under the names the configuration has
    /// for the same facts as headers. What the sign-in did not say is absent, never empty.
    pub fn facts(&self) -> Map<String, Value> {
        let texts = [
            ("associate_id", self.associate_id.as_deref()),
            ("company", self.company.as_deref()),
            ("context", Some(self.context.as_str())),
            ("email", self.email.as_deref()),
            ("first_name", self.first_name.as_deref()),
            ("initials", self.initials.as_deref()),
            ("last_name", self.last_name.as_deref()),
            ("soap_url", self.soap_url.as_deref()),
            ("user", Some(self.subject.as_str())),
            ("web_api_url", self.web_api_url.as_deref()),
        ];
        let mut facts = Map::new();
        facts.insert("administrator".to_owned(), Value::Bool(self.administrator));
        for (name, text) in texts {
            if let Some(text) = text {
                facts.insert(name.to_owned(), Value::from(text));
            }
        }
        facts
    }
}
