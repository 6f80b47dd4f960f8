internal import Measurement
internal import Metrics

/// Whether a frozen profile is what was frozen: its text, what is derived in it, and the files beside it.
public struct Verification: Equatable, Sendable {
    /// Something that does not match.
    public struct Finding: Equatable, Sendable {
        public enum Kind: String, Sendable {
            /// The file's text is not the one that was written.
            case edited
            /// A derived value does not follow from the runs.
            case derived
            /// A file beside the profile is missing or is another one.
            case companion
            /// Stages that used more than the whole.
            case account
        }

        public var kind: Kind
        /// What it is about: a key such as `stages.transcription.wall_time_s`, or a file.
        public var subject: String
        /// What the profile says.
        public var stated: String
        /// What there is.
        public var found: String

        /// A finding.
        package init(kind: Kind, subject: String, stated: String, found: String) {
            self.kind = kind
            self.subject = subject
            self.stated = stated
            self.found = found
        }

        /// One line: what, what it says, what there is.
        public var description: String {
            "\(PlainText.sanitized(subject, maximumCharacters: 300)): the profile says "
                + "\(PlainText.sanitized(stated, maximumCharacters: 200)), "
                + "\(kind == .derived ? "its runs give" : kind == .account ? "but it has to be" : "there is") "
                + "\(PlainText.sanitized(found, maximumCharacters: 200))"
        }
    }

    public var findings: [Finding]
    /// Sentences about what could not be checked.
    public var notes: [String]

    /// What was found, and what could not be checked.
    package init(findings: [Finding], notes: [String]) {
        self.findings = findings
        self.notes = notes
    }

    /// Whether the file's text was changed after freezing.
    public var isEdited: Bool { findings.contains { $0.kind == .edited } }

    /// Whether all matches.
    ///
    /// - Parameter edited: Whether a changed text is all right as long as everything else matches.
    public func passes(allowingEdited edited: Bool = false) -> Bool {
        findings.allSatisfy { edited && $0.kind == .edited }
    }
}

extension FrozenProfile {
    /// What is derived in the profile and does not follow from its runs; nothing where it has no runs.
    public var deviations: [Verification.Finding] {
        guard !sessions.isEmpty else { return [] }
        let derived = FrozenProfile.derive(from: sessions, episodesProcessed: episodesProcessed)
        var check = DerivedCheck()
        check.text(
            "stages", stages.map(\.stage.text).joined(separator: ", "),
            derived.stages.map(\.stage.text).joined(separator: ", "))
        for (stated, computed) in zip(stages, derived.stages) where stated.stage == computed.stage {
            let key = "stages.\(stated.stage.text)"
            check.use(key, stated.use, computed.use)
            check.number("\(key).share_of_wall", stated.shareOfWall, computed.shareOfWall, decimals: 4)
            check.text("\(key).runs", stated.runs.asText, computed.runs.asText)
            check.text("\(key).shared", "\(stated.isShared)", "\(computed.isShared)")
        }
        check.use("totals", totals.use, derived.totals.use)
        check.number(
            "totals.avg_wall_time_per_episode_s", totals.wallSecondsPerEpisode,
            derived.totals.wallSecondsPerEpisode, decimals: 6)
        check.rest(
            "unattributed_wall_s", .wall, totals.unattributedWallSeconds,
            derived.totals.unattributedWallSeconds, derived)
        check.rest(
            "unattributed_cpu_s", .cpu, totals.unattributedCPUSeconds, derived.totals.unattributedCPUSeconds,
            derived)
        for session in sessions {
            for run in session.runs where run.counts { check.rests(of: run, session: session.id) }
        }
        check.text("totals.runs", totals.runs.asText, derived.totals.runs.asText)
        check.attempts(captureQuality?.attempts ?? [:], runs: sessions.flatMap(\.runs))
        check.quality(captureQuality, runs: sessions)
        return check.findings
    }
}

/// Collects what does not match.
private struct DerivedCheck {
    var findings: [Verification.Finding] = []

    mutating func text(_ key: String, _ stated: String, _ computed: String) {
        guard stated != computed else { return }
        findings.append(.init(kind: .derived, subject: key, stated: stated, found: computed))
    }

