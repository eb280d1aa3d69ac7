//! Instructions of what must stay cheap, counted by callgrind in the release program, beside
//! what they were when somebody last said that this is well.
//!
//! ```text
//! benches/callgrind/gate              builds what is missing, and runs this
//! INSTRUCTIONS PROGRAM FOLDER BASELINE [accept]
//! ```
//!
//! This process is the clients, the app and SuperID; the gateway runs under valgrind, with one worker:
//! with a load of each kind, and with twice the load of one kind. What was more then is that kind's
//! alone, without the start and the end of the program. Then once for each function that is counted alone.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

mod app;
mod baseline;
mod client;
mod configuration;
mod gateway;
mod idle;
#[path = "../job_path/job.rs"]
mod job;
mod judgement;
#[path = "../../tests/jobs/partner.rs"]
mod partner;
mod profile;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../setting/mod.rs"]
mod setting;
mod subjects;
#[path = "../job_path/superid.rs"]
mod superid;

use std::path::Path;
use std::process::ExitCode;

use baseline::Baseline;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (&[program, folder, file] | &[program, folder, file, "accept"]) = words.as_slice() else {
        println!(
            "usage: INSTRUCTIONS PROGRAM FOLDER BASELINE [accept]; see benches/callgrind/gate"
        );
        return ExitCode::FAILURE;
    };
    let counted = Baseline::of(subjects::count(Path::new(program), Path::new(folder)));
    if words.last() == Some(&"accept") {
        return counted.write(Path::new(file));
    }
    counted.judge_by(Path::new(file))
}
