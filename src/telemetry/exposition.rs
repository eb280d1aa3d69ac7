//! Metrics as text, in the two forms Prometheus asks for.

use std::fmt::Write as _;

use super::catalogue;
use super::family::{Family, Kind};
use super::registry::{Levels, Registry, Values};
use super::series::Times;

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`, what everybody reads.
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Format {
    /// The form that an `Accept` header asks for: OpenMetrics where it is named with no lower weight
    /// than plain text (RFC 9110 §12.5.1), else Prometheus' own.
    pub fn accepted(accept: Option<&str>) -> Self {
        let weight = |kind: &str| {
            let ranges = accept.unwrap_or_default().split(',');
            let found = ranges.filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let named = parts.next()?.eq_ignore_ascii_case(kind);
                let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
                named.then(|| quality.parse().unwrap_or(0.0_f32))
            });
            found.fold(0.0, f32::max)
        };
        let open = weight("application/openmetrics-text");
        if open > 0.0 && open >= weight("text/plain") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Every family that has a value.
pub(super) fn write(registry: &Registry, levels: &Levels, format: Format) -> String {
    let mut text = String::with_capacity(16 << 10);
    for family in catalogue::EVERY {
        match registry.values(family, levels) {
            Values::Numbers(every) if !every.is_empty() => {
                head(&mut text, family, format);
                let name = family.full_name();
                for (labels, value) in every {
                    line(&mut text, &name, &pairs(family, &labels), value);
                }
            }
            Values::Times(every) if !every.is_empty() => {
                head(&mut text, family, format);
                every
                    .iter()
                    .for_each(|(labels, times)| histogram(&mut text, family, labels, times));
            }
            Values::Numbers(_) | Values::Times(_) => {}
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

/// Type, unit and help. OpenMetrics names a family without what its kind appends, and knows `info`.
fn head(text: &mut String, family: &Family, format: Format) {
    let name = match format {
        Format::Prometheus => family.full_name(),
        Format::OpenMetrics => family.name.to_owned(),
    };
    let kind = match (family.kind, format) {
        (Kind::Counter, _) => "counter",
        (Kind::Histogram(_), _) => "histogram",
        (Kind::Info, Format::OpenMetrics) => "info",
        (Kind::Gauge | Kind::Info, _) => "gauge",
    };
    let _infallible = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
    if let (Format::OpenMetrics, Some(unit)) = (format, family.unit()) {
        let _infallible = writeln!(text, "# UNIT {name} {unit}");
    }
}

fn histogram(text: &mut String, family: &Family, labels: &[String], times: &Times) {
    let pairs = pairs(family, labels);
    let (bucket, mut sum) = (format!("{}_bucket", family.name), 0);
    for (at, count) in times.counts.iter().enumerate() {
        sum += count;
        let comma = if pairs.is_empty() { "" } else { "," };
        let bound = match times.bounds.get(at) {
            Some(bound) => format!("{:?}", seconds(*bound)),
            None => "+Inf".to_owned(),
        };
        line(text, &bucket, &format!("{pairs}{comma}le=\"{bound}\""), sum as f64);
    }
    line(text, &format!("{}_sum", family.name), &pairs, seconds(times.micros));
    line(text, &format!("{}_count", family.name), &pairs, sum as f64);
}

fn pairs(family: &Family, labels: &[String]) -> String {
    let mut text = String::new();
    for (name, value) in family.labels.iter().zip(labels) {
        let comma = if text.is_empty() { "" } else { "," };
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let _infallible = write!(text, "{comma}{name}=\"{value}\"");
    }
    text
}

fn line(text: &mut String, name: &str, pairs: &str, value: f64) {
    let _infallible = match pairs {
        "" => writeln!(text, "{name} {value}"),
        pairs => writeln!(text, "{name}{{{pairs}}} {value}"),
    };
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_goes_to_whoever_asks_for_it() {
        for (accept, format) in [
            (None, Format::Prometheus),
            (Some("*/*"), Format::Prometheus),
            (Some("text/plain"), Format::Prometheus),
            (Some("application/openmetrics-text; version=1.0.0"), Format::OpenMetrics),
            (Some("Application/OpenMetrics-Text"), Format::OpenMetrics),
            (Some("application/openmetrics-text;q=0"), Format::Prometheus),
            (Some("application/openmetrics-text;q=0.4, text/plain;q=0.5"), Format::Prometheus),
            // As Prometheus 2.42 asks.
            (
                Some(
                    "application/openmetrics-text;version=1.0.0,\
                     application/openmetrics-text;version=0.0.1;q=0.75,\
                     text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                ),
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn what_a_label_says_ends_where_it_ends() {
        let levels = &mut Levels::default();
        levels.count(&catalogue::TENANTS, &["a\"} 1\n\\"], 1);
        let text = write(&Registry::default(), levels, Format::Prometheus);
        let line = text.lines().last().unwrap();
        assert_eq!(line, r#"superid_gateway_tenants{state="a\"} 1\n\\"} 1"#);
    }

    #[test]
    fn buckets_are_cumulative_and_end_in_the_count() {
        let registry = Registry::default();
        let times = registry.histogram(&catalogue::REQUEST_DURATION, &["app"]);
        [500, 1_500_000, 60_000_000].iter().for_each(|micros| times.observe(*micros));
        let text = write(&registry, &Levels::default(), Format::OpenMetrics);
        let name = "superid_gateway_request_duration_seconds";
        for line in [
            format!("# TYPE {name} histogram"),
            format!("# UNIT {name} seconds"),
            format!("{name}_bucket{{route=\"app\",le=\"0.001\"}} 1"),
            format!("{name}_bucket{{route=\"app\",le=\"2.5\"}} 2"),
            format!("{name}_bucket{{route=\"app\",le=\"30.0\"}} 2"),
            format!("{name}_bucket{{route=\"app\",le=\"+Inf\"}} 3"),
            format!("{name}_sum{{route=\"app\"}} 61.5005"),
            format!("{name}_count{{route=\"app\"}} 3"),
        ] {
            assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }
}
