//! One home for each dependency, with the reason.

use std::collections::BTreeSet;

use crate::references::{Place, Target};
use crate::tree::{Problem, Tree};

/// Where a dependency may be named.
#[derive(Debug, Clone, Copy)]
pub enum Home {
    Anywhere,
    /// Never named: it is listed for what its features do to the crates that share it.
    FeaturesOnly,
    /// Folders end with `/`; a name without it is one file.
    In(&'static [&'static str]),
}

/// One row of the table.
pub type Row = (&'static str, Home, &'static str);

/// Every dependency of the crate, by the name code uses.
pub const HOMES: &[Row] = &[
    ("aes", Home::In(&["crypto/"]), "undoes the older encryption of PEM files, nothing else"),
    ("arc_swap", Home::Anywhere, "swapping a pointer is how anything reloads"),
    ("askama", Home::In(&["pages/", "emulator/"]), "escaping happens in one place"),
    ("async_trait", Home::In(&["gateway/", "server/"]), "only pingora's traits still ask for it"),
    (
        "aws_lc_rs",
        Home::In(&["crypto/", "superid/", "emulator/"]),
        "keys and ciphers are chosen once, and SuperID's signatures are SuperID's",
    ),
    ("base64", Home::Anywhere, "a plain encoding"),
    (
        "bergshamra_c14n",
        Home::In(&["saml/"]),
        "canonical XML is the one part of XML signatures not to be written twice",
    ),
    ("bergshamra_xml", Home::In(&["saml/"]), "the sets of nodes that go with bergshamra_c14n"),
    ("bytes", Home::Anywhere, "the currency of bodies"),
    ("cbc", Home::In(&["crypto/"]), "goes with aes and des"),
    ("clap", Home::In(&["cli/", "main.rs"]), "only the command line reads arguments"),
    ("command_fds", Home::In(&["cli/"]), "only an upgrade starts a process"),
    ("des", Home::In(&["crypto/"]), "SuperOffice's own sample key is encrypted with triple DES"),
    ("form_urlencoded", Home::Anywhere, "a plain encoding"),
    ("governor", Home::In(&["limits/"]), "one meaning of a rate"),
    ("h2", Home::In(&["gateway/http2/"]), "HTTP/2 to apps; that of clients is pingora's"),
    ("httparse", Home::In(&["gateway/http1/"]), "heads of apps' answers"),
    ("http", Home::Anywhere, "the words of HTTP, without a socket"),
    (
        "http_body_util",
        Home::In(&[
            "back_channel.rs",
            "server/admin.rs",
            "emulator/",
            "telemetry/exporter.rs",
            "acme/authority.rs",
        ]),
        "goes with hyper; and reads what the library for ACME would send",
    ),
    (
        "hyper",
        Home::In(HYPER),
        "the proxied way is pingora's and ours; hyper calls SuperID and the traces' collector, and serves admin",
    ),
    ("hyper_rustls", Home::In(HYPER), "goes with hyper"),
    ("hyper_util", Home::In(HYPER), "goes with hyper"),
    ("instant_acme", Home::In(&["acme/"]), "one client of authorities"),
    ("ipnet", Home::In(&["config/", "web/"]), "trusted proxies are configured, and looked up"),
    ("jsonwebtoken", Home::In(&["superid/"]), "one verifier, one set of rules"),
    (
        "libmimalloc_sys",
        Home::In(&["main.rs"]),
        "a program chooses its allocator, a library does not",
    ),
    ("listenfd", Home::In(&["server/"]), "listeners are opened in one place, or taken there"),
    ("log", Home::FeaturesOnly, "its feature takes debug lines out of pingora's release code"),
    ("md5", Home::In(&["crypto/"]), "the older encryption of PEM files derives its key with it"),
    ("memchr", Home::Anywhere, "a search without meaning of its own"),
    ("moka", Home::In(&["credentials/"]), "what is cached is cached by whoever owns it"),
    ("percent_encoding", Home::Anywhere, "a plain encoding"),
    ("pingora", Home::In(&["gateway/", "server/"]), "the verdict has no sockets"),
    ("pkcs1", Home::In(&["crypto/"]), "the DER of RSA keys, which aws-lc reads from 2,048 bits on"),
    ("pkcs8", Home::In(&["crypto/"]), "the DER of private keys, and its encryption"),
    ("postcard", Home::In(&["session/", "signin/"]), "the shape of what is sealed"),
    ("quick_xml", Home::In(&["crypto/", "superid/"]), "keys and SOAP are the only XML we read"),
    (
        "rcgen",
        Home::In(&["acme/", "emulator/"]),
        "who orders certificates, and a double that makes them",
    ),
    ("redis", Home::In(&["redis_link/"]), "one link to the shared store"),
    ("regex", Home::In(&["emulator/"]), "ours parses by hand, so that its cost is known"),
    (
        "rsa",
        Home::In(&["crypto/partner_key/weak.rs"]),
        "signs with keys aws-lc refuses, in a build that asks for it; RUSTSEC-2023-0071 stands",
    ),
    ("rusqlite", Home::In(&["vault/"]), "the vault is the one thing we keep on disk"),
    ("rustix", Home::In(&["cli/"]), "only commands send signals and ask the machine"),
    (
        "rustls",
        Home::In(&["crypto/", "server/", "back_channel.rs"]),
        "one TLS policy for each direction",
    ),
    ("rustls_native_certs", Home::In(&["crypto/"]), "whom the machine believes is asked once"),
    ("rustls_pki_types", Home::Anywhere, "certificates as bytes, and reading PEM"),
    ("serde", Home::Anywhere, "shapes"),
    ("serde_json", Home::Anywhere, "JSON is in claims, logs and replies"),
    (
        "socket2",
        Home::In(&["server/", "gateway/cord.rs"]),
        "only listeners set socket options; and a connection to an app is looked at below the runtime",
    ),
    ("subtle", Home::Anywhere, "secrets are compared where they are held"),
    ("thiserror", Home::Anywhere, "errors"),
    ("time", Home::Anywhere, "dates as text; the hour itself comes from `clock`"),
    ("tokio", Home::Anywhere, "the runtime"),
    ("tokio_rustls", Home::In(&["gateway/"]), "apps are the only ones we call through it"),
    ("toml", Home::In(&["config/"]), "one format, one reader"),
    ("tracing", Home::Anywhere, "log lines"),
    ("tracing_subscriber", Home::In(&["telemetry/"]), "one place says what a log line looks like"),
    ("uppsala", Home::In(&["saml/"]), "the parser bergshamra_c14n reads, and so the only one"),
    ("url", Home::Anywhere, "addresses"),
    ("zeroize", Home::Anywhere, "secrets are wiped where they are held"),
];

