import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("pprof profiles")
struct PprofTests {
    private func sample() throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let main = Frame("main", module: "tool", file: "main.swift", line: 3)
        let work = Frame("std::foo<int>(char const*)", module: "libx.so", file: "foo.cc", line: 12)
        let labels = SampleLabels(
            stage: .transcription, thread: "worker 7", process: "42", state: "running",
            run: "s1/4")
        try builder.add([main, work], weight: 5, labels: labels)
        try builder.add([main, work, .unknown(module: "libc.so.6")], weight: 70)
        try builder.add([.truncationMarker, Frame("g", traits: .guessed)], weight: 900, labels: labels)
        return builder.build()
    }

    @Test("A profile written and read again is the same")
    func roundTrip() throws {
        let profile = try sample()
        let again = try Pprof.read(Pprof.write(profile))
        #expect(again.unit == .samples)
        #expect(again.period == .milliseconds(1))
        #expect(again.samples.map(\.weight) == profile.samples.map(\.weight))
        #expect(again.samples.map { again.labels(of: $0) } == profile.samples.map { profile.labels(of: $0) })
        #expect(again.samples.map { again.frames(of: $0) } == profile.samples.map { profile.frames(of: $0) })
        #expect(Pprof.write(again).count == Pprof.write(profile).count)
        #expect(Pprof.write(profile) == Pprof.write(profile))
    }

    @Test("Random profiles come back whole")
    func randomRoundTrips() throws {
        var random = SeededGenerator(seed: 3)
        for unit in [WeightUnit.samples, .nanoseconds] {
            var builder = StackProfileBuilder(unit: unit)
            for _ in 0..<3000 {
                let frames = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                    Frame(
                        "f\(Int.random(in: 0..<50, using: &random))",
                        module: [nil, "a", "b"].randomElement(using: &random) ?? nil,
                        file: "x.c", line: [nil, 1, 2].randomElement(using: &random) ?? nil)
                }
                try builder.add(frames, weight: .random(in: 0...1 << 30, using: &random))
            }
            let profile = builder.build()
            let again = try Pprof.read(Pprof.write(profile))
            #expect(again.unit == unit)
            #expect(again.functionCosts() == profile.functionCosts())
            #expect(
                FoldedStacks.write(again, detail: .functionAndLine)
                    == FoldedStacks.write(profile, detail: .functionAndLine))
        }
    }

    @Test("Go's pprof reads what we write", .enabled(if: Self.goTool != nil, "golang-go is not installed"))
    func goReadsIt() throws {
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/freeze-pprof-")
        defer { #expect(throws: Never.self) { try Files.removeTree(directory) } }
        try Files.replace("\(directory)/p.pb.gz", with: Pprof.write(try sample(), duration: .seconds(2)))
        let output = try FileDescriptor.open("\(directory)/raw", .createNew)
        var request = ChildRequest([Self.goTool ?? "", "-raw", "\(directory)/p.pb.gz"])
        request.standardOutput = .descriptor(output.rawValue)
        request.environment = ["HOME": directory, "PPROF_TMPDIR": directory]
        var child = try ChildProcess.start(request)
        let status = try child.wait(timeout: .seconds(30))?.status.shellCode
        #expect(status == 0)
        let raw = String(decoding: try Files.read("\(directory)/raw", limit: 1 << 20), as: UTF8.self)
        #expect(raw.contains("samples/count"))
        #expect(raw.contains("Period: 1000000"))
        #expect(raw.contains("Duration: 2s"))
        #expect(raw.contains("stage:[transcription]"))
        #expect(raw.contains("std::foo<int>(char const*) foo.cc:12"))
        #expect(raw.firstRange(of: #/(?m)^ +70: 3 1 2 *$/#) != nil, "\(raw)")
    }

    private static let goTool = [
        "/usr/lib/go/pkg/tool/linux_amd64/pprof", "/usr/lib/go-1.19/pkg/tool/linux_amd64/pprof",
        CurrentProcess.environmentVariable("GO_PPROF") ?? "",
    ].first { Files.isExecutable($0) }

    @Test("Profiles of every size up to many chunks of zlib's come back whole")
    func sizes() throws {
        var random = SeededGenerator(seed: 8)
        for count in [0, 1, 100, 20_000] {
            var builder = StackProfileBuilder()
            for _ in 0..<count {
                try builder.add([Frame("\(UInt64.random(in: 0 ... .max, using: &random))")])
            }
            #expect(try Pprof.read(Pprof.write(builder.build())).samples.count == count)
        }
    }

    @Test("Damaged files are refused in a sentence")
    func damage() throws {
        let good = Pprof.write(try sample())
        #expect(throws: Pprof.ReadError.damagedGzip) { try Pprof.read(Array(good.dropLast(12))) }
        #expect(throws: Pprof.ReadError.malformed) { try Pprof.read(Array("main 1\n".utf8)) }
        #expect(throws: Pprof.ReadError.malformed) { try Pprof.read([]) }
        // sample_type {type 1, unit 2}; strings "", "alloc", "bytes".
        let bytes: [UInt8] =
            [10, 4, 8, 1, 16, 2, 50, 0, 50, 5] + Array("alloc".utf8) + [50, 5] + Array("bytes".utf8)
        #expect(try Pprof.read(bytes).unit == .bytes)
        #expect(throws: Pprof.ReadError.noSampleType("cpu", known: ["alloc"])) {
            try Pprof.read(bytes, sampleType: "cpu")
        }
        #expect(
            Pprof.ReadError.noSampleType("cpu", known: ["alloc"]).description
                == "It has no samples of type 'cpu'; it has alloc.")
        // A sample with a location that is not there.
        let dangling: [UInt8] =
            [10, 4, 8, 1, 16, 2, 18, 4, 8, 9, 16, 1, 50, 0, 50, 1, 0x73, 50, 5] + Array("count".utf8)
        #expect(throws: Pprof.ReadError.inconsistent("a location is missing")) { try Pprof.read(dangling) }
    }

    @Test("100,000 mutated messages: none crashes")
    func fuzz() throws {
        var random = SeededGenerator(seed: 99)
        let good = try Self.uncompressed()
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            do throws(Pprof.ReadError) {
                let profile = try Pprof.read(bytes)
                accepted += 1
                #expect(profile.totalWeight >= 0)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(accepted > 0)
    }

    /// A profile as a message without gzip: a type, two samples, two locations, a function.
    private static func uncompressed() throws -> [UInt8] {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(content.count)] + content
        }
        return field(1, [8, 1, 16, 2]) + field(2, [10, 2, 1, 2, 18, 1, 5] + field(3, [8, 4, 16, 3]))
            + field(2, [8, 2, 16, 7]) + field(3, [8, 1, 40, 3])
            + field(4, [8, 1, 16, 1] + field(4, [8, 1, 16, 9]))
            + field(4, [8, 2] + field(4, [8, 1])) + field(5, [8, 1, 16, 3, 32, 3]) + field(6, [])
            + field(6, Array("samples".utf8)) + field(6, Array("count".utf8)) + field(6, Array("main".utf8))
            + field(6, Array("stage".utf8)) + [96, 5]
    }
}