    /// Raw values are frozen rounded, so what is computed from them may end one digit off.
    mutating func number(
        _ key: String, _ stated: Reading<Double>, _ computed: Reading<Double>, decimals: Int
    ) {
        func shown(_ reading: Reading<Double>) -> String {
            reading.value?.fixed(decimals) ?? "unavailable"
        }
        var unit = 1.0
        for _ in 0..<decimals { unit /= 10 }
        switch (stated.value, computed.value) {
        case (nil, nil): return
        case (let left?, let right?) where (left - right).magnitude <= 2 * unit: return
        default: text(key, shown(stated), shown(computed))
        }
    }

    /// What is outside stages: the median of the runs' rests, or in older profiles the difference of the medians. Never
    /// negative.
    mutating func rest(
        _ key: String, _ metric: Metric, _ stated: Reading<Double>, _ computed: Reading<Double>,
        _ derived: FrozenProfile.Summary
    ) {
        if let value = stated.value, value < 0 { return refuse("totals.\(key)", value, metric) }
        let older = FrozenProfile.differenceOfMedians(
            metric, total: derived.totals.use, stages: derived.stages)
        if let value = stated.value, let older, (value - older).magnitude <= 2e-6 { return }
        number("totals.\(key)", stated, computed, decimals: 6)
    }

    /// The stages of a run have used no more than the run.
    mutating func rests(of run: Run, session: String) {
        for metric in [Metric.wall, .cpu] {
            guard let rest = FrozenProfile.rest(metric, of: run).value, rest < 0 else { continue }
            refuse("sessions.\(session).runs.\(run.index): \(metric.rawValue) outside stages", rest, metric)
        }
    }

    private mutating func refuse(_ subject: String, _ value: Double, _ metric: Metric) {
        findings.append(
            .init(
                kind: .account, subject: subject, stated: value.fixed(metric.decimals), found: "0 or more"))
    }

    mutating func use(_ key: String, _ stated: ResourceUse, _ computed: ResourceUse) {
        for metric in Set(stated.metrics).union(computed.metrics).sorted() {
            number("\(key).\(metric.rawValue)", stated[metric], computed[metric], decimals: metric.decimals)
        }
    }

    /// How many runs were begun and ended well, where the file says.
    mutating func attempts(_ stated: [RunKind: RunAttempts], runs: [Run]) {
        guard !stated.isEmpty else { return }
        let computed = RunAttempts.byKind(runs)
        for kind in RunKind.allCases {
            let key = "capture_quality.attempts.\(kind.rawValue)"
            text("\(key).attempted", (stated[kind]?.attempted).asText, (computed[kind]?.attempted).asText)
            text("\(key).recorded", (stated[kind]?.recorded).asText, (computed[kind]?.recorded).asText)
        }
    }

    /// The medians and sums over each run's own account, where the file has those.
    mutating func quality(_ stated: CaptureQuality?, runs: [Session]) {
        guard let stated, !stated.runs.isEmpty else { return }
        var computed = stated
        computed.derivePerturbation(
            from: runs.flatMap { session in session.runs.map { ("\(session.id)/\($0.index)", $0) } })
        let key = "capture_quality"
        number(
            "\(key).perturbation.profiled_over_measured_wall", stated.profiledOverMeasuredWall,
            computed.profiledOverMeasuredWall, decimals: 4)
        number(
            "\(key).perturbation.monitor_cpu_s", stated.monitorCPUSeconds, computed.monitorCPUSeconds,
            decimals: 6)
        number(
            "\(key).perturbation.sampler_cpu_s", stated.samplerCPUSeconds, computed.samplerCPUSeconds,
            decimals: 6)
        let accounts = stated.runs.compactMap(\.sampler).filter { $0.name != "none" }
        guard let first = accounts.first else { return }
        let sum = CaptureQuality.Sampler.sum(of: accounts, like: first)
        for (name, path) in CaptureQuality.Sampler.counts {
            text("\(key).sampler.\(name)", stated.sampler[keyPath: path].asText, sum[keyPath: path].asText)
        }
    }
}

extension CaptureQuality.Sampler {
    fileprivate static var counts: [(String, KeyPath<Self, Reading<Int>>)] {
        [
            ("attempted", \.attempted), ("recorded", \.recorded), ("lost", \.lost),
            ("truncated", \.truncated),
            ("unwind_failed", \.unwindFailed),
        ]
    }
}

extension Int? {
    fileprivate var asText: String { map { "\($0)" } ?? "not known" }
}

extension Reading<Int> {
    fileprivate var asText: String { value.asText }
}
