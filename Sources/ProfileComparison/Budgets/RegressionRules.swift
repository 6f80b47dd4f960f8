public import FrozenProfile
public import Measurement
internal import YAMLDocument

/// The thresholds of a `regression_rules.yaml`: `thresholds.<metric>.max_delta_pct` for the whole run and every stage, and
/// `stages.<stage>.<metric>.max_delta_pct` for one.
public struct RegressionRules: Equatable, Sendable {
    /// A threshold.
    public struct Rule: Equatable, Sendable {
        /// Where it stands, such as `thresholds.wall_time_s`.
        public var key: String
        /// The most by which the metric may grow, in percent.
        public var maximumDeltaPercent: Double
    }

    /// The file's path.
    public let file: String
    private var general: [Metric: Rule] = [:]
    private var ofStages: [StageName: [Metric: Rule]] = [:]

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
            case "thresholds": general = try reader.rules(node, at: section)
            case "stages":
                for (name, node) in try reader.entries(node, at: section) {
                    guard let stage = StageName(name) else {
                        throw reader.refusal(at: "stages", "has a stage without a name")
                    }
                    ofStages[stage] = try reader.rules(node, at: "stages.\(name)")
                }
            default:
                throw reader.unknown(section, at: "", known: ["thresholds", "stages"])
            }
        }
    }

    /// The threshold of a metric: the stage's own, or the general one.
    public func rule(of metric: Metric, in stage: StageName?) -> Rule? {
        stage.flatMap { ofStages[$0]?[metric] } ?? general[metric]
    }

    /// Stages with a threshold of their own that none of these names, in order of name: probably misspelt.
    public func stages(notAmong known: Set<StageName>) -> [StageName] {
        ofStages.keys.filter { !known.contains($0) }.sorted()
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

    /// The thresholds of a mapping from metrics.
    func rules(
        _ node: YAMLNode, at path: String
    ) throws(RegressionRules.Refusal) -> [Metric: RegressionRules.Rule] {
        var rules: [Metric: RegressionRules.Rule] = [:]
        for (key, node) in try entries(node, at: path) {
            guard let metric = Metric(rawValue: key) else {
                throw unknown(key, at: path, known: Metric.allCases.map(\.rawValue))
            }
            let place = "\(path).\(key)"
            for (name, node) in try entries(node, at: place) {
                guard name == "max_delta_pct" else {
                    throw unknown(name, at: place, known: ["max_delta_pct"])
                }
                guard let percent = node.asNumber, percent.isFinite, (0...10_000).contains(percent) else {
                    throw refusal(
                        at: "\(place).max_delta_pct",
                        "is \(shown(node)), but should be a number of percent from 0 to 10000")
                }
                rules[metric] = RegressionRules.Rule(key: place, maximumDeltaPercent: percent)
            }
        }
        return rules
    }

    private func shown(_ node: YAMLNode) -> String {
        if let text = node.asText {
            return "the string '\(PlainText.sanitized(text, maximumCharacters: 40))'"
        }
        return node.asNumber.map { $0.isFinite ? "\($0)" : "not finite" } ?? node.kindInWords
    }
}
