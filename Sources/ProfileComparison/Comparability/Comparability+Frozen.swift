internal import FrozenProfile
internal import Measurement
internal import Statistics

extension Comparability {
    /// What differs between two sides besides the version.
    init(from: SideEvidence, to: SideEvidence, design: Comparison.Design, settings: ComparisonSettings) {
        var search = DifferenceSearch(from: from, to: to, design: design, allowances: settings.allowances)
        search.compareWorkload()
        search.compareEnvironments()
        search.compareMachines()
        search.compareCanaries()
        search.compareSamplers()
        search.compareExits()
        search.compareOutputs()
        for file in settings.editedFiles {
            search.forbid(
                ComparabilityKey.edited.rawValue,
                "'\(PlainText.sanitized(file.path, maximumCharacters: 300))' was changed after it was frozen."
                    + (file.cause.map { " \($0)" } ?? ""))
        }
        search.lookAtSides()
        differences = search.found.filter(\.forbids) + search.found.filter { !$0.forbids }
    }
}

/// Collects differences.
private struct DifferenceSearch {
    let from: SideEvidence
    let to: SideEvidence
    let design: Comparison.Design
    let allowances: Set<String>
    var found: [Comparability.Difference] = []
    private var unknown: [String] = []

    init(from: SideEvidence, to: SideEvidence, design: Comparison.Design, allowances: Set<String>) {
        self.from = from
        self.to = to
        self.design = design
        self.allowances = allowances
    }

    private var profiles: [FrozenProfile] { [from.profile, to.profile] }

    mutating func forbid(_ key: String, _ sentence: String) {
        found.append(
            Comparability.Difference(
                key: key, sentence: sentence, forbids: true, isAllowed: allowances.contains(key)))
    }

    mutating func warn(_ key: String, _ sentence: String) {
        found.append(Comparability.Difference(key: key, sentence: sentence, forbids: false))
    }

    mutating func compare<Value: Equatable>(
        _ key: String, _ older: Reading<Value>, _ newer: Reading<Value>, forbids: Bool = true,
        _ shown: (Value) -> String
    ) {
        guard let older = older.value, let newer = newer.value else {
            unknown.append(key)
            return
        }
        guard older != newer else { return }
        let sentence = "\(key) differs: \(shown(older)), now \(shown(newer))."
        if forbids { forbid(key, sentence) } else { warn(key, sentence) }
    }

    mutating func compareWorkload() {
        compare(ComparabilityKey.dataset.rawValue, from.profile.datasetID, to.profile.datasetID) {
            PlainText.sanitized($0, maximumCharacters: 100)
        }
        compare(
            ComparabilityKey.episodes.rawValue, from.profile.episodesProcessed, to.profile.episodesProcessed
        ) { "\($0)" }
        let stages = profiles.map { Set($0.stages.map(\.stage)) }
        if !stages[0].isEmpty && !stages[1].isEmpty && stages[0].isDisjoint(with: stages[1]) {
            forbid(ComparabilityKey.stages.rawValue, "They have no stage in common: these are two pipelines.")
        }
    }

    /// Variables that were set for one side, or to another value.
    mutating func compareEnvironments() {
        let variables = profiles.map { $0.recipe?.variables ?? [:] }
        let names = Set(variables[0].keys).union(variables[1].keys).filter {
            variables[0][$0] != variables[1][$0]
        }
        guard !names.isEmpty else { return }
        let shown = names.sorted().prefix(5).map { PlainText.sanitized($0, maximumCharacters: 60) }
        let more = names.count > shown.count ? " and \(names.count - shown.count) more" : ""
        warn(
            "environment",
            "These variables of the environment were set for one side, or to another value: "
                + "\(shown.joined(separator: ", "))\(more).")
    }

