import Statistics
import TestSupport
import Testing

@Suite("Noise by what lies on the shelf")
struct ShelfVarianceTests {
    private typealias Version = ShelfVariance.Version

    /// Versions of lone sessions at these values.
    private static func lone(_ values: [Double]) -> [Version] { values.map { Version(sessions: [$0]) } }

    @Test("Of lone sessions the variance is von Neumann's: half the mean square of successive differences")
    func successive() throws {
        let values = [0, 0.01, -0.01, 0.02, 0, 0.015, 0.005]
        let found = try #require(ShelfVariance(Self.lone(values)))
        let squares = zip(values.dropFirst(), values).map { ($0 - $1) * ($0 - $1) }
        #expect((found.variance.variance - squares.reduce(0, +) / 6 / 2).magnitude < 1e-15)
        // 2 n^2 / (3 n - 1) of n = 6 differences is 4.2.
        #expect(found.variance.degreesOfFreedom == 4)
        #expect(found.steps == 0 && found.leastVariance == found.variance.variance)
    }

    @Test("A step between versions is no noise, and two kinds that change to and fro are")
    func steps() throws {
        let noise = [0, 0.01, -0.01, 0.02, 0, 0.015, 0.005, 0.01, -0.005]
        let quiet = try #require(ShelfVariance(Self.lone(noise))).variance.variance
        let stepping = noise.enumerated().map { $0.element + 0.3 * Double($0.offset / 3) }
        let found = try #require(ShelfVariance(Self.lone(stepping)))
        #expect(found.steps == 2 && found.variance.variance < 2 * quiet)
        // Every second session of the slow kind: more than a third of all neighbours are far apart.
        let kinds = noise.enumerated().map { $0.element + 0.3 * Double($0.offset % 2) }
        let restless = try #require(ShelfVariance(Self.lone(kinds)))
        #expect(restless.variance.variance > 20 * quiet)
    }

    @Test("What the machine did too is no step of the version")
    func machine() throws {
        let noise = [0, 0.01, -0.01, 0.02, 0, 0.015, 0.005, 0.01, -0.005]
        let levels = noise.indices.map { $0 < 4 ? 0.0 : 0.3 }
        let moved = zip(noise, levels).map { Version(sessions: [$0 + $1], machine: $1) }
        let stayed = zip(noise, levels).map { Version(sessions: [$0 + $1], machine: 0) }
        #expect(try #require(ShelfVariance(stayed)).steps == 1)
        let found = try #require(ShelfVariance(moved))
        #expect(found.steps == 0 && found.variance.variance > 0.005)
    }

    @Test("Few differences show no step, unless sessions within versions show the noise")
    func few() throws {
        #expect(try #require(ShelfVariance(Self.lone([0, 0.3]))).steps == 0)
        #expect(try #require(ShelfVariance(Self.lone([0, 0.01, 0.3, 0.31]))).steps == 0)
        let known = [0.0, 0.3].map { level in
            Version(sessions: [level, level + 0.01, level - 0.01])
        }
        let found = try #require(ShelfVariance(known))
        #expect(found.steps == 1 && (found.variance.variance - 0.0001).magnitude < 1e-12)
        // The old side's own sessions are counted by who compares it.
        #expect(try #require(ShelfVariance(known, own: [1])).variance.degreesOfFreedom == 2)
        #expect(ShelfVariance([]) == nil && ShelfVariance(Self.lone([1])) == nil)
    }

    @Test("Where neighbours differ by more than their sessions do, that is the least that is believed")
    func occasions() throws {
        let levels = [0, 0.03, -0.02, 0.01, 0.04, -0.03, 0]
        let versions = levels.map { Version(sessions: [$0, $0 + 0.002, $0 - 0.002]) }
        let found = try #require(ShelfVariance(versions))
        #expect(found.leastVariance == found.variance.variance && found.leastVariance > 0.001)
        let alike = levels.map { _ in Version(sessions: [0, 0.01, -0.01]) }
        let calm = try #require(ShelfVariance(alike))
        #expect(calm.leastVariance == 0 && calm.variance.degreesOfFreedom > 14)
    }

    @Test(
        "The chance that kinds fall apart as a shelf shows equals the sum over all ways in which they can fall",
        arguments: [
            ([1, 1, 1, 1], 3, 1, 0), ([1, 1, 1, 1], 3, 1, 2), ([2, 1, 3], 1, 2, 1),
            ([3, 2, 2, 1, 1], 4, 2, 1),
        ])
    func kinds(sessions: [Int], old: Int, new: Int, steps: Int) {
        func power(_ base: Double, _ exponent: Int) -> Double {
            (0..<exponent).reduce(1) { product, _ in product * base }
        }
        var largest = 0.0
        for share in 1..<250 {
            let slow = Double(share) / 250
            var sum = 0.0
            for pattern in 0..<(1 << sessions.count) {
                let isSlow = sessions.indices.map { pattern >> $0 & 1 == 1 }
                let changes = zip(isSlow, isSlow.dropFirst()).count { $0 != $1 }
                guard !isSlow[old], changes <= steps else { continue }
                sum += zip(sessions, isSlow).reduce(power(slow, new)) { product, version in
                    product * power(version.1 ? slow : 1 - slow, version.0)
                }
            }
            largest = max(largest, sum)
        }
        let found = SessionKinds.chance(
            new: new, shelf: SessionKinds.Shelf(sessions: sessions, old: old, steps: steps))
        #expect((found - largest).magnitude < 1e-12)
    }
}
