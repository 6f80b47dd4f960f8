//! Records for freeze-profile which stage a Rust pipeline is in. Linux, the standard library alone; one file to copy.
//! Rust 1.63 or later.
//!
//! ```ignore
//! mod stages;
//!
//! for (index, url) in urls.iter().enumerate() {
//!     let _stage = stages::stage("media_download", Some((index as u64 + 1, Some(urls.len() as u64))));
//!     download(url);
//! } // the stage ends with its guard
//! stages::finish();
//! ```
//!
//! Each begin and end appends a line to the event trace and replaces the file `PIPELINE_STATUS_FILE`, so that a reader
//! never sees half of it. Stages may be nested, and may run in several threads. Without the variable nothing is written;
//! a file that cannot be written is reported once on standard error, and the pipeline goes on.
#![allow(dead_code)]

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Up to this size in bytes the history is always written; a longer one when as much else has been written since.
const SMALL_HISTORY: usize = 4096;
/// Entries beyond this size are left out: readers take files of up to 256 KiB.
const MAXIMUM_HISTORY: usize = 192 << 10;

/// Which item of how many, counted from 1.
pub type Episode = (u64, Option<u64>);

/// One moment by the clocks that an event is stamped with, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Moment {
    pub monotonic: i64,
    pub epoch: i64,
    /// CPU time of this process.
    pub cpu: i64,
}

impl Moment {
    /// The moment now.
    pub fn now() -> Moment {
        // CLOCK_MONOTONIC, CLOCK_REALTIME and CLOCK_PROCESS_CPUTIME_ID.
        Moment { monotonic: clock(1), epoch: clock(0), cpu: clock(2) }
    }
}

#[repr(C)]
struct Timespec {
    seconds: std::ffi::c_long,
    nanoseconds: std::ffi::c_long,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn clock(number: i32) -> i64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the kernel fills in a struct that is ours and lives until it returns.
    unsafe { clock_gettime(number, &mut time) };
    time.seconds as i64 * 1_000_000_000 + time.nanoseconds as i64
}

/// A span of a stage, which ends when this is dropped.
#[must_use = "the stage ends when this is dropped"]
pub struct Stage<'a> {
    status: &'a Status,
    span: u64,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.status.end(self.span);
    }
}

/// Begins a stage, which ends when what is returned is dropped.
pub fn stage(name: &str, episode: Option<Episode>) -> Stage<'static> {
    let status = Status::shared();
    Stage { status, span: status.begin(name, episode) }
}

/// Ends what is open and says that the last stage is over.
pub fn finish() {
    Status::shared().finish();
}

/// The status of this process in one file.
pub struct Status {
    state: Option<Mutex<State>>,
    now: fn() -> Moment,
}

impl Status {
    /// Writes to a path, or to nothing, with a clock.
    pub fn new(path: Option<PathBuf>, now: fn() -> Moment) -> Status {
        let path = path.filter(|path| !path.as_os_str().is_empty());
        Status { state: path.map(|path| Mutex::new(State::new(path, now()))), now }
    }

    fn shared() -> &'static Status {
        static SHARED: Mutex<Option<&'static Status>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.get_or_insert_with(|| {
            let path = std::env::var_os("PIPELINE_STATUS_FILE").map(PathBuf::from);
            Box::leak(Box::new(Status::new(path, Moment::now)))
        })
    }

    /// Opens a span of a stage and returns its number, for `end`.
    pub fn begin(&self, name: &str, episode: Option<Episode>) -> u64 {
        self.change(|state, now| state.begin(name, episode, now)).unwrap_or(0)
    }

    /// Closes a span. Twice is once.
    pub fn end(&self, span: u64) {
        self.change(|state, now| state.end(span, now));
    }

    /// Closes what is open and says that the last stage is over.
    pub fn finish(&self) {
        self.change(|state, now| state.finish(now));
    }

    fn change<R>(&self, body: impl FnOnce(&mut State, Moment) -> R) -> Option<R> {
        let mut state = match self.state.as_ref()?.lock() {
            Ok(state) => state,
            // A thread has panicked in here; the record goes on.
            Err(poisoned) => poisoned.into_inner(),
        };
        Some(body(&mut state, (self.now)()))
    }
}

