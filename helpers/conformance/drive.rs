// Plays a conformance case through helpers/stages.rs: drive CASE.tsv, with PIPELINE_STATUS_FILE set. Built by
// `rustc drive.rs`.
#[path = "../stages.rs"]
mod stages;

use std::sync::atomic::{AtomicI64, Ordering};

/// What the case says, after a beginning that is the test's.
static NOW: AtomicI64 = AtomicI64::new(0);

fn now() -> stages::Moment {
    let origin: i64 = std::env::var("CONFORMANCE_ORIGIN_NS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let elapsed = NOW.load(Ordering::Relaxed) * 1_000_000;
    stages::Moment { monotonic: origin + elapsed, epoch: 1_770_000_000_000_000_000 + elapsed, cpu: 0 }
}

fn main() {
    let file = std::env::args().nth(1).expect("a case");
    let status = stages::Status::new(std::env::var_os("PIPELINE_STATUS_FILE").map(Into::into), now);
    let mut open: Vec<(String, u64)> = Vec::new();
    for line in std::fs::read_to_string(file).expect("a case").lines() {
        let words: Vec<&str> = line.splitn(4, '\t').collect();
        if !["begin", "end", "finish"].contains(&words[0]) {
            continue;
        }
        NOW.store(words[1].parse().expect("a moment"), Ordering::Relaxed);
        match words[0] {
            "begin" => open.push((words[2..].join("\t"), status.begin(words[3], None))),
            "end" => {
                if let Some(index) = open.iter().rposition(|entry| entry.0 == words[2..].join("\t")) {
                    status.end(open.remove(index).1);
                }
            }
            _ => status.finish(),
        }
    }
    status.finish();
}
