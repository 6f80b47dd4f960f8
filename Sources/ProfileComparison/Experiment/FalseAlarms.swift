public import FrozenProfile
internal import Measurement

/// How often a gate would have called a regression between sessions of one and the same version.
public struct FalseAlarms: Equatable, Sendable {
    /// Comparisons of one half of the sessions with the other, both ways.
    public var splits = 0
    /// Those that our verdict called regressed.
    public var regressed = 0
    /// Those that it could not decide.
    public var inconclusive = 0
    /// Comparisons of one session with another, both ways.
    public var pairs = 0
    /// Those whose medians exceed a threshold of the rules file; nil without one.
    public var beyondRules: Int?
    /// Those in which a median of the whole run grew by more than 5 %.
    public var beyondFivePercent = 0

    /// The most comparisons of either kind.
    public static let mostComparisons = 200

    /// Compares the sessions of a version with each other.
    ///
    /// - Parameters:
    ///   - profile: A version with at least two sessions.
    ///   - settings: How the user's gate judges.
    public init(_ profile: FrozenProfile, settings: ComparisonSettings) {
        let sessions = profile.sessions.filter { $0.runs.contains(where: \.counts) }
        // Whatever else is the matter, both sides are the same version on the same machine.
        var settings = settings
        settings.allowances = Set(ComparabilityKey.allNames)
        func part(_ chosen: [Session]) -> FrozenProfile {
            FrozenProfile(
                release: profile.release, date: profile.date, datasetID: profile.datasetID,
                episodesProcessed: profile.episodesProcessed, environment: profile.environment,
                captureQuality: nil, recipe: profile.recipe, sessions: chosen)
        }
        for chosen in Self.halves(sessions.count) {
            let first = sessions.indices.filter(chosen.contains).map { sessions[$0] }
            let second = sessions.indices.filter { !chosen.contains($0) }.map { sessions[$0] }
            guard splits < Self.mostComparisons, !first.isEmpty, !second.isEmpty else { break }
            splits += 1
            switch Comparison(from: part(first), to: part(second), settings: settings).outcome {
            case .verdict(.regressed): regressed += 1
            case .verdict(.inconclusive): inconclusive += 1
            case .verdict(.unchanged), .verdict(.improved), .notComparable: break
            }
        }
        if settings.budgets.rules != nil { beyondRules = 0 }
        for first in sessions.indices {
            for second in sessions.indices where first != second && pairs < Self.mostComparisons {
                pairs += 1
                let rows = Comparison(
                    from: part([sessions[first]]), to: part([sessions[second]]), settings: settings
                ).rows
                if rows.contains(where: { $0.ruleFlag != nil }) { beyondRules = (beyondRules ?? 0) + 1 }
                if rows.contains(where: { $0.family == .total && $0.deltaPercent ?? 0 > 5 }) {
                    beyondFivePercent += 1
                }
            }
        }
    }

    /// Every way to choose half of so many, rounded down, and the other half.
    static func halves(_ count: Int) -> [Set<Int>] {
        guard count >= 2, count <= 16 else { return count < 2 ? [] : [Set(0..<count / 2)] }
        return (0..<(1 << count)).filter { $0.nonzeroBitCount == count / 2 }.map { bits in
            Set((0..<count).filter { bits >> $0 & 1 == 1 })
        }
    }

    /// What was found, in sentences.
    public var sentences: [String] {
        var sentences: [String] = []
        if splits > 0 {
            sentences.append(
                "Of \(splits) comparisons of one half of the sessions with the other, the verdict was a regression in "
                    + "\(regressed) and undecided in \(inconclusive).")
        }
        if pairs > 0 {
            sentences.append(
                "Of \(pairs) pairs of single sessions, \(beyondFivePercent) differ by more than 5 % in a median of the "
                    + "whole run.")
            if let beyondRules {
                sentences.append("\(beyondRules) of them exceed a threshold of the rules file.")
            }
        }
        return sentences
    }
}
