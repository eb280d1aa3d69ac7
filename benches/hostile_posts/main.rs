//! What posts cost that are meant to cost: processor time and memory, from base64 to the refusal.
//!
//! ```text
//! cargo bench --bench hostile_posts
//! ```

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::saml::{LONGEST, Profile, SamlRecipient, SamlRules, Sha1, verify_posted};

/// Counts bytes held, and the most that ever were.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator is unsafe to write; this one hands on to the system's")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    println!("{:<46} {:>10} {:>12}", "a post of", "CPU", "memory");
    let mut broken = false;
    for (name, field) in posts() {
        let before = HELD.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let begun = spent();
        assert!(verify_posted(&field, &rules()).is_err(), "{name} is refused");
        let took = spent() - begun;
        let held = MOST.load(Ordering::Relaxed) - before;
        println!("{name:<46} {:>7.2} ms {:>9.1} kB", took.as_secs_f64() * 1e3, held as f64 / 1e3);
        broken |= took > Duration::from_millis(50) || held > 20_000_000;
    }
    assert!(!broken, "over 50 ms or 20 MB");
}

fn posts() -> Vec<(&'static str, String)> {
    let encoded = |text: &str| STANDARD.encode(text);
    let mut bomb = "<!DOCTYPE a [<!ENTITY a0 \"lol\">".to_owned();
    for at in 1..10 {
        bomb += &format!("<!ENTITY a{at} \"{}\">", format!("&a{};", at - 1).repeat(10));
    }
    bomb += "]><a>&a9;</a>";
    let all = |each: fn(usize) -> String| (0..4_000).map(each).collect::<String>();
    let full = |start: &str| {
        let room = LONGEST - start.len();
        format!("{start}{}", " ".repeat(room))
    };
    vec![
        ("100 MB", "A".repeat(100_000_000)),
        ("100 MB of elements", encoded(&"<a>".repeat(25_000_000))),
        ("20,000 levels", encoded(&"<a>".repeat(20_000))),
        ("4,000 levels, which fit", encoded(&"<a>".repeat(4_000))),
        ("an entity bomb", encoded(&bomb)),
        (
            "4,000 attributes on one element",
            encoded(&format!("<a{}/>", all(|at| format!(" a{at}=''")))),
        ),
        ("4,000 namespaces", encoded(&format!("<a{}/>", all(|at| format!(" xmlns:a{at}='u'"))))),
        (
            "2,000 identifiers",
            encoded(&format!(
                "<a>{}</a>",
                (0..2_000).map(|at| format!("<b ID='{at}'/>")).collect::<String>()
            )),
        ),
        ("4,000 comments beside text", encoded(&format!("<a>{} x</a>", "<!-- -->".repeat(4_000)))),
        ("4,090 comments", encoded(&format!("<a>{}</a>", "<!-- -->".repeat(4_090)))),
        ("4,090 comments and blanks", encoded(&format!("<a>{}</a>", "<!-- --> ".repeat(4_090)))),
        ("30,000 prefixes on 1,000 elements", encoded(&prefixes())),
        ("text to the last byte", encoded(&full("<a>"))),
    ]
}

/// An unsigned assertion whose `SignedInfo` asks for more prefixes than anybody has.
fn prefixes() -> String {
    const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
    const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let list = "a ".repeat(30_000);
    let inside = "<a/>".repeat(1_000);
    format!(
        "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"a\">{inside}\
         <Signature xmlns=\"{DSIG}\"><SignedInfo><CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\">\
         <c:InclusiveNamespaces xmlns:c=\"{EXCLUSIVE}\" PrefixList=\"{list}\"/>\
         </CanonicalizationMethod><SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><Reference URI=\"#a\">\
         <Transforms><Transform Algorithm=\"{DSIG}enveloped-signature\"/><Transform \
         Algorithm=\"{EXCLUSIVE}\"/></Transforms><DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue>AAAA</DigestValue>\
         </Reference></SignedInfo><SignatureValue>AAAA</SignatureValue></Signature></Assertion>"
    )
}

fn rules() -> SamlRules<'static> {
    SamlRules {
        in_response_to: None,
        issuer: "SuperOffice AS",
        keys: &[],
        leeway: 60,
        now: Timestamp(1_000_000),
        profile: Profile::WebSso,
        recipient: "https://app.example/auth/legacy",
        recipient_rule: SamlRecipient::Optional,
        sha1: Sha1::Refused,
    }
}

/// Processor time of this process.
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let whole = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(whole, u32::try_from(time.tv_nsec).unwrap_or_default())
}
