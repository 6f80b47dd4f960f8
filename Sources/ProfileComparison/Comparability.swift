internal import FrozenProfile
internal import Measurement

/// What speaks for and against comparing two profiles.
enum Comparability {
    /// Sentences about what differs besides the version.
    static func warnings(from: FrozenProfile, to: FrozenProfile) -> [String] {
        var sentences: [String] = []
        var unknown: [String] = []
        func compare<Value: Equatable>(
            _ name: String, _ older: Reading<Value>, _ newer: Reading<Value>, _ shown: (Value) -> String
        ) {
            guard let older = older.value, let newer = newer.value else {
                unknown.append(name)
                return
            }
            if older != newer { sentences.append("\(name) differs: \(shown(older)), now \(shown(newer)).") }
        }
        compare("dataset_id", from.datasetID, to.datasetID) {
            PlainText.sanitized($0, maximumCharacters: 100)
        }
        compare("episodes_processed", from.episodesProcessed, to.episodesProcessed) { "\($0)" }
        for key in IdentityKey.allCases where !key.isSource {
            compare(key.rawValue, from.environment.identity[key], to.environment.identity[key], \.description)
        }
        let samplers = [from, to].map { $0.captureQuality?.sampler }
        if let older = samplers[0], let newer = samplers[1] {
            compare("sampler", .value(older.name), .value(newer.name)) { PlainText.sanitized($0) }
            if older.name != "none" && newer.name != "none" {
                compare("sampling rate", older.rateHz, newer.rateHz) { "\($0.fixed(0)) Hz" }
            }
        }
        for profile in [from, to] where profile.environment.identity[.gitDirty].value == .bool(true) {
            sentences.append("\(name(profile)) was measured with uncommitted changes.")
        }
        for profile in [from, to] {
            sentences += profile.discrepancies.map { "\(name(profile)): \($0)" }
        }
        if !unknown.isEmpty {
            sentences.append(
                "Not recorded on both sides, so possibly different: \(unknown.joined(separator: ", ")).")
        }
        return sentences
    }

    /// Sentences about what the comparison rests on.
    static func notes(from: FrozenProfile, to: FrozenProfile) -> [String] {
        var sentences = [evidence(from: from, to: to)]
        let commits = [from, to].map { $0.environment.identity[.gitCommit].value?.description.prefix(12) }
        if let older = commits[0], let newer = commits[1] {
            sentences.append(
                older == newer ? "Both are of commit \(older)." : "Commits: \(older), now \(newer).")
        }
        return sentences
    }

    private static func evidence(from: FrozenProfile, to: FrozenProfile) -> String {
        guard let older = from.totals.runs, let newer = to.totals.runs else {
            return
                "No verdict: an older file does not tell how many runs it rests on, so any difference may be noise."
        }
        for (profile, runs) in [(from, older), (to, newer)] where runs == 0 {
            return "No verdict: \(name(profile)) has no measured run that ended well."
        }
        if older == 1 && newer == 1 {
            return "One run a side: no verdict; differences this small may be noise."
        }
        return "Medians of \(older) and \(newer) measured runs: no verdict; small differences may be noise."
    }

    private static func name(_ profile: FrozenProfile) -> String {
        PlainText.sanitized(profile.release, maximumCharacters: 60)
    }
}