const HYPER: &[&str] =
    &["back_channel.rs", "server/admin.rs", "emulator/", "telemetry/exporter.rs"];

/// Every place that names a dependency outside its home. Tests may use what the crate has.
pub fn named_only_at_home(tree: &Tree, homes: &[Row]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for reference in &file.references {
            let (Target::Crate(name), Place::Program) = (&reference.target, reference.place) else {
                continue;
            };
            let Some((_, home, reason)) = homes.iter().find(|row| row.0 == name) else { continue };
            if !home.holds(&file.path) {
                let text = format!(
                    "`{name}` is not at home here but in {home:?} ({reason}); let its home offer \
                     what you need, in our words"
                );
                problems.push(file.problem(reference.line, text));
            }
        }
    }
    problems
}

/// Every difference between the table, the manifest's dependencies and what the code names.
pub fn table_is_the_manifest(tree: &Tree, manifest: &str, homes: &[Row]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("cargo has read Cargo.toml already");
    let section = manifest["dependencies"].as_table().expect("dependencies are a table");
    let wanted: BTreeSet<_> = section.keys().map(|name| name.replace('-', "_")).collect();
    let listed: BTreeSet<_> = homes.iter().map(|row| row.0.to_owned()).collect();
    let references = tree.files.iter().flat_map(|file| &file.references);
    let named: BTreeSet<_> = references
        .filter(|reference| reference.place == Place::Program)
        .filter_map(|reference| match &reference.target {
            Target::Crate(name) => Some(name.as_str()),
            Target::Ours(_) => None,
        })
        .collect();
    let homeless = wanted.difference(&listed).map(|name| {
        format!("Cargo.toml: `{name}` has no home; give it one in tests/architecture/homes.rs")
    });
    let gone = listed.difference(&wanted).map(|name| {
        format!("tests/architecture/homes.rs: `{name}` is no dependency any more; take it out")
    });
    let idle = homes
        .iter()
        .filter(|(name, home, _)| {
            wanted.contains(*name) && !named.contains(name) && !matches!(home, Home::FeaturesOnly)
        })
        .map(|(name, ..)| format!("Cargo.toml: nothing in src uses `{name}`; take it out"));
    homeless.chain(gone).chain(idle).collect()
}

