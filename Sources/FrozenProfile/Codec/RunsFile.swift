internal import JSONDocument
internal import Measurement
internal import YAMLDocument

/// The raw values of a profile's runs as lines of JSON: column by column, so that they pack well and a reader needs
/// one stage at a time. `docs/formats/runs.md` describes the lines.
enum RunsFile {
    static let schemaName = "freeze-profile runs"
    static let schemaVersion = SchemaVersion(major: 1, minor: 0)
    /// The most stages of runs in a file, each stage counted once for each run: 2,000 stages and 1,000 runs.
    static let maximumRows = 2_000_000
}

extension FrozenProfile {
    /// Up to so many rows of raw values stand in the profile's own text: a run is a row, and so is each of its stages.
    ///
    /// That is about 5,000 lines and 170 KB, ten stages and twenty runs: beyond it single values are not reviewed.
    public static let maximumInlineRows = 256
    /// The most bytes of the raw values' text that are read; see ``takeRuns(_:name:)``.
    public static let maximumRunsBytes = 512 << 20

    /// How many rows the raw values have: a run is a row, and so is each of its stages.
    public var rows: Int { sessions.reduce(0) { $0 + $1.runs.reduce(0) { $0 + 1 + $1.stages.count } } }

    /// The raw values as the text of the companion ``CompanionKind/runs``: the same runs always as the same bytes.
    public func encodeRuns() -> [UInt8] {
        let runs = sessions.flatMap { session in session.runs.map { (session.id, $0) } }
        let columns = RunsColumns(runs.map(\.1))
        var bytes: [UInt8] = []
        func line(_ mapping: YAMLMapping) {
            bytes += Array(JSONLayout.oneLine(.mapping(mapping)).utf8)
            bytes.append(0x0A)
        }
        line([
            "schema": .text(RunsFile.schemaName), "schema_version": .text(RunsFile.schemaVersion.description),
            "release": .text(release), "runs": .integer(Int64(runs.count)),
            "stages": .integer(Int64(columns.stages.count)),
        ])
        for (number, (session, run)) in runs.enumerated() {
            var mapping: YAMLMapping = ["session": .text(session)]
            for entry in run.frame.entries { mapping[entry.key] = entry.value }
            if let order = columns.order[number] {
                mapping["order"] = .sequence(order.map { .integer(Int64($0)) })
            }
            line(mapping)
        }
        for health in captureQuality?.runs ?? [] { line(["health": health.node]) }
        for stage in columns.stages { columns.write(stage, to: &bytes) }
        return bytes
    }
}

/// The stages of some runs, each with the runs that entered it.
private struct RunsColumns {
    let runs: [Run]
    /// In order of first appearance.
    private(set) var stages: [StageName] = []
    /// By stage, the runs that entered it and the place of the stage in each.
    private var places: [StageName: [(run: Int, place: Int)]] = [:]
    /// For each run whose stages are in another order than ``stages``: its stages' numbers among those of ``stages`` that
    /// it entered.
    private(set) var order: [Int: [Int]] = [:]

    init(_ runs: [Run]) {
        self.runs = runs
        var numbers: [StageName: Int] = [:]
        for (number, run) in runs.enumerated() {
            for (place, stage) in run.stages.enumerated() {
                if numbers[stage.stage] == nil {
                    numbers[stage.stage] = stages.count
                    stages.append(stage.stage)
                }
                places[stage.stage, default: []].append((number, place))
            }
        }
        for (number, run) in runs.enumerated() {
            let sequence = run.stages.map { numbers[$0.stage] ?? 0 }
            let sorted = sequence.sorted()
            guard sequence != sorted else { continue }
            let ranks = Dictionary(uniqueKeysWithValues: zip(sorted, 0...))
            order[number] = sequence.map { ranks[$0] ?? 0 }
        }
    }

    /// Writes the line of a stage.
    func write(_ stage: StageName, to bytes: inout [UInt8]) {
        let entries = (places[stage] ?? []).map { ($0.run, runs[$0.run].stages[$0.place]) }
        bytes += Array("{\"stage\": \(stage.text.asJSON)".utf8)
        func column(_ key: String, _ write: (StageRun, inout [UInt8]) -> Void) {
            bytes += Array(", \"\(key)\": [".utf8)
            for (number, entry) in entries.enumerated() {
                if number > 0 { bytes.append(UInt8(ascii: ",")) }
                write(entry.1, &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        if entries.count != runs.count {
            bytes += Array(", \"runs\": [\(entries.map { "\($0.0)" }.joined(separator: ","))]".utf8)
        }
        column("entered") { $1.append($0.entered.map(Double.init), decimals: 0) }
        for metric in ResourceUse.metrics(ofAny: entries.map(\.1.use)) {
            column(metric.runKey) { $1.append($0.use.asked(metric), decimals: metric.decimals) }
        }
        column("work_s") { $1.append($0.workSeconds, decimals: 6) }
        if entries.contains(where: \.1.isShared) {
            column("shared") { $1 += Array($0.isShared ? "true".utf8 : "false".utf8) }
        }
        bytes += Array("}\n".utf8)
    }
}

extension [UInt8] {
    /// A value with so many decimals at most, the reason why there is none, or `null` for what was not asked for.
    fileprivate mutating func append(_ reading: Reading<Double>?, decimals: Int) {
        switch reading {
        case .value(let value)?: append(value, decimals: decimals)
        case .unavailable(let reason)?: self += Array(reason.asJSON.utf8)
        case nil: self += Array("null".utf8)
        }
    }

    private mutating func append(_ value: Double, decimals: Int) {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard scaled >= 0, scaled < 9_007_199_254_740_992 else {
            // As in the profile's own text: what no decimals can be cut off from is written as it is.
            let number = scaled.magnitude < 9_007_199_254_740_992 ? scaled / scale : value
            return self += Array(number.isFinite ? "\(number)".utf8 : "null".utf8)
        }
        var whole = UInt64(scaled)
        var digits: [UInt8] = []
        var left = decimals
        // The last digits that are zero say nothing.
        while left > 0, whole.isMultiple(of: 10) {
            whole /= 10
            left -= 1
        }
        while left > 0 || whole > 0 || digits.isEmpty || digits.last == UInt8(ascii: ".") {
            digits.append(UInt8(ascii: "0") + UInt8(whole % 10))
            whole /= 10
            left -= 1
            if left == 0 { digits.append(UInt8(ascii: ".")) }
        }
        self += digits.reversed()
    }
}
