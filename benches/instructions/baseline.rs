//! The figures somebody accepted, and the judgement of others by them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

use crate::judgement::{Counts, Judgement, LIMIT, change, judge};
use crate::subjects::Figure;

/// Counts by subject, and what they were counted with.
#[derive(Serialize, Deserialize)]
pub struct Baseline {
    counted_with: BTreeMap<String, String>,
    counts: Counts,
}

impl Baseline {
    /// Of figures that were counted here and now.
    pub fn of(figures: Vec<Figure>) -> Self {
        let counted_with = TOOLS.map(|[name, tool, option]| (name.to_owned(), said(tool, option)));
        let processor = [("processor".to_owned(), processor())];
        let counts = figures.into_iter().map(|(name, figure)| (name.to_owned(), figure));
        Self {
            counted_with: counted_with.into_iter().chain(processor).collect(),
            counts: counts.collect(),
        }
    }

    /// Makes these figures the accepted ones.
    pub fn write(&self, path: &Path) -> ExitCode {
        let before = Self::read(path).ok();
        let body = toml::to_string(self).expect("tables of texts and numbers");
        std::fs::write(path, format!("{HEAD}{body}")).expect("the file can be written");
        self.print(before.as_ref());
        println!("\nAccepted in {}. Commit it, and say in the message why.", path.display());
        ExitCode::SUCCESS
    }

    /// Prints these figures beside the accepted ones. One that is too high, and one that nobody
    /// accepted, is a failure.
    pub fn judge_by(&self, path: &Path) -> ExitCode {
        let accepted = match Self::read(path) {
            Ok(accepted) => accepted,
            Err(problem) => {
                println!("FAILED: {}: {problem}\n{ACCEPT}", path.display());
                return ExitCode::FAILURE;
            }
        };
        self.print(Some(&accepted));
        let others = self.says_of_tools(&accepted);
        let failed = match judge(&accepted.counts, &self.counts) {
            Judgement::Free(free) => format!("\"{free}\" was counted as nothing.\n{ACCEPT}"),
            Judgement::Gone(gone) => format!("nothing counts \"{gone}\" any more.\n{ACCEPT}"),
            Judgement::TooMany => format!("more than {LIMIT:+} %.\n{SEARCH}\n{ACCEPT}"),
            Judgement::Better => {
                println!("\nMuch better than before: keep it so.\n{ACCEPT}");
                String::new()
            }
            Judgement::Held => String::new(),
        };
        if !failed.is_empty() {
            println!("\nFAILED: {failed}");
            return ExitCode::FAILURE;
        }
        if others { of_other_tools() } else { ExitCode::SUCCESS }
    }

    fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        toml::from_str(&text).map_err(|error| error.to_string())
    }

    fn print(&self, accepted: Option<&Self>) {
        println!(
            "{:<36}{:>10}{:>10}{:>10}{:>8}",
            "instructions and allocations", "now", "baseline", "change", "limit"
        );
        for (name, now) in &self.counts {
            match accepted.and_then(|accepted| accepted.counts.get(name)) {
                Some(before) => {
                    let change = change(*before, *now);
                    let word = if change > LIMIT { "  too many" } else { "" };
                    println!(
                        "{name:<36}{now:>10}{before:>10}{change:>+8.2} %{LIMIT:>+6.0} %{word}"
                    );
                }
                None => println!("{name:<36}{now:>10}{:>10}", "none"),
            }
        }
    }

    /// Says what else this was counted with, if it was.
    fn says_of_tools(&self, accepted: &Self) -> bool {
        let mut others = false;
        for (tool, here) in &self.counted_with {
            let there = accepted.counted_with.get(tool).map_or("nothing", String::as_str);
            if here != there {
                println!("OTHER TOOLS: the baseline was counted with {there}, this with {here}");
                others = true;
            }
        }
        others
    }
}

/// Another compiler makes another program, and another C library runs in it: a good figure of
/// theirs proves nothing. Where the project is tested that is a failure; elsewhere it is said.
fn of_other_tools() -> ExitCode {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        println!("\nFAILED: with CI=true, a baseline of other tools is none.\n{ANEW}");
        return ExitCode::FAILURE;
    }
    println!(
        "\nNOT HELD: the baseline is of other tools, and what is within it proves nothing.\n{ANEW}"
    );
    ExitCode::SUCCESS
}

/// What of it valgrind passes on to programs, which choose by it.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let passed_on = ["avx2", "f16c", "rdrand", "rdseed"];
    let has = |name: &&str| flags.split_whitespace().any(|flag| flag == *name);
    let there: Vec<&str> = passed_on.into_iter().filter(has).collect();
    format!("{} with {}", std::env::consts::ARCH, there.join(", "))
}

/// The first line of what a tool says of itself.
fn said(tool: &str, option: &str) -> String {
    let output = Command::new(tool).arg(option).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or("unknown").to_owned()
}

/// What the figures depend on beside the program: its name here, what says its version, and how it is asked.
const TOOLS: [[&str; 3]; 4] = [
    ["rustc", "rustc", "-V"],
    ["valgrind", "valgrind", "--version"],
    ["cc", "cc", "--version"],
    ["libc", "getconf", "GNU_LIBC_VERSION"],
];
const HEAD: &str = "\
# Instructions without the allocator's, and what is asked of it, for each, counted by callgrind. `benches/callgrind/gate`
# fails where they are more by 3 %; `benches/callgrind/gate accept` writes this file. Why it was written is in its commits.

";
const SEARCH: &str = "\
Where they went: callgrind_annotate target/callgrind/signed_in.callgrind (or jobs, sent,
decide, opened, ticket), the same of the commit before, and the difference. What a change costs by mistake is to be mended.";
const ANEW: &str = "\
A baseline of these tools: benches/callgrind/gate accept, of the last commit that was held to the old one.";
const ACCEPT: &str = "\
Where it is meant: benches/callgrind/gate accept, commit benches/callgrind/baseline.toml, and say
in the commit's message why.";
