import Compression
import Measurement
import TestSupport
import Testing

@testable import StackProfile

/// Readers of damaged input. `FUZZ_INPUTS=400000 swift test --filter DamagedInput` for a long run.
@Suite("Damaged files of stacks")
struct DamagedInputTests {
    private static func profile() throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        let main = Frame("main", module: "app", file: "main.c", line: 3)
        for index in 0..<12 {
            let labels = SampleLabels(
                stage: StageName("s\(index % 3)"), thread: "t\(index % 2)", process: "app")
            try builder.add(
                [main, Frame("f\(index % 5)", module: "lib"), .unknown(module: "libc")],
                weight: Int64(index + 1), labels: labels)
        }
        return builder.build()
    }

    @Test("folded text gives what could be read, and an account that adds up")
    func folded() throws {
        let samples = [
            FoldedStacks.write(try Self.profile(), detail: .functionAndLine),
            Array(
                "# comment\na;b;c 3\na;b 9007199254740990\n\na;;b 2.5\n[x];0x1f 1\r\n\u{E9};\u{1F600} 4".utf8),
        ]
        var random = SeededGenerator(seed: 0xF01D)
        for _ in 0..<Mutation.inputs {
            let bytes = Mutation.of(samples, using: &random)
            let outcome = try FoldedStacks.read(bytes)
            let report = outcome.report
            #expect(report.samples + report.badLines + report.comments <= report.lines)
            #expect((0...StackProfile.weightLimit).contains(outcome.profile.totalWeight))
            let again = try FoldedStacks.read(FoldedStacks.write(outcome.profile))
            #expect(again.report.badLines == 0)
            guard again.profile.totalWeight == outcome.profile.totalWeight else {
                Issue.record("weights got lost in \(bytes)")
                return
            }
        }
    }

    @Test("a pprof profile is refused, or gives a profile that can be written and read again")
    func pprof() throws {
        let plain = try Gzip.inflated(Pprof.write(try Self.profile()), limit: 1 << 20)
        var random = SeededGenerator(seed: 0x9909)
        var accepted = 0
        for _ in 0..<Mutation.inputs {
            let bytes = Mutation.of([plain], changes: 1...3, using: &random)
            let profile: StackProfile
            do throws(Pprof.ReadError) {
                profile = try Pprof.read(bytes)
            } catch {
                continue
            }
            accepted += 1
            #expect((0...StackProfile.weightLimit).contains(profile.totalWeight))
            // Packing every one would be a test of zlib.
            guard accepted.isMultiple(of: 50) else { continue }
            let again = try Pprof.read(Pprof.write(profile))
            guard again.totalWeight == profile.totalWeight,
                FoldedStacks.write(again) == FoldedStacks.write(profile)
            else {
                Issue.record("not the same again: \(bytes)")
                return
            }
        }
        // A run in which everything is refused at the door tests only the door.
        #expect(accepted > Mutation.inputs / 50)
    }

    @Test("a small file cannot ask for endless stacks")
    func amplification() throws {
        var output = ProtobufWriter()
        output.message(1) {
            $0.number(1, 1)
            $0.number(2, 2)
        }
        for text in ["", "samples", "count", "f"] { output.bytes(6, text.utf8) }
        output.message(5) {
            $0.number(1, 1)
            $0.number(2, 3)
        }
        output.message(4) { location in
            location.number(1, 1)
            for _ in 0..<Pprof.inlineLimit { location.message(4) { $0.number(1, 1) } }
        }
        output.message(2) { sample in
            sample.numbers(1, [UInt64](repeating: 1, count: Pprof.depthLimit + 1))
            sample.numbers(2, [1])
        }
        let bytes = output.encoded
        #expect(bytes.count < 100_000)
        #expect(throws: Pprof.ReadError.self) { try Pprof.read(bytes) }
    }

    @Test("A sample says the same in whatever order and packing its fields stand")
    func shapes() throws {
        func label(_ sample: inout ProtobufWriter, _ key: UInt64, _ text: UInt64) {
            sample.message(3) {
                $0.number(1, key)
                $0.number(2, text)
            }
        }
        // The same two locations, value and labels four times.
        let samples: [(inout ProtobufWriter) -> Void] = [
            { sample in
                sample.numbers(1, [2, 1])
                sample.numbers(2, [7])
                label(&sample, 5, 6)
                label(&sample, 7, 8)
            },
            { sample in
                label(&sample, 5, 6)
                sample.number(1, 2)
                label(&sample, 7, 8)
                sample.number(2, 7)
                sample.number(1, 1)
            },
            { sample in
                sample.numbers(1, [2])
                label(&sample, 5, 6)
                sample.numbers(2, [7])
                label(&sample, 7, 8)
                sample.numbers(1, [1])
            },
            { sample in
                sample.number(1, 2)
                sample.numbers(1, [1])
                label(&sample, 7, 8)
                label(&sample, 5, 6)
                sample.number(2, 7)
            },
        ]
        var output = ProtobufWriter()
        output.message(1) {
            $0.number(1, 1)
            $0.number(2, 2)
        }
        for text in ["", "samples", "count", "main", "work", "stage", "load", "thread", "t1"] {
            output.bytes(6, text.utf8)
        }
        for id in [UInt64(1), 2] {
            output.message(5) {
                $0.number(1, id)
                $0.number(2, 2 + id)
            }
            output.message(4) { location in
                location.number(1, id)
                location.message(4) { $0.number(1, id) }
            }
        }
        for sample in samples { output.message(2, sample) }
        let profile = try Pprof.read(output.encoded)
        #expect(profile.samples.map(\.weight) == [28])
        let only = try #require(profile.samples.first)
        #expect(profile.frames(of: only).map(\.function) == ["main", "work"])
        #expect(profile.labels(of: only) == SampleLabels(stage: StageName("load"), thread: "t1"))
    }
}
