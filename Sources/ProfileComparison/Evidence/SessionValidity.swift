internal import FrozenProfile
internal import Measurement
internal import Statistics

/// What makes a session no fair measurement: rules fixed beforehand, so that nothing is left out because it does not please.
enum SessionValidity {
    /// Findings of a session's review that take its evidence away. The others are advice, and drift of the machine is
    /// uncertainty that counts as such (``SessionTest``).
    private static let disqualifying: Set<NoiseReview.Kind> = [.trend, .slowFirstRun]

    /// Why a session must not count, as sentences; empty for a fair one.
    ///
    /// - Parameter others: All sessions of the version, this one among them.
    static func problems(of session: Session, among others: [Session]) -> [String] {
        NoiseReview(session).findings.filter { finding in
            disqualifying.contains(finding.kind)
                && (finding.kind != .slowFirstRun || isOfFirstRuns(session, among: others))
        }.map(\.sentence)
    }

    /// Whether it is being first that makes a session's first run slow.
    ///
    /// Where a later run is as slow, or another session does not begin with such a run, runs are of two kinds and this session
    /// happens to begin with the slow one: to leave it out would hide that kind.
    private static func isOfFirstRuns(_ session: Session, among others: [Session]) -> Bool {
        func walls(_ session: Session) -> [Double] {
            session.runs.filter(\.counts).compactMap(\.use.wallSeconds.value)
        }
        guard let first = walls(session).first,
            let usual = FrozenProfile.median(Array(walls(session).dropFirst()))
        else { return true }
        let isSlow: (Double) -> Bool = { $0 > (first + usual) / 2 }
        let all = others.map(walls).filter { $0.count > 1 }
        return all.allSatisfy { $0.first.map(isSlow) ?? true }
            && !all.contains { $0.dropFirst().contains(where: isSlow) }
    }

    /// What else disturbed a session, in a few words each: the pages of the versions have the figures.
    private static let disturbing: KeyValuePairs<NoiseReview.Kind, String> = [
        .otherProcesses: "other processes", .involuntarySwitches: "waiting for a CPU",
        .runQueueWait: "waiting for a CPU", .steal: "CPU time given to other machines",
        .throttling: "CPUs that were held back", .swapping: "swapping",
    ]

    /// What disturbed a session, as sentences about `it`, such as `Session s1 of v2`; empty for a quiet one, and
    /// for one that was not watched.
    static func disturbances(of session: Session, called it: String) -> [String] {
        let findings = NoiseReview(session).findings
        var causes: [String] = []
        for (kind, words) in disturbing where findings.contains(where: { $0.kind == kind }) {
            if !causes.contains(words) { causes.append(words) }
        }
        let listed = [causes.dropLast().joined(separator: ", "), causes.last ?? ""].filter { !$0.isEmpty }
        let disturbed = causes.isEmpty ? [] : ["\(it) was disturbed by \(listed.joined(separator: " and "))."]
        return disturbed
            + findings.filter { $0.kind == .canaryDrift }.map { finding in
                (disturbed.isEmpty ? "\(it): " : "") + finding.sentence
            }
    }
}
