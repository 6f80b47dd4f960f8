import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import Stages

/// The value, or the end of this program for wrong usage.
func required<Value>(_ value: Value?) -> Value {
    guard let value else { exit(64) }
    return value
}

/// Does what a list of words says, each `stage:work` with work such as `sleep=200`, `spin=500`, `allocate=64`,
/// `child=300`, `orphan=200`, `crash=3`, `kill=9` or `many=1000`; `a|b:sleep=200` opens two stages at once.
func runPlan(_ words: [String], statusFile: String) {
    let reporter = StatusReporter(location: StatusLocation(statusFile: statusFile)) { print($0) }
    for (index, word) in words.enumerated() {
        let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
        let work = parts[1].split(separator: "=").map(String.init)
        let names = parts[0].split(separator: "|").map { required(StageName($0)) }
        if work[0] == "many" {
            for _ in 0..<required(Int(work[1])) { reporter.stage(names[0]) {} }
            continue
        }
        let episode = EpisodePosition(index: index + 1, total: words.count)
        let outside = Clocks()
        for name in names { reporter.begin(name, episode: episode) }
        let before = Clocks()
        perform(work[0], required(Int(work[1])))
        let after = Clocks()
        for name in names { reporter.end(name, episode: episode) }
        let end = Clocks()
        for name in names {
            record(name, [outside, before, after, end], statusFile: statusFile)
        }
    }
    reporter.finish()
}

/// What this process knows of itself at a moment, without the monitor or the status file.
private struct Clocks {
    let wall = SystemClock.monotonicNanoseconds
    let cpu = SystemClock.processCPU + SystemClock.waitedChildrenCPU
    let wait = ThreadSchedule.ofThread(CurrentProcess.pid, in: CurrentProcess.pid)?.waitNanoseconds ?? 0
    let resident = exactResident()
}

/// Resident memory as the kernel counts it page by page.
private func exactResident() -> Int64 {
    guard let bytes = try? Files.read("/proc/self/smaps_rollup", limit: 1 << 14) else { return 0 }
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Rss:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0) * 1024
}

/// What the step has used by this process's own clocks, as a line of JSON in `STATUS-FILE.oracle`: without and with
/// what it takes to report the stage, which lies on both sides of the stage's edges.
private func record(_ name: StageName, _ clocks: [Clocks], statusFile: String) {
    let (outside, from, to, end) = (clocks[0], clocks[1], clocks[2], clocks[3])
    let fields = [
        "\"stage\":\"\(name.text)\"", "\"wall_s\":\(Double(to.wall - from.wall) / 1e9)",
        "\"cpu_s\":\((to.cpu - from.cpu).inSeconds)", "\"wait_s\":\(Double(to.wait - from.wait) / 1e9)",
        "\"outer_wall_s\":\(Double(end.wall - outside.wall) / 1e9)",
        "\"outer_cpu_s\":\((end.cpu - outside.cpu).inSeconds)", "\"resident_bytes\":\(from.resident)",
    ]
    do {
        try FileDescriptor.open(statusFile + ".oracle", .append)
            .write(Array("{\(fields.joined(separator: ","))}\n".utf8))
    } catch {
        print(error)
    }
}

private func perform(_ work: String, _ amount: Int) {
    switch work {
    case "sleep": SystemClock.sleep(for: .milliseconds(amount))
    case "spin": spin(.milliseconds(amount))
    case "allocate": allocate(mebibytes: amount)
    case "child": runChild(amount)
    case "crash": exit(Int32(amount))
    case "kill": kill(getpid(), Int32(amount))
    default: exit(64)
    }
}

/// Makes this process large, for as long as it lives.
func holdBallast(mebibytes: Int) {
    let size = mebibytes << 20
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        memory != MAP_FAILED
    else { exit(71) }
    memset(memory, 1, size)
}

private func spin(_ duration: Duration) {
    let end = SystemClock.processCPU + duration
    while SystemClock.processCPU < end {}
}

/// Touches so much memory, keeps it for 50 ms and gives it back.
private func allocate(mebibytes: Int) {
    let size = mebibytes << 20
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        memory != MAP_FAILED
    else { exit(71) }
    memset(memory, 1, size)
    SystemClock.sleep(for: .milliseconds(50))
    munmap(memory, size)
}

/// A child that uses so many milliseconds of CPU time.
private func runChild(_ milliseconds: Int) {
    let script = "import time\nwhile time.process_time() < \(Double(milliseconds) / 1000): pass"
    do {
        var child = try ChildProcess.start(ChildRequest(["/usr/bin/python3", "-S", "-c", script]))
        _ = try child.wait()
    } catch {
        print(error)
    }
}
