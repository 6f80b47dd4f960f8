import Compression
import Measurement
import Testing

@testable import StackProfile

@Suite("When samples were taken")
struct SampleMomentsTests {
    private static func profile(run: String, times: [Int64]) throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        for (index, time) in times.enumerated() {
            let stack = builder.stack([builder.id(of: Frame("main")), builder.id(of: Frame("f\(index % 3)"))])
            let place = try builder.add(stack, weight: 1, labels: builder.id(of: SampleLabels(thread: "t")))
            builder.moments.append(.init(sample: place, microseconds: time, weight: 1))
        }
        return builder.build().labelled(run: run)
    }

    @Test("stays with the samples through files and merging")
    func roundTrip() throws {
        let one = try Self.profile(run: "s1/1", times: [0, 1003, 2001, 2002, 9_000_000])
        let two = try Self.profile(run: "s1/2", times: [0, 5])
        let both = try Pprof.read(Pprof.write(try one.merged(with: two)))
        #expect(both.moments.count == 7)
        #expect((0..<7).map { both.moments[$0].microseconds } == [0, 1003, 2001, 2002, 9_000_000, 0, 5])
        let names = (0..<7).map { place in
            let sample = both.samples[both.moments[place].sample]
            return "\(both.labels(of: sample).run ?? "") \(both.frames(of: sample).last?.function ?? "")"
        }
        #expect(names == ["s1/1 f0", "s1/1 f1", "s1/1 f2", "s1/1 f0", "s1/1 f1", "s1/2 f0", "s1/2 f1"])
        // Each sample's weight is that of its moments.
        var weights = [Int64](repeating: 0, count: both.samples.count)
        for place in 0..<7 { weights[both.moments[place].sample] += both.moments[place].weight }
        #expect(weights == both.samples.map(\.weight))
    }

    @Test("takes at most 4 bytes a sample in the archive")
    func size() throws {
        var random = SystemRandomNumberGenerator()
        var time: Int64 = 0
        var builder = StackProfileBuilder(period: .milliseconds(1))
        for _ in 0..<100_000 {
            time += .random(in: 950...1055, using: &random)
            let name = "f\(Int.random(in: 0..<40, using: &random) * Int.random(in: 0..<40, using: &random))"
            let place = try builder.add(builder.stack([builder.id(of: Frame(name))]))
            builder.moments.append(.init(sample: place, microseconds: time, weight: 1))
        }
        let timed = Pprof.write(builder.build()).count
        builder.moments = SampleMoments()
        let bytes = Double(timed - Pprof.write(builder.build()).count) / 100_000
        print("\(bytes.fixed(2)) bytes a sample")
        #expect(bytes < 4)
    }

    @Test("is refused where it contradicts the samples")
    func damage() throws {
        func file(_ fill: (inout ProtobufWriter) -> Void) throws -> [UInt8] {
            let plain = try Gzip.inflated(
                Pprof.write(try Self.profile(run: "s1/1", times: [])), limit: 1 << 16)
            var writer = ProtobufWriter()
            writer.message(Pprof.momentsField, fill)
            return plain + writer.encoded
        }
        #expect(throws: Pprof.ReadError.inconsistent("its times are not those of its samples")) {
            try Pprof.read(file { $0.numbers(1, [0]) })
        }
        #expect(throws: Pprof.ReadError.inconsistent("its times are not those of its samples")) {
            try Pprof.read(file { $0.numbers(2, [0]) })
        }
        #expect(try Pprof.read(file { _ in }).moments.isEmpty)
    }
}
