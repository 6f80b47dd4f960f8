internal import JSONDocument
internal import Measurement
internal import YAMLDocument

extension FrozenProfile {
    /// Takes the raw values of the runs out of the text of the companion ``CompanionKind/runs``.
    ///
    /// - Parameters:
    ///   - bytes: The companion's content, unpacked.
    ///   - name: The companion's name, for messages.
    public mutating func takeRuns(_ bytes: [UInt8], name: String) throws(ProfileError) {
        var reader = RunsReader(file: name)
        var number = 0
        for line in bytes.split(separator: 0x0A) {
            number += 1
            try reader.take(Array(line), number: number)
        }
        try reader.finish()
        var places: [String: Int] = [:]
        for (place, session) in sessions.enumerated() { places[session.id] = place }
        for place in sessions.indices { sessions[place].runs = [] }
        for (session, run) in zip(reader.sessions, reader.runs) {
            guard let place = places[session] else {
                throw reader.damage(
                    "It has a run of session '\(session)', of which the profile knows nothing.")
            }
            sessions[place].runs.append(run)
        }
        captureQuality?.runs = reader.health
        if let empty = sessions.first(where: \.runs.isEmpty) {
            throw reader.damage("It has no run of session '\(empty.id)'.")
        }
    }
}

/// Puts runs together from the lines of their companion.
private struct RunsReader {
    let file: String
    private(set) var runs: [Run] = []
    /// The session of each run.
    private(set) var sessions: [String] = []
    private(set) var health: [CaptureQuality.RunHealth] = []
    private var orders: [Int: [Int]] = [:]
    private var stages: Set<StageName> = []
    private var expected: (runs: Int, stages: Int)?
    private var rows = 0

    init(file: String) {
        self.file = file
    }

    func damage(_ reason: String) -> ProfileError { .damagedRuns(file: file, reason: reason) }

