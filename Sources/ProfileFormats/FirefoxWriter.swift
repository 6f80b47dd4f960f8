internal import Measurement
public import StackProfile

/// Profiles as the Firefox Profiler opens them (docs/formats/firefox.md): version 49 of its processed format.
///
/// Samples of an aggregated profile keep no time. They are laid one after the other, stage by stage, each as long as its
/// weight; stages are markers over theirs.
public enum FirefoxProfile {
    /// What is said about a profile beyond its stacks.
    public struct Options: Sendable {
        /// The title.
        public var name = "profile"
        /// The program that wrote it, with its version.
        public var exporter = "freeze-profile"

        /// The defaults.
        public init() {}
    }

    /// Writes a file with a thread for each thread of the profile. The same profile gives the same bytes.
    public static func write(_ profile: StackProfile, options: Options = Options()) -> [UInt8] {
        var json = JSONWriter()
        let scale = TimeScale(profile)
        let threads = Self.threads(of: profile)
        json.object { file in
            file.key("meta")
            file.object { meta in Self.writeMeta(&meta, options, profile, scale) }
            for name in ["libs", "pages", "profilerOverhead", "counters"] {
                file.key(name)
                file.array { _ in }
            }
            file.key("threads")
            file.array { list in
                for (index, thread) in threads.enumerated() {
                    list.object { entry in
                        FirefoxThread(profile, thread, scale).write(
                            &entry, index: index, product: options.name)
                    }
                }
            }
        }
        return json.bytes + [0x0A]
    }

    /// Samples of one thread.
    struct Thread {
        var name: String
        var process: String
        var samples: [StackProfile.Sample] = []
    }

    private static func threads(of profile: StackProfile) -> [Thread] {
        var threads: [Thread] = []
        var known: [SampleLabels: Int] = [:]
        for sample in profile.samples where sample.weight > 0 {
            let labels = profile.labels(of: sample)
            let key = SampleLabels(thread: labels.thread, process: labels.process)
            let index = known[key] ?? threads.count
            if known.updateValue(index, forKey: key) == nil {
                threads.append(
                    Thread(name: labels.thread ?? "all threads", process: labels.process ?? "all processes"))
            }
            threads[index].samples.append(sample)
        }
        if threads.isEmpty { threads = [Thread(name: "no samples", process: "no samples")] }
        return threads.map { thread in
            // Stage by stage, in order of first appearance, so that a stage is one marker.
            var order: [String: Int] = [:]
            for sample in thread.samples {
                let stage = profile.labels(of: sample).stage?.text ?? ""
                if order[stage] == nil { order[stage] = order.count }
            }
            var thread = thread
            thread.samples = thread.samples.enumerated().sorted { one, other in
                let stages = [one, other].map { order[profile.labels(of: $0.element).stage?.text ?? ""] ?? 0 }
                return (stages[0], one.offset) < (stages[1], other.offset)
            }.map(\.element)
            return thread
        }
    }

    /// How much time, in nanoseconds, a unit of weight is.
    struct TimeScale {
        let nanoseconds: Int64
        /// What weights are, in the Firefox Profiler's words.
        let weightType: String
        /// A weight in that type.
        let weight: @Sendable (Int64) -> String

        init(_ profile: StackProfile) {
            switch profile.unit {
            case .nanoseconds:
                (nanoseconds, weightType) = (1, "tracing-ms")
                weight = { milliseconds($0) }
            case .bytes:
                (nanoseconds, weightType) = (1, "bytes")
                weight = { String($0) }
            case .samples, .instructions, .counts:
                let period = profile.period?.inNanoseconds ?? 1_000_000
                nanoseconds =
                    profile.totalWeight <= StackProfile.weightLimit / max(period, 1) ? max(period, 1) : 1
                weightType = "samples"
                weight = { String($0) }
            }
        }
    }

    /// Nanoseconds as the milliseconds of the format.
    static func milliseconds(_ nanoseconds: Int64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        guard rest != 0 else { return String(whole) }
        var digits = String(rest)
        digits = String(repeating: "0", count: 6 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// The categories: what the colours of the picture distinguish.
    static let categories = [
        (name: "Other", color: "grey"), (name: "Program", color: "blue"), (name: "Library", color: "green"),
        (name: "Kernel", color: "orange"), (name: "Unknown", color: "darkgrey"),
        (name: "Stage", color: "purple"),
    ]

    /// The category of a frame.
    static func category(of frame: Frame) -> Int64 {
        if frame.isUnknown || frame.isTruncationMarker { return 4 }
        guard let module = frame.module else { return frame.function.hasSuffix("_[k]") ? 3 : 0 }
        if module.hasPrefix("[kernel") || module.hasSuffix(".ko") { return 3 }
        return module.contains(".so") ? 2 : 1
    }

    private static func writeMeta(
        _ meta: inout JSONWriter, _ options: Options, _ profile: StackProfile, _ scale: TimeScale
    ) {
        meta.key("interval")
        meta.literal(milliseconds(max(1, profile.period?.inNanoseconds ?? 1_000_000)))
        meta.field("startTime", 0)
        meta.field("product", PlainText.sanitized(options.name, maximumCharacters: 128))
        meta.field("importedFrom", options.exporter)
        meta.field("version", 24)
        meta.field("preprocessedProfileVersion", 49)
        meta.field("processType", 0)
        meta.field("stackwalk", 1)
        for name in [
            "symbolicated", "usesOnlyOneStackType", "doesNotUseFrameImplementation",
            "sourceCodeIsNotOnSearchfox",
        ] {
            meta.key(name)
            meta.literal("true")
        }
        meta.key("debug")
        meta.literal("false")
        meta.key("extensions")
        meta.literal("{\"length\":0,\"baseURL\":[],\"id\":[],\"name\":[]}")
        meta.key("sampleUnits")
        meta.literal("{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"µs\"}")
        meta.key("pausedRanges")
        meta.array { _ in }
        meta.key("categories")
        meta.array { list in
            for category in categories {
                list.object { entry in
                    entry.field("name", category.name)
                    entry.field("color", category.color)
                    entry.key("subcategories")
                    entry.array { $0.string("Other") }
                }
            }
        }
        meta.key("markerSchema")
        meta.literal(
            "[{\"name\":\"stage\",\"display\":[\"timeline-overview\",\"marker-chart\",\"marker-table\"],"
                + "\"tooltipLabel\":\"{marker.data.name}\",\"tableLabel\":\"{marker.data.name}\","
                + "\"chartLabel\":\"{marker.data.name}\",\"data\":[{\"key\":\"name\",\"label\":\"Stage\",\"format\":\"string\"},"
                + "{\"key\":\"weight\",\"label\":\"Weight\",\"format\":\"string\"}]}]")
    }
}
