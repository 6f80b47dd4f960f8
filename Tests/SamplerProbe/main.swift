// Samples a process until it is killed: `sampler-probe perf|ptrace PID HERTZ`. Prints a line once it samples.
import LinuxSystem
import StackSampler

/// Samples for a minute unless it is killed, as it is meant to be.
func sample(_ arguments: [String]) throws {
    guard arguments.count == 3, let processID = Int32(arguments[1]), let rate = Int(arguments[2]) else {
        print("usage: sampler-probe perf|ptrace PID HERTZ")
        return
    }
    let announce = { try FileDescriptor.write("sampling\n", to: 1) }
    if arguments[0] == "perf" {
        var configuration = SamplerConfiguration()
        configuration.rateHertz = rate
        let sampler = try PerfSampler.attach(toRunning: processID, configuration)
        try announce()
        SystemClock.sleep(for: .seconds(60))
        _ = sampler.finish()
    } else {
        var configuration = WallClockConfiguration()
        configuration.rateHertz = rate
        configuration.stopBudget = 1
        let sampler = try PtraceSampler.attach(toRunning: processID, configuration)
        try announce()
        SystemClock.sleep(for: .seconds(60))
        _ = sampler.finish()
    }
}

do {
    try sample(Array(CommandLine.arguments.dropFirst()))
} catch {
    print("\(error)")
}