    mutating func compareMachines() {
        for key in IdentityKey.allCases where !key.isSource {
            let facts = profiles.map { $0.environment.identity[key] }
            // Digests by two algorithms always differ, which says nothing.
            if key == .inputDigest, let older = facts[0].value?.description,
                let newer = facts[1].value?.description, !DigestText.areComparable(older, newer)
            {
                unknown.append(key.rawValue)
                continue
            }
            compare(key.rawValue, facts[0], facts[1], forbids: key.mustMatch, \.description)
        }
        compareOlderFacts()
        // Two commands of today are what they are, whatever state the directory is in that they are run from.
        guard design == .sessions else { return }
        for side in [from, to] where side.profile.environment.identity[.gitDirty].value == .bool(true) {
            forbid(
                ComparabilityKey.dirty.rawValue,
                "\(side.name) was measured with uncommitted changes, so no commit says what it is.")
        }
    }

    /// What only the older schema records. A name is no machine, so a difference forbids nothing.
    private mutating func compareOlderFacts() {
        for key in ["hostname", "cpu_cores_physical", "python", "device", "precision"] {
            guard let older = from.profile.environment.olderFact(key),
                let newer = to.profile.environment.olderFact(key), older != newer
            else { continue }
            let doubt = key == "hostname" ? " They may have been measured on different machines." : ""
            warn(key, "\(key) differs: \(older), now \(newer).\(doubt)")
        }
    }

    /// By how much fixed work may differ, in percent.
    private static let mostCanaryPercent = 2.0

    /// Fixed work that certainly took another time means that the machine had another speed.
    mutating func compareCanaries() {
        let limit = Percent.logarithm(ofPercent: Self.mostCanaryPercent)
        for name in Set(from.sessions.flatMap(\.canaries).map(\.name)).sorted() {
            guard let speed = MachineSpeed(canary: name, from: from.sessions, to: to.sessions),
                speed.interval.lower > limit || speed.interval.upper < -limit
            else { continue }
            let change = Percent.ofLogarithm(speed.change)
            forbid(
                ComparabilityKey.canary.rawValue,
                "The machine was \(change < 0 ? "faster" : "slower") for \(to.name): fixed work "
                    + "(\(PlainText.sanitized(name, maximumCharacters: 60))) took "
                    + "\(Comparison.rounded(change.magnitude)) % \(change < 0 ? "less" : "more") time.")
        }
    }

    mutating func compareSamplers() {
        guard let older = from.profile.captureQuality?.sampler, let newer = to.profile.captureQuality?.sampler
        else { return }
        guard older.name != "none", newer.name != "none" else { return }
        compare(ComparabilityKey.sampler.rawValue, .value(older.name), .value(newer.name)) {
            PlainText.sanitized($0, maximumCharacters: 60)
        }
        compare(ComparabilityKey.samplerRate.rawValue, older.rateHz, newer.rateHz) { "\($0.fixed(0)) Hz" }
        for (side, sampler) in [(from, older), (to, newer)] {
            guard let attempted = sampler.attempted.value, attempted > 0 else { continue }
            let bad = [sampler.lost, sampler.truncated, sampler.unwindFailed].compactMap(\.value).reduce(0, +)
            let percent = 100 * Double(bad) / Double(attempted)
            guard percent > Self.mostBadSamplesPercent else { continue }
            // Times come from runs that are not sampled: only what is said of functions suffers.
            warn(
                ComparabilityKey.samplerHealth.rawValue,
                "\(side.name) lost, cut or could not unwind \(percent.fixed(1)) % of its samples, so its functions are "
                    + "uncertain.")
        }
    }

    /// Beyond this share of lost, truncated and failed samples stacks do not stand for the run.
    private static let mostBadSamplesPercent = 5.0

    mutating func compareExits() {
        for side in [from, to] {
            let measured = side.profile.sessions.flatMap(\.runs).filter { $0.kind == .measured }
            let failed = measured.count { $0.exit.value ?? 0 != 0 }
            guard failed > 0 else { continue }
            let sentence = "\(failed) of \(measured.count) measured runs of \(side.name) failed."
            // A run that fails does other work; when many do, those that do not are no fair choice.
            if failed * 10 > measured.count {
                forbid(ComparabilityKey.exitStatus.rawValue, sentence)
            } else {
                warn(ComparabilityKey.exitStatus.rawValue, sentence + " They are left out.")
            }
        }
    }