    mutating func take(_ line: [UInt8], number: Int) throws(ProfileError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.read(line)
        } catch {
            throw damage("Line \(number): \(error.description)")
        }
        guard let object = value.object else { throw damage("Line \(number) is no JSON object.") }
        if expected == nil { return try begin(object) }
        do throws(ProfileError) {
            if let name = object["stage"] {
                try take(stage: name.string, object, line: number)
            } else {
                let fields = try FieldReader(
                    file: file, path: "", node: YAMLNode(value), reasonWhenMissing: "not recorded")
                if let one = try fields.mapping("health") {
                    health.append(try CaptureQuality.RunHealth(fields: one))
                } else {
                    try take(run: fields)
                }
            }
        } catch {
            switch error {
            case .missing(_, let key): throw damage("Line \(number) has no \(key).")
            case .wrongValue(_, let key, let found, let expected):
                throw damage("Line \(number): \(key) is \(found), but should be \(expected).")
            default: throw error
            }
        }
    }

    private mutating func begin(_ object: [String: JSONValue]) throws(ProfileError) {
        guard object["schema"]?.string == RunsFile.schemaName else {
            throw damage("Its first line does not say '\(RunsFile.schemaName)'.")
        }
        let version = object["schema_version"]?.string ?? ""
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }),
            major <= RunsFile.schemaVersion.major
        else {
            throw damage(
                "It has schema '\(version)', and this version of freeze-profile reads up to "
                    + "\(RunsFile.schemaVersion.major).x.")
        }
        func count(_ key: String) -> Int? { object[key]?.number.flatMap { Int(exactly: $0) } }
        guard let runs = count("runs"), let stages = count("stages"), runs >= 0, stages >= 0,
            runs <= RunsFile.maximumRows
        else { throw damage("Its first line does not say how many runs and stages it has.") }
        expected = (runs, stages)
    }

    private mutating func take(run fields: FieldReader) throws(ProfileError) {
        guard stages.isEmpty else { throw damage("A run stands after a stage.") }
        sessions.append(try fields.requiredText("session"))
        if let order = fields.mapping["order"]?.asSequence {
            orders[runs.count] = order.map { Int($0.asInteger ?? -1) }
        }
        runs.append(try Run(fields: fields))
        guard runs.count <= expected?.runs ?? 0 else { throw damage("It has more runs than it says.") }
    }

    /// A stage's columns, a value for each run that entered it.
    private mutating func take(
        stage text: String?, _ object: [String: JSONValue], line: Int
    ) throws(ProfileError) {
        guard let stage = text.flatMap({ StageName($0) }), stages.insert(stage).inserted else {
            throw damage("Line \(line): its stage has no name of its own.")
        }
        let entered = try places(object["runs"], line: line)
        rows += entered.count
        guard rows <= RunsFile.maximumRows else {
            throw damage("It has more than \(RunsFile.maximumRows) stages of runs.")
        }
        let columns = StageColumns(object: object, count: entered.count, file: file, line: line)
        let counts = try columns.readings("entered")
        let work = try columns.readings("work_s")
        let shared = object["shared"]?.array
        var metrics: [(Metric, [Reading<Double>?])] = []
        for metric in Metric.allCases where object[metric.runKey] != nil {
            metrics.append((metric, try columns.readings(metric.runKey)))
        }
        for (place, run) in entered.enumerated() {
            var use = ResourceUse()
            for (metric, column) in metrics {
                if let reading = column[place] { use[metric] = reading }
            }
            runs[run].stages.append(
                StageRun(
                    stage: stage,
                    entered: (counts[place] ?? .unavailable(reason: "not recorded")).flatMap { value in
                        Int(exactly: value).map { .value($0) } ?? .unavailable(reason: "not a whole number")
                    },
                    workSeconds: work[place] ?? .unavailable(reason: "not recorded"), use: use,
                    isShared: shared.map { place < $0.count && $0[place].bool == true } ?? false))
        }
    }

    /// The runs that entered a stage: all, or those listed, each once and in order.
    private func places(_ value: JSONValue?, line: Int) throws(ProfileError) -> [Int] {
        guard let value else { return Array(runs.indices) }
        let places = (value.array ?? []).compactMap { $0.number.flatMap { Int(exactly: $0) } }
        guard let list = value.array, places.count == list.count,
            places.allSatisfy(runs.indices.contains),
            zip(places, places.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw damage("Line \(line): runs should be a list of runs' numbers in order.") }
        return places
    }

    /// Checks that all is there, and puts the stages of runs that had another order into it.
    mutating func finish() throws(ProfileError) {
        guard let expected else { throw damage("It is empty.") }
        guard runs.count == expected.runs, stages.count == expected.stages else {
            throw damage(
                "It has \(runs.count) runs and \(stages.count) stages, but says \(expected.runs) and "
                    + "\(expected.stages).")
        }
        for (run, order) in orders {
            guard order.sorted() == Array(runs[run].stages.indices) else {
                throw damage("The order of the stages of run \(run) is none.")
            }
            runs[run].stages = order.map { runs[run].stages[$0] }
        }
    }
}

/// The columns of a stage's line.
private struct StageColumns {
    let object: [String: JSONValue]
    /// How many values each has.
    let count: Int
    let file: String
    let line: Int

    /// A column's values: nil for what was not asked for.
    func readings(_ key: String) throws(ProfileError) -> [Reading<Double>?] {
        guard let column = object[key]?.array, column.count == count else {
            throw .damagedRuns(
                file: file, reason: "Line \(line): \(key) should be a list of \(count) values.")
        }
        var readings: [Reading<Double>?] = []
        readings.reserveCapacity(count)
        for value in column {
            switch value {
            case .number(let number) where number >= 0: readings.append(.value(number))
            case .string(let reason): readings.append(.unavailable(reason: reason))
            case .null: readings.append(nil)
            default:
                throw .damagedRuns(
                    file: file,
                    reason: "Line \(line): \(key) has a value that is no number of 0 or more and no reason.")
            }
        }
        return readings
    }
}
