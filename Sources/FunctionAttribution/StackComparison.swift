public import Measurement

/// The stacks of a comparison: why its stages changed, or why that cannot be determined.
public struct StackComparison: Sendable {
    /// Each explained stage's functions, in the order in which they were asked for.
    public var attributions: [Attribution] = []
    /// Why stages, or all of them, could not be explained: sentences.
    public var refusals: [String] = []
    /// What git says changed between the two commits.
    public var source: Reading<SourceChanges>
    /// The two sides' stacks; nil where they could not be read.
    public var pair: AttributionPair?

    /// Nothing explained.
    public init(source: Reading<SourceChanges> = .unavailable(reason: "not asked")) {
        self.source = source
    }

    /// Explains some stages by their stacks.
    public init(_ pair: AttributionPair, stages: [StageName], source: Reading<SourceChanges>) {
        self.init(source: source)
        self.pair = pair
        for stage in stages {
            do throws(AttributionRefusal) {
                attributions.append(try pair.attribution(of: stage))
            } catch {
                refusals.append(error.description)
            }
        }
    }

    /// The clauses for a comparison's sentence at the top, by stage.
    public var explanations: [StageName: StageExplanation] {
        var result: [StageName: StageExplanation] = [:]
        for attribution in attributions {
            guard let stage = attribution.stage else { continue }
            result[stage] = StageExplanation(
                clause: attribution.leaders.isEmpty ? nil : attribution.explanation(),
                attribution: attribution)
        }
        return result
    }

    /// The changed file that has to do with a function; nil for none, or where git reported nothing.
    public func suspectFile(of function: FunctionChange) -> String? {
        source.value?.file(of: function.function, in: function.file)
    }
}

/// Why a stage changed, as far as its stacks show.
public struct StageExplanation: Equatable, Sendable {
    /// A clause for the sentence at the top, such as `ngram_search accounts for 71 % of it`; nil for none.
    public var clause: String?

    /// The functions behind it; nil where there are none to be named.
    public var attribution: Attribution?

    /// An explanation.
    public init(clause: String?, attribution: Attribution? = nil) {
        self.clause = clause
        self.attribution = attribution
    }
}
