// Tries one reader on damaged copies of some files. Benchmarks/fuzz/run.py starts it, and sees to crashes and hangs.
//
//     fuzz READER FIRST COUNT PROGRESS-FILE SEED-FILE...
//     fuzz READER FIRST print /dev/null SEED-FILE... > input
//     fuzz READER 0 undamaged /dev/null FILE...
//     fuzz READER 0 COUNT PROGRESS-FILE --at PATH       a file that another process changes
//     fuzz archive 0 stacks /dev/null FOLDED > stacks.pb.gz
//     fuzz runs 0 runs /dev/null - > runs.jsonl
//     fuzz python PID memory /dev/null - > python-memory
import FrozenProfile
import LinuxSystem
import Measurement
import StackProfile
import TestSupport

let arguments = CommandLine.arguments
guard arguments.count > 5, let reader = Reader(rawValue: arguments[1]), let first = Int(arguments[2]) else {
    try FileDescriptor.write("usage: fuzz READER FIRST COUNT|print PROGRESS-FILE SEED-FILE...\n", to: 2)
    throw SystemError(action: "run without a reader and its seeds", code: 22)
}
let changing = arguments[5] == "--at" && arguments.count > 6 ? arguments[6] : nil
let seeds =
    changing != nil || arguments[5] == "-"
    ? [] : try arguments.dropFirst(5).map { try Files.read($0, limit: 64 << 20) }

/// The input of a number: the same in every run over the same seeds.
func input(_ number: Int) -> [UInt8] {
    var random = SeededGenerator(seed: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    // Few changes reach the inner parts of a format, many its error paths.
    return Mutation.of(seeds, changes: number.isMultiple(of: 4) ? 1...40 : 1...4, using: &random)
}

guard let count = Int(arguments[3]) else {
    switch arguments[3] {
    case "stacks": try FileDescriptor.write(Pprof.write(try FoldedStacks.read(seeds[0]).profile), to: 1)
    case "runs": try FileDescriptor.write(Reader.profileOfManyRuns.encodeRuns(), to: 1)
    case "memory": try FileDescriptor.write(try PythonMemory.record(Int32(first)), to: 1)
    case "undamaged": for seed in seeds { print(reader.accepts(seed) ? "read" : "refused") }
    default: try FileDescriptor.write(input(first), to: 1)
    }
    CurrentProcess.exit(0)
}
let progress = try FileDescriptor.open(arguments[4], .createNew)
var (accepted, slowest, slowestNumber) = (0, Duration.zero, first)
for number in first..<first + count {
    let bytes = changing == nil ? input(number) : []
    // If this process dies, run.py reads which input it died of.
    try progress.write(Array("\(number)\n".utf8))
    // CPU time: a machine that is busy with something else is no hang.
    let start = SystemClock.threadCPU
    if changing.map({ reader.accepts(at: $0) }) ?? reader.accepts(bytes) { accepted += 1 }
    let time = SystemClock.threadCPU - start
    if time > slowest { (slowest, slowestNumber) = (time, number) }
}
let status = String(decoding: try Files.read("/proc/self/status", limit: 1 << 16), as: UTF8.self)
let peak =
    status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(separator: " ").dropFirst().first
    ?? "0"
print("\(accepted) \(slowest.inSeconds.fixed(3)) \(slowestNumber) \(peak)")
