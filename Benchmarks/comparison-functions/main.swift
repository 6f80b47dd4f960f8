// Prints how long the parts of an explained comparison take, makes versions for `history`, and reports how often planted
// changes are found. See README.md beside this file.
import FlameGraph
import FrozenProfile
internal import FunctionAttribution
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileFormats
import StackProfile

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "stacks": try Stacks.run()
case "history" where words.count == 4:
    try Versions.write(into: words[1], count: Int(words[2]) ?? 0, runs: Int(words[3]) ?? 0)
case "detection" where words.count == 2: try Detection.run(directory: words[1])
case "few-runs": try FewRuns.run(comparisons: words.count > 1 ? Int(words[1]) ?? 0 : 200)
default:
    print(
        "usage: attribution-benchmark stacks | history DIR VERSIONS RUNS | detection DIR | few-runs [COMPARISONS]"
    )
}

/// Random numbers that are the same in every run.
struct Random {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = SystemClock.monotonicNanoseconds
    try work()
    return Double(SystemClock.monotonicNanoseconds - start) / 1e9
}

/// Two archives of a million samples each: 10 runs, 12 stages, stacks of 20 to 40 frames from 3,000 functions.
enum Stacks {
    static func archive(_ seed: UInt64) throws -> [UInt8] {
        var random = Random(state: seed)
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let frames = (0..<3000).map { builder.id(of: Frame("function_\($0)", module: "module_\($0 % 12)")) }
        // A tree of callers, so that stacks share their beginnings as real ones do.
        var stacks: [StackID] = []
        for _ in 0..<20_000 {
            var stack = StackID.empty
            for depth in 0..<(20 + random.below(20)) {
                let choices = depth < 12 ? 2 : depth < 16 ? 5 : 3
                stack = builder.stack(
                    under: stack, frames[(depth * 97 + random.below(choices) * 31) % frames.count])
            }
            stacks.append(stack)
        }
        let labels = (0..<10).flatMap { run in
            (0..<12).map {
                builder.id(of: SampleLabels(stage: StageName("stage_\($0)"), thread: "t", run: "s1/\(run)"))
            }
        }
        for _ in 0..<1_000_000 {
            try builder.add(stacks[random.below(stacks.count)], labels: labels[random.below(labels.count)])
        }
        return Pprof.write(builder.build())
    }

    static func input(_ release: String, _ bytes: [UInt8]) throws -> AttributionInput {
        let stacks = try bytes.withUnsafeBytes { try StackInput($0) }.profile
        let cpu = AttributionInput.StageCPU(otherwise: .value(10))
        var stages: [StageName: AttributionInput.StageCPU] = [:]
        for label in stacks.labelSets { label.stage.map { stages[$0] = cpu } }
        return AttributionInput(release: release, stacks: stacks, stageCPU: stages, totalCPU: cpu)
    }

    static func run() throws {
        let files = (try archive(1), try archive(2))
        print("archives: \(files.0.count / 1024) and \(files.1.count / 1024) KiB, 1,000,000 samples each")
        var inputs: (AttributionInput, AttributionInput)?
        let cpu = SystemClock.processCPU
        let reading = try seconds { inputs = (try input("v1", files.0), try input("v2", files.1)) }
        let readingCPU = (SystemClock.processCPU - cpu).inSeconds
        guard let (before, after) = inputs else { return }
        print("samples as stored: \(before.stacks.samples.count) and \(after.stacks.samples.count)")
        print(
            "reading both: \(reading.fixed(2)) s, \(readingCPU.fixed(2)) of them CPU time; one after the other, where 'diff' "
                + "reads both at once")
        var made: AttributionPair?
        let joining = try seconds { made = try AttributionPair(before: before, after: after) }
        guard let pair = made else { return }
        print("one tree of both: \(joining.fixed(2)) s")
        var one = 0.0
        for stage in pair.stages.prefix(1) { one = try seconds { _ = try pair.attribution(of: stage) } }
        let whole = try seconds { _ = try pair.attribution(of: nil) }
        print("a stage: \(one.fixed(2)) s; the whole run: \(whole.fixed(2)) s")
        let picture = seconds {
            _ = DifferentialSVG.render(
                DifferentialLayout(
                    before: .init(name: "v1", profile: before.stacks),
                    after: .init(name: "v2", profile: after.stacks)))
        }
        print("differential flamegraph of all: \(picture.fixed(2)) s")
        print(
            "diff of two archives, the whole run explained: \((reading + joining + whole).fixed(2)) s (budget 3 s)"
        )
    }
}

