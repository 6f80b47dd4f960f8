internal import FrozenProfile

/// What makes a session no fair measurement: rules fixed beforehand, so that nobody leaves out what does not please.
enum SessionValidity {
    /// Findings of a session's review that take its evidence away. The others are advice.
    private static let disqualifying: Set<NoiseReview.Kind> = [.canaryDrift, .trend, .slowFirstRun]

    /// Why a session must not count, as sentences; empty for a fair one.
    static func problems(of session: Session) -> [String] {
        NoiseReview(session).findings.filter { disqualifying.contains($0.kind) }.map(\.sentence)
    }
}
