// What sampling costs: runs a command under the sampler and prints the sampler's CPU time for each sample.
//
//     swift run -c release sampler-cost [--wall] [--kernel] [--rate HERTZ] [--stack BYTES] COMMAND [ARGUMENT ...]

import LinuxProcess
import LinuxSystem
import Measurement
import StackSampler

struct Options {
    var isWallClock = false
    var cpuTime = SamplerConfiguration()
    var wallClock = WallClockConfiguration()
    var command: [String] = []

    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let option = rest.first, option.hasPrefix("--") {
            rest = rest.dropFirst()
            switch option {
            case "--wall": isWallClock = true
            case "--kernel": cpuTime.includesKernelTime = true
            default:
                guard let number = rest.popFirst().flatMap({ Int($0) }) else { continue }
                if option == "--rate" {
                    cpuTime.rateHertz = number
                    wallClock.rateHertz = number
                } else if option == "--stack" {
                    cpuTime.stackBytes = number
                    wallClock.stackBytes = number
                }
            }
        }
        command = Array(rest)
    }
}

func run(_ options: Options) throws {
    let suspended = try SuspendedChild.prepare(ChildRequest(options.command))
    let before = SystemClock.processCPU
    let profile: RawProfile
    var outcome: ChildProcess.Outcome?
    if options.isWallClock {
        let sampler = try PtraceSampler.attach(to: suspended, options.wallClock)
        var child = try suspended.release()
        while outcome == nil { outcome = try child.wait() }
        profile = sampler.finish()
    } else {
        let sampler = try PerfSampler.attach(to: suspended, options.cpuTime)
        var child = try suspended.release()
        while outcome == nil { outcome = try child.wait() }
        profile = sampler.finish()
    }
    report(profile, outcome, SystemClock.processCPU - before)
}

func report(_ profile: RawProfile, _ outcome: ChildProcess.Outcome?, _ wholeProcess: Duration) {
    let health = profile.health
    let depths = profile.samples.reduce(0) { $0 + profile.stacks[Int($1.stackIndex)].frames.count }
    let count = Double(max(profile.samples.count, 1))
    let weight = profile.samples.reduce(0.0) { $0 + Double($1.weight) }
    let microseconds = health.samplerCPU.inSeconds * 1e6
    let complete = profile.samples.count { profile.stacks[Int($0.stackIndex)].end == .complete }
    let lines = [
        "samples                \(profile.samples.count), \(complete) complete",
        "frames per sample      \((Double(depths) / count).fixed(1))",
        "sampler CPU per sample \((microseconds / count).fixed(2)) us",
        "sampler CPU per frame  \((microseconds / Double(max(depths, 1))).fixed(3)) us",
        "whole process          \((wholeProcess.inSeconds * 1e6 / count).fixed(2)) us per sample",
        "sampled time           \((weight * Double(profile.periodNanoseconds) / 1e9).fixed(3)) s",
        "target CPU             \((outcome?.cpu.inSeconds ?? 0).fixed(3)) s",
        "distinct               \(profile.stacks.count) stacks, \(profile.frames.count) frames, "
            + "\(profile.images.count) images, \(profile.threads.count) threads",
        "health                 \(health)",
    ]
    for line in lines { print(line) }
    var shares: [String: Int] = [:]
    for sample in profile.samples {
        let thread = profile.threads[Int(sample.threadIndex)].threadName
        shares["\(thread)\t\(profile.states[Int(sample.stateIndex)])", default: 0] += Int(sample.weight)
    }
    for (name, weight) in shares.sorted(by: { $0.value > $1.value }).prefix(20) {
        print("\(weight)\t\(name)")
    }
    var failures: [String: Int] = [:]
    for sample in profile.samples {
        let stack = profile.stacks[Int(sample.stackIndex)]
        guard stack.end != .complete, let last = stack.frames.last else { continue }
        let frame = profile.frames[Int(last)]
        let image = frame.imageIndex.map { profile.images[$0].name } ?? "[no file]"
        failures["\(stack.end) at \(image) \(frame.address)", default: 0] += 1
    }
    for (place, count) in failures.sorted(by: { $0.value > $1.value }).prefix(10) {
        print("\(count)\t\(place)")
    }
}

do {
    try run(Options(Array(CommandLine.arguments.dropFirst())))
} catch {
    print("\(error)")
}
