import LinuxProcess
import LinuxSystem
import Measurement
import StackSampler
import TestSupport
import Testing

/// Shares held against the target's own clock, and against what perf says. Benchmarks/sampler/truth.py does the same for
/// longer.
@Suite(.serialized) struct TruthTests {
    private static let functions = ["seventy", "twenty", "ten"]

    /// The mean of some differences, and how far it may be from the truth by chance.
    private func interval(_ values: [Double], quantile: Double) -> (mean: Double, halfWidth: Double) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        return (mean, quantile * (variance / count).squareRoot())
    }

    @Test("Over thirty runs the shares of three functions are what the program itself measured")
    func thirtyRuns() throws {
        let fixture = try NativeFixture("clocked-shares")
        var differences: [String: [Double]] = [:]
        var truths: [String: [Double]] = [:]
        for _ in 0..<30 {
            let run = try fixture.sample(["2"])
            let spent = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
            try #require(spent.count == 3)
            let leaves = run.profile.samples.map { run.names($0).first ?? "" }
                .filter { Self.functions.contains($0) }
            try #require(leaves.count > 40)
            for (function, time) in zip(Self.functions, spent) {
                let share = Double(leaves.count { $0 == function }) / Double(leaves.count)
                let truth = time / spent.reduce(0, +)
                differences[function, default: []].append(share - truth)
                truths[function, default: []].append(truth)
            }
        }
        try fixture.remove()
        for function in Self.functions {
            // Student's t with 29 degrees of freedom: 2.76 for the interval of 99 %, which three true values would leave
            // once in 34 test runs. This one, of 99.99 %, they leave once in 3,300.
            let (mean, halfWidth) = interval(differences[function] ?? [], quantile: 4.53)
            #expect(abs(mean) <= halfWidth, "\(function) is off by \(mean), more than \(halfWidth)")
            // Narrow enough: an error of six hundredths would be found.
            #expect(halfWidth < 0.06)
            #expect(abs(mean + 0.06) > halfWidth && abs(mean - 0.06) > halfWidth)
        }
    }

    /// Whether `perf record` works here: there is none for every kernel, and containers refuse it.
    private static let perf: String? = {
        guard let program = Programs.path(of: "perf") else { return nil }
        do {
            let tried = try NativeFixture.output([
                program, "record", "-q", "-e", "cpu-clock:u", "-o", "/dev/null", "true",
            ])
            return tried.status == .code(0) ? program : nil
        } catch {
            return nil
        }
    }()

    @Test(
        "Self time agrees with perf record --call-graph dwarf on the same process at the same time",
        .enabled(if: perf != nil, "perf record does not work on this machine"))
    func agreement() throws {
        let perf = try #require(Self.perf)
        let fixture = try NativeFixture("clocked-shares")
        // On a busy machine perf takes so long to begin that little is left to see; then the target works longer.
        var (ours, theirs): ([String], [String]) = ([], [])
        for work in [40, 160, 640] where theirs.count <= 800 {
            (ours, theirs) = try sampledTogether(fixture, work, perf)
        }
        try fixture.remove()
        try #require(ours.count > 800 && theirs.count > 800)
        let distance = totalVariation(ours, theirs)
        #expect(distance < 0.03, "\(distance) of \(ours.count) and \(theirs.count) samples")
        // The measure can fail: with one function's samples given to another it is large.
        #expect(totalVariation(ours.map { $0 == "ten" ? "twenty" : $0 }, theirs) > 0.05)
    }

    /// The functions on the CPU, as this sampler and as perf see the same process.
    private func sampledTogether(
        _ fixture: NativeFixture, _ work: Int, _ perf: String
    ) throws -> (ours: [String], theirs: [String]) {
        let data = Files.directory(of: fixture.path) + "/perf.data"
        var child = try ChildProcess.start(quiet([fixture.path, "\(work)"]))
        let sampler = try PerfSampler.attach(toRunning: child.pid)
        var recorder = try ChildProcess.start(
            quiet([
                perf, "record", "-q", "-F", "997", "-e", "cpu-clock:u", "--call-graph", "dwarf,8192", "-p",
                "\(child.pid)", "-o", data,
            ]))
        _ = try child.wait(timeout: .seconds(60))
        _ = try recorder.wait(timeout: .seconds(20))
        let run = SampledRun(profile: sampler.finish(), fixture: fixture, output: "", status: .code(0))
        return (run.profile.samples.map { run.names($0).first ?? "" }, try leaves(of: data, perf))
    }

    private func quiet(_ arguments: [String]) -> ChildRequest {
        var request = ChildRequest(arguments)
        request.standardInput = .null
        request.standardOutput = .null
        request.standardError = .null
        return request
    }

    /// The function at the end of each stack that `perf script` prints: a blank line after each, the leaf first.
    private func leaves(of data: String, _ perf: String) throws -> [String] {
        let text = try runCommand([perf, "script", "-i", data, "-F", "comm,ip,sym"]).standardOutput
        return text.split(separator: "\n\n").compactMap { block in
            let lines = block.split(separator: "\n")
            guard lines.count > 1 else { return nil }
            let name = lines[1].split { $0 == " " || $0 == "\t" }.dropFirst().joined(separator: " ")
            return Self.functions.contains(name) || name == "main" ? name : "[elsewhere]"
        }
    }

    /// Half the sum of the differences of shares: the part of all samples that would have to change function.
    private func totalVariation(_ ours: [String], _ theirs: [String]) -> Double {
        func shares(_ names: [String]) -> [String: Double] {
            var shares: [String: Double] = [:]
            for name in names {
                let known = Self.functions.contains(name) || name == "main" ? name : "[elsewhere]"
                shares[known, default: 0] += 1 / Double(names.count)
            }
            return shares
        }
        let (left, right) = (shares(ours), shares(theirs))
        return Set(left.keys).union(right.keys).reduce(0) {
            $0 + abs((left[$1] ?? 0) - (right[$1] ?? 0)) / 2
        }
    }
}