/// A stage, all its spans together. Times are nanoseconds.
struct Account {
    name: String,
    open: u64,
    finished: u64,
    wall: i64,
    work: i64,
    cpu: i64,
    is_shared: bool,
    since: i64,
    cpu_since: i64,
}

/// An open span.
struct Span {
    number: u64,
    account: usize,
    episode: Option<Episode>,
    thread: u32,
    start: i64,
}

struct State {
    path: PathBuf,
    started_at: i64,
    accounts: Vec<Account>,
    indices: HashMap<String, usize>,
    /// The latest last.
    spans: Vec<Span>,
    /// What the file says while nothing is open: name, start since the epoch, episode.
    shown: (String, i64, Option<Episode>),
    next_span: u64,
    history_size: usize,
    written_since_history: usize,
    trace: Option<File>,
    has_complained: bool,
}

impl State {
    fn new(path: PathBuf, now: Moment) -> State {
        State {
            path,
            started_at: now.epoch,
            accounts: Vec::new(),
            indices: HashMap::new(),
            spans: Vec::new(),
            shown: (String::new(), now.epoch, None),
            next_span: 1,
            history_size: 0,
            written_since_history: 0,
            trace: None,
            has_complained: false,
        }
    }

    fn begin(&mut self, name: &str, episode: Option<Episode>, now: Moment) -> u64 {
        let index = self.index(name);
        let number = self.next_span;
        self.next_span += 1;
        let thread = thread_id();
        self.spans.push(Span { number, account: index, episode, thread, start: now.monotonic });
        self.accounts[index].open += 1;
        if self.accounts[index].open == 1 {
            self.accounts[index].since = now.monotonic;
            self.accounts[index].cpu_since = now.cpu;
            let active = self.active();
            if active.len() > 1 {
                for other in active {
                    self.accounts[other].is_shared = true;
                }
            }
        }
        let event = event("begin", name, episode, thread, now);
        self.write(&event, now, false);
        number
    }

    fn end(&mut self, number: u64, now: Moment) {
        if let Some(position) = self.spans.iter().position(|span| span.number == number) {
            let event = self.close(position, now);
            self.write(&event, now, false);
        }
    }

