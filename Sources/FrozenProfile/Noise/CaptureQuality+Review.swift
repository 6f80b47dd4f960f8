extension CaptureQuality.Review {
    /// What the runs of some sessions say; nil where there are no runs.
    public init?(_ sessions: [Session]) {
        let runs = sessions.flatMap(\.runs).filter(\.counts)
        guard !runs.isEmpty else { return nil }
        var kinds: [NoiseReview.Kind] = []
        for session in sessions {
            for finding in NoiseReview(session).findings where !kinds.contains(finding.kind) {
                kinds.append(finding.kind)
            }
        }
        // A profile of several sessions may have few runs in each.
        if runs.count >= NoiseReview.Limits().runs { kinds.removeAll { $0 == .fewRuns } }
        self.init(
            sessions: sessions.count, disturbedRuns: runs.count { $0.disturbance != nil },
            findings: kinds.map(\.rawValue))
    }
}
