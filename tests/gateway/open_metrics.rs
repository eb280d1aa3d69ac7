//! A strict reader of OpenMetrics 1.0, as far as we write it: what it does not know, it refuses.

use std::collections::{BTreeMap, BTreeSet};

/// A metric as it was told.
#[derive(Debug, Default)]
pub struct Told {
    pub kind: String,
    pub unit: Option<String>,
    pub samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// Every metric by its name.
pub fn read(text: &str) -> Result<BTreeMap<String, Told>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("no end, or something behind it")?;
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("a line without its end".to_owned());
    }
    let mut metrics: BTreeMap<String, Told> = BTreeMap::new();
    let mut open = String::new();
    for line in body.lines() {
        match line.strip_prefix("# ") {
            Some(said) => describe(&mut metrics, &mut open, said)?,
            None => {
                let sample = sample(line)?;
                let told = metrics.get_mut(&open).ok_or(format!("{line}: before any metric"))?;
                belongs(&open, told, &sample)?;
                told.samples.push(sample);
            }
        }
    }
    metrics.iter().try_for_each(|(name, told)| whole(name, told))?;
    Ok(metrics)
}

/// HELP opens a metric; TYPE and UNIT come once, before its samples.
fn describe(
    metrics: &mut BTreeMap<String, Told>,
    open: &mut String,
    said: &str,
) -> Result<(), String> {
    let mut words = said.splitn(3, ' ');
    let (what, name) = (words.next().unwrap(), words.next().ok_or("no name")?);
    let value = words.next().filter(|value| !value.is_empty()).ok_or(format!("{said}: what?"))?;
    if what == "HELP" {
        *open = name.to_owned();
        if metrics.insert(name.to_owned(), Told::default()).is_some() {
            return Err(format!("{name} twice"));
        }
        return Ok(());
    }
    let told = metrics.get_mut(name).filter(|told| *open == name && told.samples.is_empty());
    let told = told.ok_or(format!("{said}: not where it belongs"))?;
    match what {
        "TYPE" if told.kind.is_empty() => told.kind = value.to_owned(),
        "UNIT" if told.unit.is_none() && name.ends_with(&format!("_{value}")) => {
            told.unit = Some(value.to_owned());
        }
        _ => return Err(format!("{said}: unknown, twice, or no unit of that name")),
    }
    Ok(())
}

fn sample(line: &str) -> Result<Sample, String> {
    let wrong = || format!("{line}: no sample");
    let end = line.find(['{', ' ']).ok_or_else(wrong)?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, after) = inside.split_once("=\"").ok_or_else(wrong)?;
            let (value, after) = quoted(after).ok_or_else(wrong)?;
            if !plain(label) || labels.iter().any(|(known, _)| known == label) {
                return Err(wrong());
            }
            labels.push((label.to_owned(), value));
            match after.strip_prefix(',') {
                Some(more) => inside = more,
                None => {
                    rest = after.strip_prefix('}').ok_or_else(wrong)?;
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    if !plain(name) { Err(wrong()) } else { Ok(Sample { name: name.to_owned(), labels, value }) }
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

/// The name a kind allows, and values a counter may have.
fn belongs(name: &str, told: &Told, sample: &Sample) -> Result<(), String> {
    let endings: &[&str] = match told.kind.as_str() {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        "info" => &["_info"],
        other => return Err(format!("{name}: {other} is no type")),
    };
    let ending = sample.name.strip_prefix(name).filter(|ending| endings.contains(ending));
    let ending = ending.ok_or(format!("{sample:?} is not of {name}"))?;
    let counts = told.kind != "gauge";
    let le = sample.labels.iter().any(|(label, _)| label == "le");
    match (counts && (sample.value.is_nan() || sample.value < 0.0), le == (ending == "_bucket")) {
        (true, _) => Err(format!("{sample:?} goes down")),
        (_, false) => Err(format!("{sample:?}: le")),
        _ if told
            .samples
            .iter()
            .any(|one| one.name == sample.name && one.labels == sample.labels) =>
        {
            Err(format!("{sample:?} twice"))
        }
        _ => Ok(()),
    }
}

/// Buckets rise to the count, under bounds that are numbers with a point.
fn whole(name: &str, told: &Told) -> Result<(), String> {
    if told.samples.is_empty() || told.kind.is_empty() {
        return Err(format!("{name}: nothing"));
    }
    if told.kind != "histogram" {
        return Ok(());
    }
    let of = |ending: &str| {
        let name = format!("{name}{ending}");
        told.samples.iter().filter(move |sample| sample.name == name)
    };
    let mut seen = BTreeSet::new();
    for count in of("_count") {
        let (mut bound, mut value) = (f64::NEG_INFINITY, 0.0);
        for bucket in of("_bucket") {
            let (le, others) = bucket.labels.split_last().unwrap();
            if others != count.labels {
                continue;
            }
            let canonical = le.1 == "+Inf" || le.1.contains('.');
            let next: f64 = le.1.parse().map_err(|_| format!("{bucket:?}"))?;
            if !canonical || next <= bound || bucket.value < value {
                return Err(format!("{bucket:?} out of order"));
            }
            (bound, value) = (next, bucket.value);
        }
        if bound != f64::INFINITY || value != count.value {
            return Err(format!("{count:?}: its buckets end elsewhere"));
        }
        seen.insert(format!("{:?}", count.labels));
    }
    let sums: BTreeSet<String> = of("_sum").map(|sum| format!("{:?}", sum.labels)).collect();
    if sums == seen { Ok(()) } else { Err(format!("{name}: sums of {sums:?}")) }
}

fn plain(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(letters) && !name.starts_with(|first: char| first.is_ascii_digit())
}

#[test]
fn what_open_metrics_forbids_is_refused() {
    let head = "# HELP a A.\n# TYPE a counter\n";
    assert!(read(&format!("{head}a_total{{b=\"c\\\"}} \"}} 1\n# EOF\n")).is_ok());
    for wrong in [
        "a_total 1\n",
        "a_total 1\n# EOF",
        "a_total 1\n# EOF\na_total 2\n",
        "a 1\n# EOF\n",
        "a_total -1\n# EOF\n",
        "a_total NaN\n# EOF\n",
        "a_total 1\na_total 1\n# EOF\n",
        "a_total{b=\"c\",b=\"d\"} 1\n# EOF\n",
        "a_total{b=\"c} 1\n# EOF\n",
        "a_total one\n# EOF\n",
        "a_total 1\n# UNIT a seconds\n# EOF\n",
        "# UNIT a seconds\na_total 1\n# EOF\n",
        "a_total 1\n# HELP a A.\n# TYPE a counter\na_total 2\n# EOF\n",
        "# EOF\n",
    ] {
        assert!(read(&format!("{head}{wrong}")).is_err(), "{wrong}");
    }
}
