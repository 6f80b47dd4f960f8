import Measurement
import Testing

@testable import Metrics

@Suite("The catalogue of metrics")
struct CatalogueTests {
    @Test("Every metric has its entry, at its own place, with keys that no other has")
    func entries() {
        #expect(Metric.catalogue.map(\.metric) == Metric.allCases)
        #expect(Set(Metric.allCases.map(\.runKey)).count == Metric.allCases.count)
        #expect(Set(Metric.allCases.map(\.title)).count == Metric.allCases.count)
    }

    @Test("The unit is in the key, so that a file can be read without the catalogue")
    func units() {
        let endings: [MetricUnit: String] = [
            .seconds: "_s", .mebibytes: "_mb", .bytes: "_bytes", .percent: "_pct",
        ]
        for metric in Metric.allCases {
            guard let ending = endings[metric.unit] else {
                #expect(!endings.values.contains { metric.key.hasSuffix($0) }, "\(metric)")
                continue
            }
            #expect(metric.key.hasSuffix(ending) && metric.runKey.hasSuffix(ending), "\(metric)")
        }
    }

    @Test("What is judged can be judged: it is measured, and not computed from other metrics")
    func judged() {
        #expect(Metric.judged == [.wall, .cpu, .peakResident])
        #expect(Metric.judged.allSatisfy { $0.valueClass != .derived })
    }

    @Test("A metric that was not requested is unavailable, never zero")
    func unknown() {
        var readings = MetricReadings([.instructions: .value(3)])
        #expect(readings[.minorFaults] == .unavailable(reason: "not recorded"))
        readings[.wall] = .value(1)
        #expect(readings.metrics == [.wall, .instructions])
        readings.remove(.wall)
        #expect(readings.metrics == [.instructions])
    }
}
