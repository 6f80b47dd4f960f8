internal import CommandLineTool
internal import FrozenProfile
internal import Measurement
internal import ProfileStore

/// Names of frozen versions and of their stages, for the shells' completion.
enum CompletionNames {
    /// The metrics for which a regression of a stage can be accepted.
    private static let metrics = ["wall", "cpu", "rss"]

    static func answer(_ question: CompletionQuestion) -> [CompletionAnswer.Candidate] {
        let store = ProfileStore(directory: question.options["profiles"] ?? "data/profiles")
        do throws(ProfileError) {
            switch question.value {
            case .version, .versionRange: return try versions(store)
            case .stage: return try stages(store, question).map { .init($0) }
            case .stageMetric:
                return try (stages(store, question) + ["total"]).flatMap { stage in
                    metrics.map { .init("\(stage).\($0)") }
                }
            case .words, .file, .directory, .command, .free: return []
            }
        } catch {
            // The command itself will report it. An error in the middle of a line would only disturb the user.
            return []
        }
    }

    private static func versions(_ store: ProfileStore) throws(ProfileError) -> [CompletionAnswer.Candidate] {
        try store.versions().reversed().map { .init($0.text) }
            + store.references.versions().map { .init("references/\($0)", "reference") }
            + store.archive.versions().map { .init($0.text, "archived") }
    }

    /// The stages of the last version on the line, else of the newest one.
    private static func stages(
        _ store: ProfileStore, _ question: CompletionQuestion
    ) throws(ProfileError) -> [String] {
        var known: [String] = []
        for name in question.operands.reversed() {
            // An operand may be a stage as well.
            do throws(ProfileError) { known.append(try store.path(reference: name)) } catch { continue }
        }
        if known.isEmpty { known = try store.versions().last.map { [store.path(of: $0)] } ?? [] }
        guard let path = known.first else { return [] }
        return try ProfileStore.loadSummary(path: path).stages.map(\.stage.text)
    }
}
