//! Numbers and times as people read them.

use std::collections::BTreeMap;

use time::OffsetDateTime;

/// `1,234,567`.
pub(super) fn counted(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `idle 2, unreadable 1`: the greatest first, five at most and then how many more kinds.
pub(super) fn listed(counts: &BTreeMap<String, u64>) -> String {
    let mut every: Vec<(&String, &u64)> = counts.iter().collect();
    every.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    let kinds = every.len();
    let told = every.into_iter().take(MOST_KINDS);
    let mut parts: Vec<String> =
        told.map(|(name, count)| format!("{name} {}", counted(*count))).collect();
    if kinds > MOST_KINDS {
        parts.push(format!("{} more", kinds - MOST_KINDS));
    }
    parts.join(", ")
}

/// `4.1 ms`, `820 ms`, `2.5 s`; a dash where there is none.
pub(super) fn took(milliseconds: Option<f64>) -> String {
    match milliseconds {
        None => "-".to_owned(),
        Some(short) if short < 10.0 => format!("{short:.1} ms"),
        Some(short) if short < 1_000.0 => format!("{short:.0} ms"),
        Some(long) => format!("{:.1} s", long / 1e3),
    }
}

/// `5 s`, `12 min`, `3 h 12 min`, `4 d 2 h`.
pub(super) fn lasted(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// `32.1 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `17:05:02`, and before it the day where that was another than `now`'s. UTC.
pub(super) fn moment(at: u64, now: u64) -> String {
    let Ok(when) = OffsetDateTime::from_unix_timestamp(at as i64) else { return "-".to_owned() };
    let (hour, minute, second) = when.to_hms();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if at / 86_400 == now / 86_400 { time } else { format!("{} {time}", when.date()) }
}

const MOST_KINDS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_have_to_be() {
        for (count, told) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(counted(count), told);
        }
        for (ms, told) in
            [(None, "-"), (Some(0.42), "0.4 ms"), (Some(82.4), "82 ms"), (Some(2_500.0), "2.5 s")]
        {
            assert_eq!(took(ms), told);
        }
        for (seconds, told) in
            [(5, "5 s"), (720, "12 min"), (11_520, "3 h 12 min"), (352_800, "4 d 2 h")]
        {
            assert_eq!(lasted(seconds), told);
        }
    }

    #[test]
    fn another_day_is_named() {
        let now = 1_795_280_000;
        assert_eq!(moment(now - 60, now), "16:52:20");
        assert_eq!(moment(now - 86_400, now), "2026-11-20 16:53:20");
    }

    #[test]
    fn the_greatest_come_first_and_the_list_has_an_end() {
        let counts = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).into_iter().zip(1..);
        assert_eq!(listed(&counts.collect()), "f 6, e 5, d 4, c 3, b 2, 1 more");
    }
}
