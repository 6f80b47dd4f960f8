public import FrozenProfile
internal import JSONDocument
internal import Measurement

/// Profiles in long form, one value a row, for databases: a row for each version, or session, or run, and each of its stages and
/// metrics.
///
/// `docs/formats/export.md` describes every column.
public struct ProfileRows: Sendable {
    /// What a row's value is of.
    public enum Grain: String, CaseIterable, Sendable {
        /// The median of a version's runs.
        case version
        /// The median of a session's runs.
        case session
        /// A single run.
        case run
    }

    /// How rows are written.
    public enum Format: String, CaseIterable, Sendable {
        /// An object a line.
        case jsonLines = "json-lines"
        /// Comma-separated values (RFC 4180), with a line of names.
        case csv
    }

    /// The columns, in order.
    static let columns = [
        "release", "date", "git_commit", "dataset_id", "session", "run", "node", "host", "class", "job",
        "stage",
        "metric", "unit", "value", "low", "high", "runs", "unavailable",
    ]

    private let grain: Grain
    private let format: Format

    /// Rows of a grain in a format.
    public init(_ grain: Grain, _ format: Format) {
        self.grain = grain
        self.format = format
    }

    /// What stands before all rows.
    public var header: String { format == .csv ? Self.columns.joined(separator: ",") + "\r\n" : "" }

    /// The rows of a profile.
    public func text(_ profile: FrozenProfile) -> String {
        var text = ""
        for row in rows(profile) { text += format == .csv ? csv(row) : json(row) }
        return text
    }

    // MARK: - Rows

    private enum Cell {
        case text(String)
        case number(String)
    }

    private typealias Row = [String: Cell]

    private func rows(_ profile: FrozenProfile) -> [Row] {
        var common: Row = ["release": .text(profile.release), "date": .text(profile.date)]
        common["git_commit"] = profile.environment.identity[.gitCommit].value.map { .text($0.description) }
        common["dataset_id"] = profile.datasetID.value.map { .text($0) }
        switch grain {
        case .version: return summaries(profile, common)
        case .session:
            return profile.sessions.flatMap { session in
                measured(
                    session.runs.filter(\.counts), stages: profile.stages.map(\.stage), about(session, common)
                )
            }
        case .run:
            return profile.sessions.flatMap { session in
                session.runs.filter(\.counts).flatMap { run -> [Row] in
                    var row = about(session, common)
                    row["run"] = .number("\(run.index)")
                    return measured([run], stages: run.stages.map(\.stage), row)
                }
            }
        }
    }

    private func about(_ session: Session, _ common: Row) -> Row {
        var row = common
        row["session"] = .text(session.id)
        guard let place = session.place else { return row }
        row["node"] = .text(place.node)
        row["host"] = .text(place.host)
        row["class"] = .text(place.nodeClass)
        row["job"] = .text(place.job)
        return row
    }

    /// The summary as it stands in the file, with the lowest and the highest run.
    private func summaries(_ profile: FrozenProfile, _ common: Row) -> [Row] {
        let runs = profile.measuredRuns
        let parts: [(StageName?, ResourceUse)] =
            [(nil, profile.totals.use)] + profile.stages.map { ($0.stage, $0.use) }
        return parts.flatMap { stage, summary in
            summary.metrics.map { metric in
                row(
                    metric, stage, summary[metric], of: runs.compactMap { use(of: $0, stage)?[metric].value },
                    common)
            }
        }
    }

    private func measured(_ runs: [Run], stages: [StageName], _ common: Row) -> [Row] {
        ([nil] + stages.map { Optional($0) }).flatMap { stage -> [Row] in
            let uses = runs.compactMap { use(of: $0, stage) }
            return Set(uses.flatMap(\.metrics)).sorted().map { metric in
                let values = uses.compactMap { $0[metric].value }
                let reason = uses.compactMap { $0[metric].unavailableReason }.first ?? "no run has it"
                let median = FrozenProfile.median(values).map { Reading.value($0) }
                return row(metric, stage, median ?? .unavailable(reason: reason), of: values, common)
            }
        }
    }

    /// What a run used, as a whole where no stage is named; nil where it did not enter the stage.
    private func use(of run: Run, _ stage: StageName?) -> ResourceUse? {
        guard let stage else { return run.use }
        return run.stages.first { $0.stage == stage }?.use
    }

    private func row(
        _ metric: Metric, _ stage: StageName?, _ reading: Reading<Double>, of values: [Double], _ common: Row
    ) -> Row {
        func number(_ value: Double) -> Cell { .number(JSONText.number(value, decimals: metric.decimals)) }
        var row = common
        row["stage"] = stage.map { .text($0.text) }
        row["metric"] = .text(metric.key)
        row["unit"] = .text(metric.unit.rawValue)
        row["value"] = reading.value.map(number)
        row["low"] = values.min().map(number)
        row["high"] = values.max().map(number)
        row["runs"] = .number("\(values.count)")
        row["unavailable"] = reading.unavailableReason.map { .text($0) }
        return row
    }

    // MARK: - Text

    private func json(_ row: Row) -> String {
        JSONText.object(
            Self.columns.map { column in
                switch row[column] {
                case .text(let text): (column, text.asJSON)
                case .number(let number): (column, number)
                case nil: (column, "null")
                }
            }) + "\n"
    }

    private func csv(_ row: Row) -> String {
        Self.columns.map { column in
            switch row[column] {
            case .text(let text): CSVText.field(text)
            case .number(let number): number
            case nil: ""
            }
        }.joined(separator: ",") + "\r\n"
    }
}
