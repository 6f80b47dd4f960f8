internal import FrozenProfile

/// What makes a session no fair measurement: rules fixed beforehand, so that nobody leaves out what does not please.
enum SessionValidity {
    /// Findings of a session's review that take its evidence away. The others are advice.
    private static let disqualifying: Set<NoiseReview.Kind> = [.canaryDrift, .trend, .slowFirstRun]

    /// Why a session must not count, as sentences; empty for a fair one.
    static func problems(of session: Session) -> [String] {
        NoiseReview(session).findings.filter { disqualifying.contains($0.kind) }.map(\.sentence)
    }

    /// Findings of a session's review that a reader of a comparison should know. What else there is is advice for measuring.
    private static let disturbing: Set<NoiseReview.Kind> = [
        .steal, .otherProcesses, .throttling, .swapping, .involuntarySwitches, .runQueueWait,
    ]

    /// What disturbed a session, as sentences; empty for a quiet one, or where nobody looked.
    static func disturbances(of session: Session) -> [String] {
        NoiseReview(session).findings.filter { disturbing.contains($0.kind) }.map(\.sentence)
    }
}
