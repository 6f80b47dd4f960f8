public import FrozenProfile
public import Measurement
internal import YAMLDocument

/// The thresholds of a `regression_rules.yaml`: `thresholds.<metric>.max_delta_pct` for the whole run and every stage, and
/// `stages.<stage>.<metric>.max_delta_pct` for one, where the stage `totals` is the whole run.
public struct RegressionRules: Equatable, Sendable {
    /// A threshold.
    public struct Rule: Equatable, Sendable {
        /// Where it stands, such as `thresholds.wall_time_s`.
        public var key: String
        /// The most by which the metric may grow, in percent.
        public var maximumDeltaPercent: Double
        /// What it means to exceed it.
        public var severity = Severity.error
    }

    /// What it means to exceed a threshold.
    public enum Severity: String, Equatable, Sendable, CaseIterable {
        /// It is said, and changes no verdict.
        case warning
        /// The threshold is the budget of the verdict.
        case error
    }

    /// The file's path.
    public let file: String
    private var general = Rules()
    private var ofStages: [StageName: Rules] = [:]

    /// The stage by which a file means the whole run.
    private static let wholeRun = "totals"

    /// Thresholds by metric.
    struct Rules: Equatable, Sendable {
        var ofMetrics: [Metric: Rule] = [:]
        /// That of the wall time divided by the number of episodes.
        var perEpisode: Rule?
    }

    /// The most bytes of a rules file.
    public static let maximumBytes = 1 << 20

    /// Why a rules file could not be read: a sentence with the file, the place and the remedy.
    public typealias Refusal = FileRefusal

    /// Reads a rules file.
    ///
    /// - Parameters:
    ///   - bytes: Its content.
    ///   - file: Its path, for messages.
    public init(_ bytes: [UInt8], file: String) throws(Refusal) {
        self.file = file
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, dialect: .core)
        } catch {
            throw Refusal(description: "'\(PlainText.sanitized(file))' is not a rules file. \(error)")
        }
        let reader = RulesReader(file: file)
        for (section, node) in try reader.entries(root, at: "") {
            switch section {
            case "thresholds": general = try reader.rules(node, at: section, isWholeRun: true)
            case "stages":
                for (name, node) in try reader.entries(node, at: section) {
                    guard let stage = StageName(name) else {
                        throw reader.refusal(at: "stages", "has a stage without a name")
                    }
                    ofStages[stage] = try reader.rules(
                        node, at: "stages.\(name)", isWholeRun: name == Self.wholeRun)
                }
            default:
                throw reader.unknown(section, at: "", known: ["thresholds", "stages"])
            }
        }
    }

    /// The threshold of a metric: the stage's own, or the general one.
    public func rule(of metric: Metric, in stage: StageName?) -> Rule? {
        own(stage)?.ofMetrics[metric] ?? general.ofMetrics[metric]
    }

    /// The threshold of the whole run's wall time divided by the number of episodes, `avg_wall_time_per_episode_s`.
    public var perEpisodeRule: Rule? { own(nil)?.perEpisode ?? general.perEpisode }

    /// The threshold that is the budget of a metric's verdict. Versions that can be compared have as many episodes, so that of
    /// the time per episode is one of the whole run's wall time, which may have none of its own.
    func budgetRule(of metric: Metric, in stage: StageName?) -> Rule? {
        let own = rule(of: metric, in: stage)
        let rule = own == nil && metric == .wall && stage == nil ? perEpisodeRule : own
        return rule?.severity == .error ? rule : nil
    }

    private func own(_ stage: StageName?) -> Rules? {
        if let stage { return ofStages[stage] }
        return StageName(Self.wholeRun).flatMap { ofStages[$0] }
    }

    /// Stages with a threshold of their own that none of these names, in order of name: probably misspelt.
    public func stages(notAmong known: Set<StageName>) -> [StageName] {
        ofStages.keys.filter { !known.contains($0) && $0.text != Self.wholeRun }.sorted()
    }
}

/// Reads parts of a rules file, and says where it is not as it should be.
private struct RulesReader {
    let file: String

    func refusal(at path: String, _ problem: String) -> RegressionRules.Refusal {
        let place = path.isEmpty ? "the document" : PlainText.sanitized(path, maximumCharacters: 200)
        return RegressionRules.Refusal(
            description: "'\(PlainText.sanitized(file))': \(place) \(problem). Correct it.")
    }

    func unknown(_ key: String, at path: String, known: [String]) -> RegressionRules.Refusal {
        let nearest = NearestName.to(key, among: known)
        let shown = PlainText.sanitized(key, maximumCharacters: 60)
        let hint = nearest.map { "; perhaps \($0) is meant" } ?? ", only \(known.joined(separator: ", "))"
        return refusal(at: path, "has no key '\(shown)'\(hint)")
    }

    func entries(_ node: YAMLNode, at path: String) throws(RegressionRules.Refusal) -> [(String, YAMLNode)] {
        if node.isNull { return [] }
        guard let mapping = node.asMapping else {
            throw refusal(at: path, "is \(node.kindInWords), but should be a mapping")
        }
        return mapping.entries.map { ($0.key, $0.value) }
    }

    /// The key of the whole run's wall time divided by the number of episodes.
    private static let perEpisode = "avg_wall_time_per_episode_s"

    /// The thresholds of a mapping from metrics.
    func rules(
        _ node: YAMLNode, at path: String, isWholeRun: Bool
    ) throws(RegressionRules.Refusal) -> RegressionRules.Rules {
        var rules = RegressionRules.Rules()
        for (key, node) in try entries(node, at: path) {
            if key == Self.perEpisode, isWholeRun {
                rules.perEpisode = try rule(node, at: "\(path).\(key)")
                continue
            }
            guard let metric = Metric(rawValue: key) else {
                throw unknown(
                    key, at: path,
                    known: Metric.allCases.map(\.rawValue) + (isWholeRun ? [Self.perEpisode] : []))
            }
            rules.ofMetrics[metric] = try rule(node, at: "\(path).\(key)")
        }
        return rules
    }

    /// A threshold with its severity; nil for an empty mapping.
    private func rule(
        _ node: YAMLNode, at place: String
    ) throws(RegressionRules.Refusal) -> RegressionRules.Rule? {
        var maximum: Double?
        var severity: RegressionRules.Severity?
        for (name, node) in try entries(node, at: place) {
            switch name {
            case "max_delta_pct":
                guard let percent = node.asNumber, percent.isFinite, (0...10_000).contains(percent) else {
                    throw refusal(
                        at: "\(place).max_delta_pct",
                        "is \(shown(node)), but should be a number of percent from 0 to 10000")
                }
                maximum = percent
            case "severity":
                guard let known = node.asText.flatMap(RegressionRules.Severity.init(rawValue:)) else {
                    throw refusal(
                        at: "\(place).severity", "is \(shown(node)), but should be warning or error")
                }
                severity = known
            default: throw unknown(name, at: place, known: ["max_delta_pct", "severity"])
            }
        }
        guard let maximum else {
            if severity == nil { return nil }
            throw refusal(at: place, "has a severity but no max_delta_pct")
        }
        return RegressionRules.Rule(
            key: place, maximumDeltaPercent: maximum, severity: severity ?? .error)
    }

    private func shown(_ node: YAMLNode) -> String {
        if let text = node.asText {
            return "the string '\(PlainText.sanitized(text, maximumCharacters: 40))'"
        }
        return node.asNumber.map { $0.isFinite ? "\($0)" : "not finite" } ?? node.kindInWords
    }
}