impl Home {
    fn holds(self, path: &str) -> bool {
        match self {
            Self::Anywhere => true,
            Self::FeaturesOnly => false,
            Self::In(places) => places.iter().any(|place| match place.ends_with('/') {
                true => path.starts_with(place),
                false => path == *place,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[Row] = &[
        ("http", Home::Anywhere, "words"),
        ("log", Home::FeaturesOnly, "features"),
        ("toml", Home::In(&["config/"]), "one reader"),
        ("time", Home::In(&["clock.rs"]), "one clock"),
    ];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let problems = named_only_at_home(&Tree::of(&[(path, text)]), SMALL);
        problems.iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn at_home_everything_may_be_named() {
        assert!(lines("config/load.rs", "use toml::Table; use http::Uri;").is_empty());
        assert!(lines("clock.rs", "fn f() { time::now() }").is_empty());
    }

    #[test]
    fn elsewhere_it_is_found_in_every_spelling() {
        for text in [
            "use toml;",
            "use toml::{Table, Value};",
            "use toml as t;",
            "fn f() { vec![toml::from_str(x)] }",
            "#[derive(toml::Macro)] struct X;",
            "fn f() -> toml::Table { x }",
            "fn f() { log::info!(\"x\") }",
        ] {
            let lines = lines("web/x.rs", text);
            assert!(!lines.is_empty() && lines.iter().all(|line| *line == 1), "{text}");
        }
    }

    #[test]
    fn names_of_our_own_are_not_taken_for_crates() {
        assert!(lines("config/mod.rs", "mod log; pub use log::Log; mod time;").is_empty());
        assert!(lines("web/x.rs", "use std::time; fn f() { time::sleep() }").is_empty());
        assert!(lines("web/x.rs", "fn f(toml: u8) -> u8 { toml }").is_empty());
    }

    #[test]
    fn tests_may_use_what_the_crate_has() {
        assert!(lines("web/x.rs", "#[cfg(test)] mod tests { use toml::Table; }").is_empty());
        assert_eq!(lines("web/x.rs", "#[cfg(not(test))] mod x { use toml::Table; }"), [1]);
    }

    #[test]
    fn a_dependency_without_a_home_a_stale_row_and_an_idle_dependency_are_found() {
        let tree = Tree::of(&[("a.rs", "use http::Uri;\n#[cfg(test)]\nuse toml::Table;")]);
        let manifest = "[dependencies]\nhttp = \"1\"\nnew-one = \"1\"\ntoml = \"1\"\nlog = \"1\"";
        let problems = table_is_the_manifest(&tree, manifest, SMALL);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("`new_one` has no home"));
        assert!(problems[1].contains("`time` is no dependency"));
        assert!(problems[2].contains("nothing in src uses `toml`"));
    }
}
