//! A posted form, or a query: every field once, in any case of its name, or none at all.

use std::collections::HashMap;

use superid_gateway::web::Fields;

/// Reads them as a form.
pub fn form(bytes: &[u8]) -> bool {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    let mut counted: HashMap<String, usize> = HashMap::new();
    for (name, _) in &pairs {
        *counted.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let twice = counted.values().any(|count| *count > 1);
    let fields = Fields::parse(bytes);
    assert_eq!(fields.is_err(), twice, "refused for a name twice and for nothing else");
    let Ok(fields) = fields else { return false };
    for (name, value) in &pairs {
        assert_eq!(fields.get(&name.to_ascii_lowercase()), Some(value.as_str()));
    }
    true
}
