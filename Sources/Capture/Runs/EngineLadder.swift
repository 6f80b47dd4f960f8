internal import FrozenProfile
internal import InstructionCounting
internal import Measurement

/// The engine that counts a capture's runs: the next one where one cannot run the command. Pure after its start.
struct EngineLadder {
    private var engines: [any CountingEngine]
    /// What each that is not used lacks or could not do, as sentences.
    private(set) var reasons: [String] = []
    /// Whether the engine has counted a run: counts of another one do not go with its own.
    private var hasCounted = false

    /// The engines to try in their order; none, with the reason.
    init(_ engines: Reading<[any CountingEngine]>) {
        self.engines = engines.value ?? []
        if let reason = engines.unavailableReason { reasons = [reason] }
    }

    /// The engines of this machine that a request allows, for a session of which some runs may be there already.
    init(_ request: CaptureRequest, finished records: [RunRecord]) {
        guard request.countedRuns > 0 else {
            self.init(.unavailable(reason: "no counted run was asked for"))
            return
        }
        let before = records.filter { !$0.run.hasFailed }.compactMap { $0.counts?.engine }.last
        do throws(CountingError) {
            self.init(.value(try CountingEngines.usable(named: before ?? request.countEngine)))
            hasCounted = before != nil
        } catch {
            self.init(.unavailable(reason: error.description))
        }
    }

    /// The engine that counts the next run, or why none does.
    var engine: Reading<any CountingEngine> {
        engines.first.map { .value($0) } ?? .unavailable(reason: reasons.joined(separator: " "))
    }

    /// Takes note that a run was counted.
    mutating func succeed() { hasCounted = true }

    /// Takes note that a run could not be counted, and returns what is said of it.
    mutating func fail(_ error: CaptureError) -> String {
        guard let failed = engines.first else { return reasons.joined(separator: " ") }
        engines.removeFirst()
        if hasCounted { engines = [] }
        let sentence = "\(failed.name) could not count it: \(Self.phrase(error))"
        reasons.append(sentence)
        return sentence + (engines.first.map { " \($0.name) is tried next." } ?? "")
    }

    /// Why a run failed, with what was printed last, as a sentence.
    private static func phrase(_ error: CaptureError) -> String {
        guard case .targetFailed(let failed) = error else { return error.description }
        let words = failed.lastLines.suffix(3).map { PlainText.sanitized($0, maximumCharacters: 200) }
        return "the command \(failed.reason)"
            + (words.isEmpty ? "." : ", after '\(words.joined(separator: " | "))'.")
    }
}