    fn finish(&mut self, now: Moment) {
        let mut events = String::new();
        while !self.spans.is_empty() {
            events += &self.close(self.spans.len() - 1, now);
        }
        self.shown = ("done".to_string(), now.epoch, None);
        events += &event("begin", "done", None, thread_id(), now);
        self.write(&events, now, true);
    }

    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        self.accounts.push(Account {
            name: name.to_string(),
            open: 0,
            finished: 0,
            wall: 0,
            work: 0,
            cpu: 0,
            is_shared: false,
            since: 0,
            cpu_since: 0,
        });
        self.indices.insert(name.to_string(), self.accounts.len() - 1);
        self.accounts.len() - 1
    }

    /// The stages with an open span, in order of first entry.
    fn active(&self) -> BTreeSet<usize> {
        self.spans.iter().map(|span| span.account).collect()
    }

    fn close(&mut self, position: usize, now: Moment) -> String {
        let span = self.spans.remove(position);
        let account = &mut self.accounts[span.account];
        account.open -= 1;
        account.finished += 1;
        account.work += (now.monotonic - span.start).max(0);
        if account.finished == 1 {
            self.history_size += account.name.len() + 120;
        }
        if account.open == 0 {
            account.wall += (now.monotonic - account.since).max(0);
            account.cpu += (now.cpu - account.cpu_since).max(0);
        }
        self.shown = (account.name.clone(), now.epoch - (now.monotonic - span.start), span.episode);
        event("end", &account.name, span.episode, span.thread, now)
    }

    fn text(&mut self, now: Moment, is_final: bool) -> String {
        let (name, since, episode) = match self.spans.last() {
            Some(span) => (
                self.accounts[span.account].name.clone(),
                now.epoch - (now.monotonic - span.start),
                span.episode,
            ),
            None => self.shown.clone(),
        };
        let active: Vec<String> = self.active().iter().map(|index| quoted(&self.accounts[*index].name)).collect();
        let mut text = format!(
            "{{\"schema_version\": 1, \"pid\": {}, \"stage\": {}, \"started_at\": {}, \"stage_started_at\": {}{}, \
             \"active_stages\": [{}]",
            std::process::id(),
            quoted(&name),
            seconds(self.started_at),
            seconds(since),
            members("episode_idx", episode),
            active.join(", "),
        );
        let has_history = is_final
            || self.history_size <= SMALL_HISTORY
            || self.written_since_history >= self.history_size;
        if has_history {
            text += &format!(", \"history\": [{}]", self.history());
        }
        text += "}\n";
        self.written_since_history = if has_history { 0 } else { self.written_since_history + text.len() };
        text
    }

    fn history(&self) -> String {
        let mut entries: Vec<String> = Vec::new();
        let mut size = 0;
        for account in self.accounts.iter().filter(|account| account.finished > 0) {
            let entry = format!(
                "{{\"stage\": {}, \"entered\": {}, \"wall_s\": {}, \"work_s\": {}, \"cpu_s\": {}{}}}",
                quoted(&account.name),
                account.finished,
                seconds(account.wall),
                seconds(account.work),
                seconds(account.cpu),
                if account.is_shared { ", \"shared\": true" } else { "" },
            );
            size += entry.len() + 2;
            if size > MAXIMUM_HISTORY {
                break;
            }
            entries.push(entry);
        }
        entries.join(", ")
    }

    fn write(&mut self, events: &str, now: Moment, is_final: bool) {
        let text = self.text(now, is_final);
        if let Err(error) = self.try_write(events, &text) {
            if !self.has_complained {
                eprintln!("The stage status is not being recorded in '{}': {}", self.path.display(), error);
            }
            self.has_complained = true;
        }
    }

    fn try_write(&mut self, events: &str, text: &str) -> io::Result<()> {
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if self.trace.is_none() {
            fs::create_dir_all(directory)?;
            let file = created().append(true).open(directory.join(".pipeline_events.jsonl"))?;
            self.trace = Some(file);
        }
        if let Some(trace) = &mut self.trace {
            trace.write_all(events.as_bytes())?;
        }
        let temporary = directory.join(format!(".pipeline_status.{}", std::process::id()));
        created().write(true).truncate(true).open(&temporary)?.write_all(text.as_bytes())?;
        fs::rename(&temporary, &self.path)
    }
}

/// Links are not followed.
fn created() -> OpenOptions {
    const O_NOFOLLOW: i32 = if cfg!(target_arch = "aarch64") { 0o100000 } else { 0o400000 };
    let mut options = OpenOptions::new();
    options.create(true).custom_flags(O_NOFOLLOW);
    options
}

fn event(kind: &str, name: &str, episode: Option<Episode>, thread: u32, now: Moment) -> String {
    format!(
        "{{\"event\":\"{}\",\"stage\":{}{},\"tid\":{},\"pid\":{},\"monotonic_ns\":{},\"epoch_s\":{}}}\n",
        kind,
        quoted(name),
        members("episode", episode),
        thread,
        std::process::id(),
        now.monotonic,
        seconds(now.epoch),
    )
}

fn members(index: &str, episode: Option<Episode>) -> String {
    match episode {
        None => String::new(),
        Some((number, None)) => format!(",\"{}\":{}", index, number),
        Some((number, Some(all))) => format!(",\"{}\":{},\"episode_total\":{}", index, number, all),
    }
}

fn seconds(nanoseconds: i64) -> String {
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

fn quoted(text: &str) -> String {
    let mut result = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => result += "\\\"",
            '\\' => result += "\\\\",
            control if (control as u32) < 0x20 => result += &format!("\\u{:04x}", control as u32),
            other => result.push(other),
        }
    }
    result + "\""
}

/// The kernel's number of the calling thread.
fn thread_id() -> u32 {
    let own = fs::read_link("/proc/thread-self").ok();
    own.as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .and_then(|name| name.parse().ok())
        .unwrap_or_else(std::process::id)
}
