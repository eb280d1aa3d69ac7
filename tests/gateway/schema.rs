//! Whether an answer of the admin API is what `docs/admin-api.json` says: the part of JSON Schema it uses.

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/admin-api.json");

/// Panics where the document says otherwise, or nothing.
pub fn holds(method: &str, path: &str, status: u16, told: &Value) {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let path = path.split('?').next().unwrap();
    let path = match path.strip_prefix("/v1/sessions/") {
        Some(_) => "/v1/sessions/{id}",
        None => path,
    };
    let operation = &document["paths"][path][method.to_lowercase()];
    let answer = match operation {
        // What is not told of is refused in the usual way.
        Value::Null => &document["components"]["responses"][status.to_string()],
        known => resolved(&document, &known["responses"][status.to_string()]),
    };
    let schema = &answer["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} {status} is not in the document");
    if let Err(wrong) = fits(&document, schema, told) {
        panic!("{method} {path} {status}: {wrong} in {told}");
    }
}

fn fits(document: &Value, schema: &Value, told: &Value) -> Result<(), String> {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| fits(document, choice, told).is_ok()).count();
        return if fitting == 1 { Ok(()) } else { Err(format!("{fitting} of oneOf")) };
    }
    let wrong = |what: &str| Err(format!("{what} of {schema}"));
    if schema.get("const").is_some_and(|only| only != told) {
        return wrong("const");
    }
    if schema["enum"].as_array().is_some_and(|every| !every.contains(told)) {
        return wrong("enum");
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if !kinds.contains(&kind(told)) {
        return wrong("type");
    }
    for item in told.as_array().into_iter().flatten() {
        fits(document, &schema["items"], item)?;
    }
    let Some(members) = told.as_object().filter(|_| schema.get("properties").is_some()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return wrong(name);
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => fits(document, schema, member)?,
            None => return wrong(name),
        }
    }
    Ok(())
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(&place[1..]).unwrap(),
        None => schema,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
