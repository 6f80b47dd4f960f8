// Records for freeze-profile which stage a Node.js pipeline is in. Node 16 or later, nothing else; one file to copy.
//
//     import { stage, begin, end, finish } from "./stages.mjs";
//
//     const text = await stage("transcription", () => transcribe(file), { episode: [3, 10] });
//     finish();
//
// Each begin and end appends a line to the event trace and replaces the file PIPELINE_STATUS_FILE, so that a reader never
// sees half of it. Stages may be nested and may overlap. Without the variable nothing is written; a file that cannot be
// written is reported once on standard error, and the pipeline goes on.

import fs from "node:fs";
import path from "node:path";

const { O_WRONLY, O_APPEND, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
const created = O_WRONLY | O_CREAT | O_NOFOLLOW; // links are not followed

// Up to this size in bytes the history is always written; a longer one when as much else has been written since.
const smallHistory = 4096;
// Entries beyond this size are left out: readers take files of up to 256 KiB.
const maximumHistory = 192 << 10;

/** The clocks that an event is stamped with. */
export const systemClock = {
  monotonicNanoseconds: () => process.hrtime.bigint(), // CLOCK_MONOTONIC
  epochSeconds: () => (performance.timeOrigin + performance.now()) / 1000,
  cpuNanoseconds: () => {
    const used = process.cpuUsage();
    return BigInt(used.user + used.system) * 1000n;
  },
};

const seconds = (nanoseconds) => Number(nanoseconds) / 1e9;
const positive = (nanoseconds) => (nanoseconds > 0n ? nanoseconds : 0n);

// Worker threads have threads of their own; /proc names the one that asks.
function threadID() {
  try {
    return Number(path.basename(fs.readlinkSync("/proc/thread-self")));
  } catch {
    return process.pid;
  }
}

/** The status of this process in one file. */
export class PipelineStatus {
  /** Writes to a path, by default PIPELINE_STATUS_FILE; to nothing when there is neither. */
  constructor(file = process.env.PIPELINE_STATUS_FILE, clock = systemClock) {
    this.file = file ? path.resolve(file) : null;
    this.clock = clock;
    this.startedAt = clock.epochSeconds();
    this.accounts = new Map(); // by name, in order of first entry
    this.spans = []; // the open ones, the latest last
    this.shown = null; // what the file says while nothing is open
    this.historySize = 0; // bytes that the finished stages would take
    this.writtenSinceHistory = 0;
    this.trace = null;
    this.hasComplained = false;
  }

  /** Everything that the function does, or that its promise waits for, belongs to the stage. */
  stage(name, body, { episode } = {}) {
    const span = this.begin(name, { episode });
    let result;
    try {
      result = body();
    } catch (error) {
      this.end(span);
      throw error;
    }
    if (typeof result?.then !== "function") {
      this.end(span);
      return result;
    }
    return Promise.resolve(result).finally(() => this.end(span));
  }

  /** Opens a span of a stage and returns it, for end(). The episode is [index, total] or an index. */
  begin(name, { episode } = {}) {
    if (!this.file) return null;
    const now = this.now();
    const account = this.account(String(name));
    const span = { account, episode, thread: threadID(), start: now.monotonic };
    this.spans.push(span);
    account.open += 1;
    if (account.open === 1) {
      account.since = now.monotonic;
      account.cpuSince = now.cpu;
      const active = this.active();
      if (active.length > 1) for (const other of active) other.shared = true;
    }
    this.write([this.event("begin", account.name, episode, span.thread, now)], now);
    return span;
  }

  /** Closes a span that begin() returned. Twice is once. */
  end(span) {
    if (!this.file || !this.spans.includes(span)) return;
    const now = this.now();
    this.write([this.close(span, now)], now);
  }

  /** Closes what is open and says that the last stage is over. */
  finish() {
    if (!this.file) return;
    const now = this.now();
    const events = [...this.spans].reverse().map((span) => this.close(span, now));
    this.shown = { name: "done", since: now.epoch };
    events.push(this.event("begin", "done", undefined, threadID(), now));
    this.write(events, now, true);
  }

  now() {
    return {
      monotonic: this.clock.monotonicNanoseconds(),
      epoch: this.clock.epochSeconds(),
      cpu: this.clock.cpuNanoseconds(),
    };
  }

  account(name) {
    let account = this.accounts.get(name);
    if (!account) {
      account = { name, index: this.accounts.size, open: 0, finished: 0, wall: 0n, work: 0n, cpu: 0n, shared: false };
      this.accounts.set(name, account);
    }
    return account;
  }

  active() {
    return [...new Set(this.spans.map((span) => span.account))].sort((a, b) => a.index - b.index);
  }

  close(span, now) {
    this.spans.splice(this.spans.indexOf(span), 1);
    const account = span.account;
    account.open -= 1;
    account.finished += 1;
    if (account.finished === 1) this.historySize += Buffer.byteLength(account.name) + 120;
    account.work += positive(now.monotonic - span.start);
    if (account.open === 0) {
      account.wall += positive(now.monotonic - account.since);
      account.cpu += positive(now.cpu - account.cpuSince);
    }
    this.shown = { name: account.name, since: now.epoch - seconds(now.monotonic - span.start), episode: span.episode };
    return this.event("end", account.name, span.episode, span.thread, now);
  }

  event(kind, name, episode, thread, now) {
    const [index, total] = [episode].flat();
    const fields = { event: kind, stage: name, episode: index, episode_total: total, tid: thread, pid: process.pid };
    // No JSON number of JavaScript holds nanoseconds.
    const clocks = `"monotonic_ns":${now.monotonic},"epoch_s":${now.epoch.toFixed(6)}`;
    return `${JSON.stringify(fields).slice(0, -1)},${clocks}}\n`;
  }

  text(now, isFinal) {
    const span = this.spans[this.spans.length - 1];
    const shown = span
      ? { name: span.account.name, since: now.epoch - seconds(now.monotonic - span.start), episode: span.episode }
      : this.shown;
    const [index, total] = [shown.episode].flat();
    const fields = {
      schema_version: 1,
      pid: process.pid,
      stage: shown.name,
      started_at: this.startedAt,
      stage_started_at: shown.since,
      episode_idx: index,
      episode_total: total,
      active_stages: this.active().map((account) => account.name),
    };
    const hasHistory =
      isFinal || this.historySize <= smallHistory || this.writtenSinceHistory >= this.historySize;
    if (hasHistory) fields.history = this.history();
    const text = `${JSON.stringify(fields)}\n`;
    this.writtenSinceHistory = hasHistory ? 0 : this.writtenSinceHistory + Buffer.byteLength(text);
    return text;
  }

  history() {
    const entries = [];
    let size = 0;
    for (const account of this.accounts.values()) {
      if (account.finished === 0) continue;
      const entry = {
        stage: account.name,
        entered: account.finished,
        wall_s: seconds(account.wall),
        work_s: seconds(account.work),
        cpu_s: seconds(account.cpu),
      };
      if (account.shared) entry.shared = true;
      size += Buffer.byteLength(JSON.stringify(entry));
      if (size > maximumHistory) break;
      entries.push(entry);
    }
    return entries;
  }

  write(events, now, isFinal = false) {
    try {
      const directory = path.dirname(this.file);
      if (this.trace === null) {
        fs.mkdirSync(directory, { recursive: true });
        this.trace = fs.openSync(path.join(directory, ".pipeline_events.jsonl"), created | O_APPEND, 0o666);
      }
      for (const event of events) fs.writeSync(this.trace, event);
      const temporary = path.join(directory, `.pipeline_status.${process.pid}.${threadID()}`);
      fs.writeFileSync(temporary, this.text(now, isFinal), { flag: created | O_TRUNC });
      fs.renameSync(temporary, this.file);
    } catch (error) {
      if (!this.hasComplained) console.error(`The stage status is not being recorded: ${error.message}`);
      this.hasComplained = true;
    }
  }
}

const status = new PipelineStatus();
export const stage = (name, body, options) => status.stage(name, body, options);
export const begin = (name, options) => status.begin(name, options);
export const end = (span) => status.end(span);
export const finish = () => status.finish();
