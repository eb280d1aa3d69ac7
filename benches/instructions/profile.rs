//! A file of callgrind's, read for what a program and its functions cost.
//!
//! The format: valgrind's manual, "Callgrind Format Specification". Of it: `totals:`; `calls=COUNT …`, for the
//! function of the last `cfn=` before, and the line after it, which is no cost of the caller's own; and
//! what a function spends itself, in the other lines that begin with a place, for the last `fn=` before.

use std::collections::HashMap;
use std::path::Path;

/// What one run of a program cost.
pub struct Profile {
    /// Instructions of the whole life of the program.
    total: u64,
    /// By function: how often it was called.
    calls: HashMap<String, u64>,
    /// By function, without what it calls.
    own: HashMap<String, u64>,
    /// By function: its first instruction that was counted, and how often that was done.
    first: HashMap<String, (u64, u64)>,
}

impl Profile {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("callgrind wrote it");
        let mut reading = Reading::default();
        for line in text.lines() {
            reading.take(line);
        }
        let total = reading.total.expect("it has a line of totals");
        Self { total, calls: reading.calls, own: reading.own, first: reading.first }
    }

    /// How often a function was called, by its path.
    pub fn calls_of(&self, function: &str) -> u64 {
        self.calls.get(function).copied().unwrap_or_default()
    }

    /// How often a function was entered where instructions were counted, which `calls_of` does not tell:
    /// callgrind counts calls everywhere. Only where it tells instructions apart.
    pub fn entered(&self, function: &str) -> u64 {
        self.first.get(function).map_or(0, |(_, times)| *times)
    }

    /// Instructions of all functions but those whose name begins so.
    pub fn without(&self, beginnings: &[&str]) -> u64 {
        let theirs = |name: &&String| beginnings.iter().any(|begins| name.starts_with(begins));
        let left_out: u64 = self.own.keys().filter(theirs).map(|name| self.own[name]).sum();
        self.total - left_out
    }
}

#[derive(Default)]
struct Reading {
    total: Option<u64>,
    /// A name is written once, and its number from then on.
    names: HashMap<String, String>,
    calls: HashMap<String, u64>,
    own: HashMap<String, u64>,
    first: HashMap<String, (u64, u64)>,
    calling: String,
    called: String,
    /// The next line says what the calls just read cost.
    is_of_calls: bool,
}

impl Reading {
    fn take(&mut self, line: &str) {
        if std::mem::take(&mut self.is_of_calls) {
            return;
        }
        if let Some(function) = line.strip_prefix("fn=") {
            self.calling = self.name(function);
        } else if let Some(function) = line.strip_prefix("cfn=") {
            self.called = self.name(function);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            let number = calls.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            *self.calls.entry(self.called.clone()).or_default() += number.unwrap_or_default();
            self.is_of_calls = true;
        } else if line.starts_with("totals:") {
            self.total = Some(last_number(line));
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            *self.own.entry(self.calling.clone()).or_default() += last_number(line);
            self.instruction(line);
        }
    }

    /// `0xADDRESS LINE COST`, where instructions are told apart.
    fn instruction(&mut self, line: &str) {
        let address = line.strip_prefix("0x").and_then(|line| line.split(' ').next());
        let Some(address) = address.and_then(|digits| u64::from_str_radix(digits, 16).ok()) else {
            return;
        };
        let first = self.first.entry(self.calling.clone()).or_insert((address, 0));
        if address < first.0 {
            *first = (address, 0);
        }
        if address == first.0 {
            first.1 += last_number(line);
        }
    }

    /// `(3) name`, or `(3)` where it was said before.
    fn name(&mut self, text: &str) -> String {
        match text.split_once(' ') {
            Some((number, name)) => {
                self.names.insert(number.to_owned(), name.to_owned());
                name.to_owned()
            }
            None => self.names.get(text).cloned().unwrap_or_default(),
        }
    }
}

fn last_number(line: &str) -> u64 {
    let word = line.rsplit([' ', ':']).next().and_then(|word| word.parse().ok());
    word.unwrap_or_else(|| panic!("no cost in {line:?}"))
}
