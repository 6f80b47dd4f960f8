import FrozenProfile
import FunctionAttribution
import Measurement
import StackProfile
import TestSupport
import Testing

/// Archives made of known functions, with the noise of real ones: samples are counted at random, and runs differ.
struct StackSamples {
    /// Each path of functions with the seconds a run spends in it.
    var seconds: [[String]: Double]
    var runs = 10
    /// Samples per second.
    var rate = 1000.0
    /// The standard deviation of each path's seconds from run to run, by its mean.
    var spread = 0.02
    var seed: UInt64 = 1
    var release = "v1"
    var sampler = "perf events and libunwind"
    var modules: [String: String] = [:]
    /// The source files of functions that are interpreted, and have no module.
    var files: [String: String] = [:]

    static let stage = "transcription"

    func input(knowsCPU: Bool = true, isLabelled: Bool = true) throws -> AttributionInput {
        var random = SeededGenerator(seed: seed)
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let stage = try #require(StageName(Self.stage))
        var cpu = AttributionInput.StageCPU(otherwise: .unavailable(reason: "not measured"))
        for run in 1...runs {
            let label = "s1/\(run)"
            var total = 0.0
            for (path, mean) in seconds.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let spent = mean * max(0, 1 + spread * random.normal())
                total += spent
                let expected = spent * rate
                let count = max(0, Int64((expected + expected.squareRoot() * random.normal()).rounded()))
                try builder.add(
                    path.map(frame), weight: count,
                    labels: SampleLabels(stage: stage, thread: "main", run: isLabelled ? label : nil))
            }
            if knowsCPU { cpu.byRun[label] = total }
        }
        return AttributionInput(
            release: release, stacks: builder.build(), stageCPU: [stage: cpu], totalCPU: cpu,
            sampler: CaptureQuality.Sampler(
                name: sampler, reason: nil, rateHz: .value(rate), attempted: .value(0), recorded: .value(0),
                lost: .value(0), truncated: .value(0), unwindFailed: .value(0),
                unknownFramesPercent: .value(0)))
    }

    private func frame(_ name: String) -> Frame {
        if name == Frame.unreadPython.function { return .unreadPython }
        // What follows a dash distinguishes two of one name.
        let shown = name.split(separator: "-").first.map(String.init) ?? name
        if let file = files[name] { return Frame(shown, file: file) }
        return Frame(shown, module: modules[name] ?? "pipeline")
    }

    /// The change from these samples to others.
    func attribution(to other: StackSamples, knowsCPU: Bool = true) throws -> Attribution {
        try AttributionPair(before: input(knowsCPU: knowsCPU), after: other.input(knowsCPU: knowsCPU))
            .attribution(of: StageName(Self.stage))
    }
}

extension SeededGenerator {
    /// A number from the standard normal distribution, nearly: the sum of twelve uniform ones.
    mutating func normal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}
