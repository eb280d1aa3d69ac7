//! Metrics: their names, their table, and what dashboard and alerts ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use superid_gateway::telemetry::catalogue::EVERY;
use superid_gateway::telemetry::{Family, Kind};

use crate::pages::{Page, code_files};

#[test]
fn every_metric_is_in_the_table_with_its_labels_and_no_other() {
    let page = Page::read("docs/operations.md").text;
    let table = page.split("## Metrics").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeMap<String, BTreeSet<String>> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split(" | ").collect();
            assert!(cells.len() >= 3 && cells[2].len() > 10, "{row}");
            let names =
                |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            let metric: Vec<String> = names(cells[0]);
            (metric.concat(), names(cells[1]).into_iter().collect())
        })
        .collect();
    let real = EVERY.iter().map(|family| {
        (family.full_name(), family.labels.iter().map(|&label| label.to_owned()).collect())
    });
    assert_eq!(told, real.collect());
}

/// What promtool and OpenMetrics ask of a name, and what a reader may expect of help.
#[test]
fn every_metric_is_named_by_convention() {
    let mut names = BTreeSet::new();
    for family in EVERY {
        let Family { name, kind, labels, help } = family;
        assert!(names.insert(name), "{name} twice");
        assert!(name.starts_with("superid_gateway_") || name.starts_with("process_"), "{name}");
        assert!(plain(name) && labels.iter().all(|label| plain(label)), "{name}");
        assert!(!labels.contains(&"le") && !labels.contains(&"quantile"), "{name}");
        // What a kind appends is not in the name, and a unit stands once, at the end.
        for ending in ["_total", "_info", "_count", "_sum", "_bucket", "_created"] {
            assert!(!name.ends_with(ending), "{name}");
        }
        for unit in ["seconds", "bytes"] {
            let times = name.split('_').filter(|word| *word == unit).count();
            assert!(times <= usize::from(family.unit() == Some(unit)), "{name}");
        }
        for word in ["milliseconds", "ms", "minutes", "kilobytes", "counter", "gauge"] {
            assert!(!name.split('_').any(|part| part == word), "{name}");
        }
        assert_eq!(matches!(kind, Kind::Histogram(_)), is_of_time(family), "{name}");
        if let Kind::Histogram(bounds) = kind {
            assert!(bounds.is_sorted() && !bounds.is_empty(), "{name}");
        }
        let first = help.chars().next().unwrap();
        assert!(first.is_uppercase() && help.ends_with('.'), "{name}: {help}");
        assert!(!help.contains(['"', '\\', '\n']) && help.len() < 120, "{name}: {help}");
    }
}

/// Seconds that are neither a moment nor a sum are a histogram.
fn is_of_time(family: &Family) -> bool {
    family.unit() == Some("seconds") && family.kind != Kind::Counter && family.kind != Kind::Gauge
}

#[test]
fn every_metric_is_counted_somewhere() {
    let code: String = code_files()
        .into_iter()
        .filter(|(path, _)| path.contains("/src/") && !path.ends_with("catalogue.rs"))
        .map(|(_, text)| text)
        .collect();
    let catalogue = fs::read_to_string("src/telemetry/catalogue.rs").unwrap();
    let mut found = 0;
    for line in catalogue.lines() {
        let Some((name, _)) = line.strip_prefix("    ").and_then(|line| line.split_once(" = "))
        else {
            continue;
        };
        if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            assert!(code.contains(&format!("&{name}")), "{name} is counted nowhere");
            found += 1;
        }
    }
    assert_eq!(found, EVERY.len());
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_and_labels_that_are_there() {
    let mut asked = 0;
    for file in ["grafana/superid-gateway.json", "prometheus/alerts.yaml"] {
        let text = fs::read_to_string(Path::new("deploy").join(file)).unwrap();
        for begin in ["superid_gateway_", "process_"] {
            for (at, _) in text.match_indices(begin) {
                let before = text[..at].chars().next_back().unwrap();
                if before.is_ascii_alphanumeric() || before == '_' {
                    continue;
                }
                let family = asked_for(&text[at..]);
                let family = family.unwrap_or_else(|| panic!("{file}: {}", word(&text[at..])));
                let rest = &text[at + word(&text[at..]).len()..];
                for label in labels(rest) {
                    let known = ["job", "instance", "le"].contains(&label.as_str());
                    assert!(
                        known || family.labels.contains(&&*label),
                        "{file}: {label} of {}",
                        family.name
                    );
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "only {asked} were found");
}

#[test]
fn every_alert_is_in_the_runbook_and_leads_there() {
    let page = Page::read("docs/operations.md").text;
    let runbook = page.split("\n## What to alert on").nth(1).unwrap();
    let runbook = runbook.split("\n## ").next().unwrap();
    let told: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    let rules = fs::read_to_string("deploy/prometheus/alerts.yaml").unwrap();
    let real: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(told, real);
    assert_eq!(rules.matches("#what-to-alert-on").count(), real.len());
    let tests = fs::read_to_string("deploy/prometheus/alerts.test.yaml").unwrap();
    for alert in real {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} has no test");
    }
}

/// The family a name in a query is of.
fn asked_for(text: &str) -> Option<&'static Family> {
    let word = word(text);
    EVERY.iter().copied().find(|family| match family.kind {
        Kind::Histogram(_) => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|ending| word.strip_suffix(ending) == Some(family.name)),
        Kind::Counter | Kind::Gauge | Kind::Info => family.full_name() == word,
    })
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The labels a selector right behind a name speaks of.
fn labels(rest: &str) -> Vec<String> {
    let Some(selector) = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) else {
        return Vec::new();
    };
    let pairs = selector.split(',').filter_map(|pair| pair.split_once(['=', '!']));
    pairs.map(|(label, _)| label.trim().to_owned()).collect()
}

fn plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
