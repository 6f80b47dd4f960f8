import Foundation
import LinuxProcess
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import ProfileFormats

@Suite("Files for other viewers")
struct OutputTests {
    private static func profile() throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let main = Frame("main", module: "app", file: "main.c", line: 3)
        let labels = { (stage: String?, thread: String) in
            SampleLabels(stage: stage.flatMap { StageName($0) }, thread: thread, process: "app")
        }
        let work = Frame("work \"x\" é", module: "libx.so.1")
        try builder.add([main, work], weight: 7, labels: labels("fetch", "one"))
        try builder.add([main], weight: 2, labels: labels("parse", "one"))
        try builder.add([main, work, main, work], weight: 3, labels: labels("fetch", "one"))
        try builder.add([main, .unknown(module: "libx.so.1")], weight: 5, labels: labels("fetch", "two"))
        try builder.add([], weight: 1, labels: labels(nil, "two"))
        return builder.build()
    }

    /// The rules of the format, read from its description, in Python so that no code of ours judges ours.
    private static let firefoxChecker = #"""
        import json, sys
        p = json.load(sys.stdin)
        assert p["meta"]["preprocessedProfileVersion"] == 49 and p["meta"]["interval"] > 0
        assert any(c["color"] == "grey" for c in p["meta"]["categories"])
        totals, stages, heavy = 0, {}, {}
        for t in p["threads"]:
            assert isinstance(t["pid"], str)
            for name in ["samples", "stackTable", "frameTable", "funcTable", "resourceTable", "markers", "nativeSymbols"]:
                table = t[name]
                for column, values in table.items():
                    if isinstance(values, list): assert len(values) == table["length"], (name, column)
            S, K, F, U, R, M = (t[n] for n in ["samples", "stackTable", "frameTable", "funcTable", "resourceTable", "markers"])
            inside = lambda v, n: v is None or 0 <= v < n
            assert all(inside(v, K["length"]) for v in S["stack"])
            assert all(v is None or 0 <= v < i for i, v in enumerate(K["prefix"]))
            assert all(inside(v, F["length"]) and v is not None for v in K["frame"])
            assert all(inside(v, U["length"]) and v is not None for v in F["func"])
            assert all(inside(v, len(t["stringArray"])) and v is not None for v in U["name"] + R["name"] + M["name"])
            assert all(v == -1 or 0 <= v < R["length"] for v in U["resource"])
            assert all(0 <= v < len(p["meta"]["categories"]) for v in K["category"] + F["category"] + M["category"])
            assert S["time"] == sorted(S["time"])
            assert all(a <= b for a, b in zip(M["startTime"], M["endTime"]))
            totals += sum(S["weight"])
            for i in range(M["length"]):
                name = t["stringArray"][M["name"][i]]
                stages[name] = stages.get(name, 0) + round(M["endTime"][i] - M["startTime"][i])
            for stack, weight in zip(S["stack"], S["weight"]):
                if stack is None: continue
                name = t["stringArray"][U["name"][F["func"][K["frame"][stack]]]]
                heavy[name] = heavy.get(name, 0) + weight
        print(totals, json.dumps(stages, sort_keys=True), json.dumps(heavy, sort_keys=True, ensure_ascii=False))
        """#

    private func python(_ program: String, _ input: [UInt8]) throws -> String {
        let directory = try TemporaryDirectory()
        try Data(input).write(to: URL(filePath: "\(directory.path)/in"))
        let result = try runCommand([
            "sh", "-c", "python3 -c \"$1\" < \"$2\"", "sh", program, "\(directory.path)/in",
        ])
        #expect(result.standardError == "")
        return result.standardOutput
    }

    @Test("Firefox: every index in range, totals and stages and functions as they were")
    func firefox() throws {
        let program = Self.firefoxChecker.split(separator: "\n").map(String.init).joined(separator: "\n")
        let said = try python(program, FirefoxProfile.write(try Self.profile()))
        #expect(
            said
                == "18 {\"fetch\": 15, \"parse\": 2} {\"[libx.so.1]\": 5, \"main\": 2, \"work \\\"x\\\" é\": 10}\n"
        )
        #expect(try python(program, FirefoxProfile.write(.empty())) == "0 {} {}\n")
    }

    @Test("Chrome's trace comes back with the same stacks, and its spans are nested")
    func chromeTrace() throws {
        let profile = try Self.profile()
        let bytes = ChromeTraceEvents.write(profile, grouping: .thread, name: "t")
        let input = try bytes.withUnsafeBytes { try StackInput($0) }
        #expect(input.kind == .chromeTrace)
        // A sample is a millisecond here, and one without a stack has no span.
        #expect(input.profile.totalWeight == 17 * 1_000_000)
        func heaviest(_ profile: StackProfile) -> [String] {
            profile.functionCosts().sorted { ($0.selfWeight, $0.function) > ($1.selfWeight, $1.function) }
                .filter { $0.selfWeight > 0 }.map(\.function)
        }
        #expect(heaviest(input.profile) == heaviest(profile))
        let said = try python(
            "import json,sys\nd=json.load(sys.stdin)['traceEvents']\nprint(sum(e['ph']=='X' for e in d), sum(e['ph']=='M' for e in d))",
            bytes)
        #expect(said == "6 3\n")
    }

    @Test("callgrind comes back with the same total and functions")
    func callgrind() throws {
        let profile = try Self.profile()
        let bytes = CallgrindFile.write(profile, exporter: "test")
        let input = try bytes.withUnsafeBytes { try StackInput($0) }
        #expect(input.kind == .callgrind)
        #expect(input.profile.totalWeight == 17)
        let text = String(decoding: bytes, as: UTF8.self)
        // main called work in stacks of 7 and 3; the call within the recursion is no second cost.
        #expect(
            text.contains("cfn=(2) work \"x\" é\ncalls=1 0\n3 10\n")
                || text.contains("cfn=(2)\ncalls=1 0\n3 10\n"))
    }
}
