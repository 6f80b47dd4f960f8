import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import StackProfile

/// Our pprof files as Go's own reader sees them.
@Suite("go tool pprof")
struct GoToolTests {
    private static let go: String? =
        ["go", "/usr/lib/go/bin/go", "/usr/lib/go-1.19/bin/go"].lazy.compactMap { Programs.path(of: $0) }
        .first

    /// What the first release froze.
    private static let archive =
        Files.directory(of: Files.directory(of: Files.directory(of: #filePath)))
        + "/data/profiles/v0.1.0.stacks.pb.gz"

    private static func profile() throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let main = Frame("main", module: "app", file: "main.c", line: 3)
        func labels(_ stage: String) -> SampleLabels {
            SampleLabels(stage: StageName(stage), thread: "worker 1", process: "app")
        }
        try builder.add(
            [main, Frame("std::vector<int, A>::push(int)", module: "libx.so")], weight: 70,
            labels: labels("fetch"))
        try builder.add([main, Frame("store")], weight: 29, labels: labels("store"))
        try builder.add([main], weight: 1, labels: labels("fetch"))
        return builder.build()
    }

    private static func pprof(_ option: String, _ profile: StackProfile) throws -> String {
        try pprof(option, of: Pprof.write(profile))
    }

    private static func pprof(_ option: String, of bytes: [UInt8]) throws -> String {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/p.pb.gz"
        try Files.replace(file, with: bytes)
        let result = try runCommand(
            [try #require(go), "tool", "pprof", option, file],
            environment: ["HOME": directory.path, "PPROF_TMPDIR": directory.path])
        try #require(result.status == .code(0), "\(result.standardError)")
        return result.standardOutput
    }

    @Test("agrees on totals, functions with their arguments, and labels", .enabled(if: go != nil))
    func agrees() throws {
        let profile = try Self.profile()
        let top = try Self.pprof("-top", profile)
        #expect(top.contains("Showing nodes accounting for 100, 100% of 100 total"))
        for cost in profile.functionCosts() {
            let line = top.split(separator: "\n").first { $0.hasSuffix("  \(cost.function)") }
            let fields = line?.split(separator: " ").map(String.init) ?? []
            #expect(fields.first == "\(cost.selfWeight)", "\(top)")
            #expect(fields.count > 3 && fields[3] == "\(cost.totalWeight)")
        }
        let raw = try Self.pprof("-raw", profile)
        #expect(raw.contains("samples/count"))
        #expect(raw.contains("Period: 1000000"))
        let values = raw.split(separator: "\n").compactMap { line -> Int64? in
            let fields = line.split(separator: ":")
            guard line.hasPrefix("   "), fields.count == 2, !line.contains("[") else { return nil }
            return Int64(fields[0].filter { $0 != " " })
        }
        #expect(values.filter { [70, 29, 1].contains($0) }.reduce(0, +) >= profile.totalWeight)
        let tags = try Self.pprof("-tags", profile)
        #expect(tags.contains("71.0 (71.00%): fetch"))
        #expect(tags.contains("29.0 (29.00%): store"))
        #expect(tags.contains("100.0 (  100%): worker 1"))
    }

    @Test("names the program first, and finds all of a frozen archive", .enabled(if: go != nil))
    func frozenArchive() throws {
        let bytes = try Files.read(Self.archive, limit: 64 << 20)
        let profile = try Pprof.read(bytes)
        #expect(profile.heaviestProgram == "podcast-scraper")
        // What is written anew is what Go's reader finds in both.
        for archive in [bytes, Pprof.write(profile)] {
            let top = try Self.pprof("-top", of: archive)
            #expect(top.contains("of \(profile.totalWeight) total"))
            let heaviest = try #require(profile.functionCosts().max { $0.selfWeight < $1.selfWeight })
            let first = top.split(separator: "\n").first { $0.hasSuffix("  \(heaviest.function)") }
            #expect(first?.split(separator: " ").first.map(String.init) == "\(heaviest.selfWeight)", "\(top)")
        }
        #expect(try Self.pprof("-top", of: Pprof.write(profile)).hasPrefix("File: podcast-scraper\n"))
    }
}
