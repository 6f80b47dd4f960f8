public import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics
internal import YAMLDocument

extension NoiseLedger {
    /// The schema that is written. Another first number is refused.
    public static let schemaVersion = SchemaVersion(major: 1, minor: 1)
    /// The most bytes of a file.
    public static let maximumBytes = 4 << 20

    /// Why a ledger could not be read: a sentence with the file, the place and the remedy.
    public typealias Refusal = FileRefusal

    /// The file's bytes: the same ledger is always the same bytes.
    public func encode() -> [UInt8] {
        var machineNode = YAMLMapping()
        for key in MachineClass.keys { machineNode[key.rawValue] = machine.facts[key].map { .text($0) } }
        var workloadNode = YAMLMapping()
        workloadNode["dataset_id"] = workload.datasetID.map { .text($0) }
        workloadNode["config_digest"] = workload.configDigest.map { .text($0) }
        workloadNode["input_digest"] = workload.inputDigest.map { .text($0) }
        if !workload.command.isEmpty {
            workloadNode["command"] = .sequence(workload.command.map { .text($0) })
        }
        var stages = YAMLMapping()
        for stage in Set(entries.keys.compactMap(\.stage)).sorted() {
            stages[stage.text] = .mapping(metrics(of: stage))
        }
        let root: YAMLMapping = [
            "schema_version": .text(Self.schemaVersion.description), "machine": .mapping(machineNode),
            "workload": .mapping(workloadNode), "total": .mapping(metrics(of: nil)),
            "stages": .mapping(stages),
        ]
        return YAMLDocument.emit(
            .mapping(root),
            comment: "Noise between sessions: docs/formats/noise-ledger.md describes every key.")
    }

    private func metrics(of stage: StageName?) -> YAMLMapping {
        var metrics = YAMLMapping()
        for metric in Metric.allCases {
            guard let entry = self[stage, metric] else { continue }
            var fields: YAMLMapping = [
                "session_sd_ln": .number(entry.sessions.variance.squareRoot(), decimals: 9),
                "degrees_of_freedom": .integer(Int64(entry.sessions.degreesOfFreedom)),
                "sessions": .integer(Int64(entry.sessionCount)),
                "runs_per_session": .integer(Int64(entry.runsPerSession)),
                "first_date": .text(entry.firstDate), "last_date": .text(entry.lastDate),
            ]
            if entry.driftVariance > 0 {
                fields["drift_sd_ln"] = .number(entry.driftVariance.squareRoot(), decimals: 9)
            }
            if let percent = entry.proposedBudgetPercent {
                fields["budget_pct"] = .number(percent, decimals: 2)
            }
            metrics[metric.rawValue] = .mapping(fields)
        }
        return metrics
    }

    /// Reads a ledger.
    ///
    /// - Parameters:
    ///   - bytes: Its content, at most ``maximumBytes``.
    ///   - file: Its path, for messages.
    public static func decode(_ bytes: [UInt8], file: String) throws(Refusal) -> NoiseLedger {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, dialect: .core)
        } catch {
            throw Refusal(description: "'\(PlainText.sanitized(file))' is not a noise ledger. \(error)")
        }
        let reader = LedgerReader(file: file)
        let major = root["schema_version"]?.asText?.split(separator: ".").first.flatMap { Int($0) }
        guard let major, major == schemaVersion.major else {
            throw reader.wrong("schema_version", "of the kind that is read, \(schemaVersion)")
        }
        var facts: [IdentityKey: String] = [:]
        for key in MachineClass.keys {
            facts[key] = try reader.text(root["machine"], key.rawValue, at: "machine")
        }
        let workload = root["workload"]
        var ledger = NoiseLedger(
            file: file, machine: MachineClass(facts: facts),
            workload: Workload(
                datasetID: try reader.text(workload, "dataset_id", at: "workload"),
                configDigest: try reader.text(workload, "config_digest", at: "workload"),
                inputDigest: try reader.text(workload, "input_digest", at: "workload"),
                command: workload?["command"]?.asSequence?.compactMap(\.asText) ?? []))
        try reader.read(root["total"], of: nil, at: "total", into: &ledger)
        for entry in root["stages"]?.asMapping?.entries ?? [] {
            guard let stage = StageName(entry.key) else { throw reader.wrong("stages", "named stages") }
            try reader.read(entry.value, of: stage, at: "stages.\(entry.key)", into: &ledger)
        }
        return ledger
    }
}

/// Reads parts of a ledger's file, and says where it is not as it should be.
private struct LedgerReader {
    let file: String

    func wrong(_ path: String, _ expected: String) -> NoiseLedger.Refusal {
        NoiseLedger.Refusal(
            description:
                "'\(PlainText.sanitized(file))': \(PlainText.sanitized(path, maximumCharacters: 200)) should be "
                + "\(expected). Correct it, or calibrate again.")
    }

    func text(_ node: YAMLNode?, _ key: String, at path: String) throws(NoiseLedger.Refusal) -> String? {
        guard let value = node?[key] else { return nil }
        guard let text = value.asText, text.utf8.count <= 1000 else {
            throw wrong("\(path).\(key)", "a short string")
        }
        return text
    }

    func read(
        _ node: YAMLNode?, of stage: StageName?, at path: String, into ledger: inout NoiseLedger
    ) throws(NoiseLedger.Refusal) {
        guard let node else { return }
        guard let metrics = node.asMapping else { throw wrong(path, "a mapping") }
        for item in metrics.entries {
            let place = "\(path).\(item.key)"
            guard let metric = Metric(rawValue: item.key) else { throw wrong(place, "a metric's name") }
            let deviation = try number(item.value, "session_sd_ln", at: place, in: 0...10)
            let degrees = try number(item.value, "degrees_of_freedom", at: place, in: 1...1_000_000)
            // Ledgers of schema 1.0 were learnt from sessions without drift.
            let drift =
                item.value["drift_sd_ln"] == nil
                ? 0 : try number(item.value, "drift_sd_ln", at: place, in: 0...10)
            ledger[stage, metric] = NoiseLedger.Entry(
                sessions: VarianceEstimate(variance: deviation * deviation, degreesOfFreedom: Int(degrees)),
                sessionCount: Int(try number(item.value, "sessions", at: place, in: 2...1_000_000)),
                runsPerSession: Int(try number(item.value, "runs_per_session", at: place, in: 1...1_000_000)),
                firstDate: try text(item.value, "first_date", at: place) ?? "",
                lastDate: try text(item.value, "last_date", at: place) ?? "",
                proposedBudgetPercent: item.value["budget_pct"] == nil
                    ? nil : try number(item.value, "budget_pct", at: place, in: 0...10_000))
            ledger[stage, metric]?.driftVariance = drift * drift
        }
    }

    private func number(
        _ node: YAMLNode, _ key: String, at path: String, in range: ClosedRange<Double>
    ) throws(NoiseLedger.Refusal) -> Double {
        guard let value = node[key]?.asNumber, range.contains(value) else {
            throw wrong(
                "\(path).\(key)", "a number from \(range.lowerBound.fixed(0)) to \(range.upperBound.fixed(0))"
            )
        }
        return value
    }
}
