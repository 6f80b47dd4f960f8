import FrozenProfile
import FunctionAttribution
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileFormats
import StackProfile
import TestSupport
import Testing

/// Real stacks of a real program, in which known changes are switched on.
@Suite("Changes planted in a program")
struct PlantedChangesTests {
    private static let units = "1500000"

    @Test(
        "Thirty percent more in one function, a moved one and a new one are distinguished",
        .timeLimit(.minutes(3)))
    func planted() throws {
        let directory = try TemporaryDirectory()
        let program = "\(directory.path)/planted"
        let source = BuiltProduct.fixture("planted/planted.c")
        let compiled = try runCommand(["gcc", "-O1", "-fno-omit-frame-pointer", "-o", program, source])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        let runs = 9
        var before = StackProfileBuilder(period: .microseconds(200))
        var after = before
        for run in 1...runs {
            // In turn, so that a machine that gets slower gets slower for both.
            try record([program, Self.units], run, in: directory.path, into: &before)
            try record([program, Self.units, "hot=30", "move", "add"], run, in: directory.path, into: &after)
        }
        let result = try AttributionPair(
            before: input("v1", before.build()), after: input("v2", after.build())
        ).attribution(of: nil)
        func function(_ name: String) -> FunctionChange? { result.functions.first { $0.function == name } }
        #expect(result.before.runs == runs && result.after.runs == runs)
        #expect(function("verify")?.label == .new)
        #expect(function("helper")?.label == .moved)
        #expect(function("helper")?.callers == .init(before: "prepare", after: "finish"))
        let hot = try #require(function("hot_loop"))
        #expect(hot.label == .changed, "\(hot)")
        #expect((1.1...1.5).contains(hot.after.own / hot.before.own), "\(hot)")
        // Of what was there before, nothing changed more.
        let known = result.functions.filter { $0.label != .new && $0.label != .gone }
        #expect(known.max { $0.selfChange.magnitude < $1.selfChange.magnitude }?.function == "hot_loop")
    }

    /// The CPU time of a run is what its samples stand for.
    private func input(_ release: String, _ stacks: StackProfile) -> AttributionInput {
        var cpu = AttributionInput.StageCPU(otherwise: .unavailable(reason: "not measured"))
        for sample in stacks.samples {
            guard let run = stacks.labels(of: sample).run else { continue }
            cpu.byRun[run, default: 0] += Double(sample.weight) * 0.0002
        }
        return AttributionInput(release: release, stacks: stacks, stageCPU: [:], totalCPU: cpu)
    }

    private func record(
        _ command: [String], _ run: Int, in directory: String, into builder: inout StackProfileBuilder
    ) throws {
        let file = "\(directory)/stacks.pb.gz"
        let result = try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "sample", "--sampler", "native", "--rate", "5000", "-o",
                file,
                "--",
            ] + command)
        try #require(result.status == .code(0), "\(result.standardError)")
        let stacks = try Files.read(file, limit: 1 << 24).withUnsafeBytes { try StackInput($0) }.profile
        for sample in stacks.samples {
            try builder.add(
                stacks.frames(of: sample), weight: sample.weight, labels: SampleLabels(run: "s1/\(run)"))
        }
    }
}