    /// Versions that each produce one and the same thing in every run, but not the same as each other, did other work.
    mutating func compareOutputs() {
        func digest(_ side: SideEvidence) -> String? {
            let digests = Set(side.sessions.flatMap(\.runs).filter(\.counts).compactMap(\.outputDigest))
            return digests.count == 1 ? digests.first : nil
        }
        guard let older = digest(from), let newer = digest(to), older != newer else { return }
        guard DigestText.areComparable(older, newer) else {
            unknown.append(ComparabilityKey.output.rawValue)
            return
        }
        forbid(
            ComparabilityKey.output.rawValue,
            "They declare other outputs: \(DigestText.short(older)), now \(DigestText.short(newer)).")
    }

    mutating func lookAtSides() {
        if design == .sessions && from.profile == to.profile {
            warn(
                "same", "Both sides are one and the same profile, \(from.name), so nothing can have changed.")
        }
        if design == .sessions && from.profile.date > to.profile.date {
            warn("order", "\(from.name) is the newer one by date: the sides may be swapped.")
        }
        compareGovernors()
        for side in [from, to] {
            for (id, reasons) in side.invalidSessions {
                let isAllowed = allowances.contains(ComparabilityKey.invalidSession.rawValue)
                found.append(
                    Comparability.Difference(
                        key: ComparabilityKey.invalidSession.rawValue,
                        sentence: "Session \(PlainText.sanitized(id, maximumCharacters: 40)) of \(side.name) "
                            + (isAllowed ? "is no fair measurement, but counts. " : "is left out. ")
                            + reasons.joined(separator: " ")
                            + (isAllowed ? "" : " (--allow \(ComparabilityKey.invalidSession.rawValue))"),
                        forbids: false, isAllowed: isAllowed))
            }
            for sentence in side.profile.discrepancies { warn("summary", "\(side.name): \(sentence)") }
            lookAtMachine(side)
        }
        if from.profile.schema.major != to.profile.schema.major {
            warn("schema", "Schemas differ: \(from.profile.schema), now \(to.profile.schema).")
        }
        if design == .sessions && !unknown.isEmpty {
            warn(
                "unknown",
                "Not recorded on both sides, so possibly different: \(unknown.joined(separator: ", ")).")
        }
    }

    /// How the kernel chose frequencies, which comparisons across days should not differ in.
    private mutating func compareGovernors() {
        func governors(_ side: SideEvidence) -> Set<String> {
            Set(side.sessions.compactMap { $0.observed.governor?.value })
        }
        let older = governors(from)
        let newer = governors(to)
        guard !older.isEmpty, !newer.isEmpty, older != newer else { return }
        func shown(_ names: Set<String>) -> String {
            PlainText.sanitized(names.sorted().joined(separator: " and "), maximumCharacters: 60)
        }
        warn("governor", "The frequency governor differs: \(shown(older)), now \(shown(newer)).")
    }

    private mutating func lookAtMachine(_ side: SideEvidence) {
        for session in side.sessions {
            let id = PlainText.sanitized(session.id, maximumCharacters: 40)
            if let load = session.observed[.load].value,
                case .number(let cpus)? = side.profile.environment.identity[.usableCPUs].value,
                load > 0.2 * cpus
            {
                warn(
                    "load",
                    "In session \(id) of \(side.name) the load was \(load.fixed(1)) when measuring began.")
            }
            if let swap = session.observed[.swapUsed].value, swap > 0 {
                warn("swap", "In session \(id) of \(side.name) \(swap.fixed(0)) MB of swap were in use.")
            }
            let disturbances = SessionValidity.disturbances(
                of: session, called: "Session \(id) of \(side.name)")
            if !disturbances.isEmpty { warn("noise", disturbances.joined(separator: " ")) }
        }
    }
}
