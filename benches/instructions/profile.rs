//! A file of callgrind's, read for what a program and its functions cost.
//!
//! The format: valgrind's manual, "Callgrind Format Specification". Of it: `totals:`, and the cost
//! of calls, which is in the line after `calls=COUNT …`, for the function of the last `cfn=` before.

use std::collections::HashMap;
use std::path::Path;

/// What one run of a program cost.
pub struct Profile {
    /// Instructions of the whole life of the program.
    pub total: u64,
    /// By function, where it is called.
    functions: HashMap<String, Calls>,
}

/// What the calls of a function cost, with all that they called.
#[derive(Clone, Copy, Default)]
pub struct Calls {
    pub number: u64,
    pub instructions: u64,
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
        Self { total, functions: reading.functions }
    }

    /// The calls of a function, by its path.
    pub fn calls_of(&self, function: &str) -> Calls {
        self.functions.get(function).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Reading {
    total: Option<u64>,
    /// A name is written once, and its number from then on.
    names: HashMap<String, String>,
    functions: HashMap<String, Calls>,
    called: String,
    /// Of the line of calls just read.
    number: Option<u64>,
}

impl Reading {
    fn take(&mut self, line: &str) {
        if let Some(number) = self.number.take() {
            let calls = self.functions.entry(self.called.clone()).or_default();
            calls.number += number;
            calls.instructions += last_number(line);
        } else if let Some(function) = line.strip_prefix("fn=") {
            self.name(function);
        } else if let Some(function) = line.strip_prefix("cfn=") {
            self.called = self.name(function);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            self.number = calls.split(' ').next().and_then(|number| number.parse().ok());
        } else if line.starts_with("totals:") {
            self.total = Some(last_number(line));
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