/// Frozen versions of 30 stages for `freeze-profile history`.
enum Versions {
    static func write(into directory: String, count: Int, runs: Int) throws {
        try Files.createDirectories(directory)
        var random = Random(state: 1)
        for version in 0..<count {
            let sessions = (1...3).map { session in
                Session(
                    id: "s\(session)", startedAt: nil, observed: ObservedEnvironment(),
                    runs: (1...max(1, runs)).map { index in
                        let stages = (0..<30).map { stage in
                            let wall = Double(stage + 1) * (1 + 0.02 * Double(random.below(100)) / 100)
                            return StageRun(
                                stage: StageName("stage_\(stage)") ?? StageName.done, entered: .value(1),
                                workSeconds: .value(wall),
                                use: use(wall))
                        }
                        return Run(
                            index: index, kind: .measured, startedAt: nil, exit: .value(0), use: use(500),
                            stages: stages)
                    })
            }
            let day = version / 28 % 28 + 1
            let profile = FrozenProfile(
                release: "v1.\(version).0",
                date:
                    "20\(10 + version / 784)-\((version % 12 + 1).zeroPadded(to: 2))-\(day.zeroPadded(to: 2))T00:00:00Z",
                datasetID: .value("d"), episodesProcessed: .value(1),
                environment: ProfileEnvironment(
                    identity: EnvironmentIdentity([.cpuModel: .value(.text("x"))]),
                    observed: ObservedEnvironment()),
                captureQuality: nil, recipe: nil, sessions: sessions)
            try Files.replace("\(directory)/v1.\(version).0.yaml", with: profile.encode())
        }
    }

    private static func use(_ wall: Double) -> ResourceUse {
        ResourceUse(
            wallSeconds: .value(wall), cpuSeconds: .value(wall * 0.9), peakResidentMB: .value(100),
            averageCPUPercent: .value(90))
    }
}

/// Recorded runs `before-N.pb.gz` and `NAME-N.pb.gz` of the program with planted changes, compared by their number.
enum Detection {
    static func run(directory: String) throws {
        let files = try Files.names(inDirectory: directory).filter { $0.hasSuffix(".pb.gz") }
        let kinds = Set(files.compactMap { $0.split(separator: "-").first.map(String.init) }).subtracting([
            "before"
        ])
        print(
            "change     runs a side  comparisons  hot_loop first and changed  helper moved  verify new  others named"
        )
        for kind in kinds.sorted() {
            for runs in [5, 8, 12] {
                let before = files.filter { $0.hasPrefix("before-") }.sorted()
                let after = files.filter { $0.hasPrefix(kind + "-") }.sorted()
                var counts = (all: 0, hot: 0, moved: 0, new: 0, others: 0)
                for start in stride(from: 0, through: min(before.count, after.count) - runs, by: runs) {
                    let range = start..<start + runs
                    let result = try AttributionPair(
                        before: input("before", before[range], directory),
                        after: input(kind, after[range], directory)
                    ).attribution(of: nil)
                    counts.all += 1
                    let named = result.functions.filter { $0.label != nil }
                    func label(_ name: String) -> FunctionChange.Label? {
                        named.first { $0.function == name }?.label
                    }
                    let changed = named.filter { $0.label == .changed }
                    if changed.max(by: { $0.selfChange.magnitude < $1.selfChange.magnitude })?.function
                        == "hot_loop"
                    {
                        counts.hot += 1
                    }
                    if label("helper") == .moved { counts.moved += 1 }
                    if label("verify") == .new { counts.new += 1 }
                    counts.others += named.count { !["hot_loop", "helper", "verify"].contains($0.function) }
                }
                print(
                    "\(kind.padded(to: 12))\("\(runs)".leftPadded(to: 10))\("\(counts.all)".leftPadded(to: 13))"
                        + "\("\(counts.hot)".leftPadded(to: 28))\("\(counts.moved)".leftPadded(to: 14))"
                        + "\("\(counts.new)".leftPadded(to: 12))\("\(counts.others)".leftPadded(to: 14))")
            }
        }
    }

    static func input(_ release: String, _ files: ArraySlice<String>, _ directory: String) throws
        -> AttributionInput
    {
        var builder = StackProfileBuilder()
        var cpu = AttributionInput.StageCPU(otherwise: .unavailable(reason: "not measured"))
        for (run, file) in files.enumerated() {
            let stacks = try Files.read("\(directory)/\(file)", limit: 1 << 26).withUnsafeBytes {
                try StackInput($0)
            }.profile
            for sample in stacks.samples {
                try builder.add(
                    stacks.frames(of: sample), weight: sample.weight, labels: SampleLabels(run: "s1/\(run)"))
            }
            // The samples of a CPU clock stand for the CPU time.
            cpu.byRun["s1/\(run)"] = Double(stacks.totalWeight) * (stacks.period?.inSeconds ?? 0)
        }
        return AttributionInput(release: release, stacks: builder.build(), stageCPU: [:], totalCPU: cpu)
    }
}
