internal import Measurement

extension FrozenProfile {
    /// A profile made of run records, wherever and in whatever order they were made.
    ///
    /// The same records give the same profile: nothing is taken from the machine or the moment at which it is frozen.
    /// Failed runs whose records agree with the others are among its runs, but do not count. Interrupted runs are left out.
    ///
    /// - Parameters:
    ///   - records: At least one measured run that ended well; all of one pipeline, data set and kind of machine.
    ///   - release: The version that is frozen.
    public init(records: [RunRecord], release: VersionName) throws(ProfileError) {
        let all = RunRecord.inOrder(records)
        guard let first = all.first(where: { !$0.run.hasFailed && $0.run.kind != .counted }),
            all.contains(where: \.run.counts)
        else {
            throw .noMeasuredRun
        }
        // A counted run may be of another, smaller command.
        let differences = RunRecord.differences(
            from: first, in: all.filter { !$0.run.hasFailed && $0.run.kind != .counted })
        guard differences.isEmpty else { throw .mixedRecords(differences.joined(separator: "; ")) }
        // One that failed before the source or the configuration was mended was of something else.
        let records = RunRecord.inOrder(
            all.filter { record in
                !record.run.hasFailed
                    || record.run.failure?.isInterruption != true
                        && RunRecord.difference(first, record) == nil
            })
        for (one, next) in zip(records, records.dropFirst()) where one.name == next.name {
            throw .repeatedRun(one.name)
        }
        let sessions = RunRecord.sessions(records)
        self.init(
            release: release.text, date: RunRecord.lastStart(records),
            datasetID: Reading.firstValue(records.map(\.datasetID)),
            episodesProcessed: RunRecord.episodes(records),
            environment: ProfileEnvironment(
                identity: RunRecord.identity(
                    records.filter { !$0.run.hasFailed && $0.run.kind != .counted }),
                observed: records.first?.run.observed ?? ObservedEnvironment()),
            captureQuality: CaptureQuality(records), recipe: first.recipe, sessions: sessions)
        counts = RunRecord.counts(records)?.map { $0.inOrder(of: stages.map(\.stage)) }
    }
}

extension RunRecord {
    /// Records session by session in order of time, and in each by their place.
    public static func inOrder(_ records: [RunRecord]) -> [RunRecord] {
        var began: [VersionName: String] = [:]
        for record in records {
            let start = record.run.startedAt ?? ""
            began[record.session] = min(began[record.session] ?? start, start)
        }
        return records.sorted { left, right in
            let leftKey = (
                began[left.session] ?? "", left.session.text, left.run.index, left.run.kind.rawValue
            )
            let rightKey = (
                began[right.session] ?? "", right.session.text, right.run.index, right.run.kind.rawValue
            )
            return leftKey < rightKey
        }
    }

    /// A sentence about what differs between two records' pipelines, data or machines; nil when nothing does.
    ///
    /// What only one of them knows is no difference. Neither is the order of stages, which may vary where they run at the
    /// same time, nor whether files were changed and not committed.
    public static func difference(_ one: RunRecord, _ other: RunRecord) -> String? {
        func differ<Value: Equatable>(
            _ what: String, _ left: Reading<Value>, _ right: Reading<Value>, _ shown: (Value) -> String
        ) -> String? {
            guard let left = left.value, let right = right.value, left != right else { return nil }
            return "\(what) of run \(one.name) is \(shown(left)), that of \(other.name) is \(shown(right))"
        }
        func text(_ value: String) -> String { "'\(PlainText.sanitized(value, maximumCharacters: 200))'" }
        if let difference = differ(
            "the command", .value(one.recipe.arguments), .value(other.recipe.arguments),
            { text($0.joined(separator: " ")) })
        {
            return difference
        }
        if let difference = differ(
            "the standard input", one.recipe.standardInputDigest, other.recipe.standardInputDigest,
            { String($0.prefix(20)) })
        {
            return difference
        }
        if let difference = differ("the data set", one.datasetID, other.datasetID, text) { return difference }
        for key in IdentityKey.allCases where key != .stageGraph && key != .gitDirty {
            if let difference = differ(key.rawValue, one.identity[key], other.identity[key], \.description) {
                return difference
            }
        }
        return nil
    }

    /// What distinguishes sessions from a record: a sentence for the first run of each that differs, at most 20.
    static func differences(from first: RunRecord, in records: [RunRecord]) -> [String] {
        var told: Set<VersionName> = []
        var sentences: [String] = []
        for record in records where !told.contains(record.session) {
            guard let difference = difference(first, record) else { continue }
            told.insert(record.session)
            sentences.append(difference)
        }
        return Array(sentences.prefix(20))
            + (sentences.count > 20 ? ["and \(sentences.count - 20) more"] : [])
    }

    /// A sentence about a variable of the environment that was set for one run and not for the other, or to another value; nil for
    /// none.
    ///
    /// A variable counts where one of the recipes has it: the user named it, or set it after the session of the terminal began.
    /// What the other's session began with counts as set for it. Two sessions may well begin with different values.
    public static func environmentDifference(_ one: RunRecord, _ other: RunRecord) -> String? {
        func value(_ name: String, _ record: RunRecord) -> String {
            if let value = record.recipe.variables[name] { return value }
            guard let login = record.loginEnvironment else { return "as after a login" }
            return login.first { $0.name == name }?.value ?? Recipe.Variable.unset
        }
        let names = Set(one.recipe.variables.keys).union(other.recipe.variables.keys)
        guard let name = names.filter({ value($0, one) != value($0, other) }).min() else { return nil }
        func shown(_ record: RunRecord) -> String {
            PlainText.sanitized(value(name, record), maximumCharacters: 80)
        }
        return
            "the variable \(PlainText.sanitized(name, maximumCharacters: 100)) of run \(one.name) is \(shown(one)), that of "
            + "\(other.name) is \(shown(other))"
    }

    /// When the last of the runs was started, to the second.
    fileprivate static func lastStart(_ records: [RunRecord]) -> String {
        guard let last = records.compactMap(\.run.startedAt).max() else { return "not recorded" }
        guard let point = last.firstIndex(of: "."), last.hasSuffix("Z") else { return last }
        return last[..<point] + "Z"
    }

    fileprivate static func sessions(_ records: [RunRecord]) -> [Session] {
        var sessions: [Session] = []
        for record in records {
            var run = record.run
            let observed = run.observed
            run.observed = nil
            // Where a stage's edges come from is reported once a profile, in its stage truth.
            for index in run.stages.indices {
                run.stages[index].source = nil
                run.stages[index].peakMethod = nil
            }
            if sessions.last?.id == record.session.text {
                sessions[sessions.count - 1].runs.append(run)
            } else {
                sessions.append(
                    Session(
                        id: record.session.text, startedAt: run.startedAt,
                        observed: observed ?? ObservedEnvironment(), runs: [run]))
            }
            sessions[sessions.count - 1].canaries.add(record.canaries)
            sessions[sessions.count - 1].takePlace(of: record)
        }
        return sessions
    }

    /// What counted runs executed; nil if none was asked for.
    fileprivate static func counts(_ records: [RunRecord]) -> Reading<FrozenCounts>? {
        let counted = records.filter { $0.run.kind == .counted }
        guard !counted.isEmpty else { return nil }
        let failure = counted.compactMap(\.run.failure?.reason).last
        let good = counted.filter { !$0.run.hasFailed }.compactMap(\.counts)
        if good.isEmpty, let failure { return .unavailable(reason: "the counted run failed: it \(failure)") }
        return FrozenCounts.merged(good)
    }

    /// What all records say of the machine and the source; what only some know is taken from those.
    fileprivate static func identity(_ records: [RunRecord]) -> EnvironmentIdentity {
        var identity = EnvironmentIdentity()
        for key in IdentityKey.allCases where records.contains(where: { $0.identity.facts[key] != nil }) {
            identity[key] = Reading.firstValue(records.map { $0.identity[key] })
        }
        if records.contains(where: { $0.identity[.gitDirty].value == .bool(true) }) {
            identity[.gitDirty] = .value(.bool(true))
        }
        let graphs = Set(records.filter(\.run.counts).compactMap { $0.identity[.stageGraph].value })
        identity[.stageGraph] =
            switch graphs.count {
            case 0: .unavailable(reason: "no stage was seen")
            case 1: graphs.first.map { .value($0) } ?? .unavailable(reason: "no stage was seen")
            default: .unavailable(reason: "stages were entered in another order in some runs")
            }
        return identity
    }

    fileprivate static func episodes(_ records: [RunRecord]) -> Reading<Int> {
        let counted = records.filter(\.run.counts).map(\.episodesProcessed)
        let values = Set(counted.compactMap(\.value))
        guard values.count > 1 else { return Reading.firstValue(counted) }
        let list = values.sorted().map { "\($0)" }.joined(separator: ", ")
        return .unavailable(reason: "runs processed different numbers: \(list)")
    }
}

extension Session {
    /// A session is made on one node. Where a run failed on another before, the node counts that made the others.
    fileprivate mutating func takePlace(of record: RunRecord) {
        guard let its = record.place, place == nil || !record.run.hasFailed else { return }
        place = its
    }
}

extension Reading {
    /// The first of some readings that is a value; without one, why the first is none.
    static func firstValue(_ readings: [Reading]) -> Reading {
        readings.first { $0.value != nil } ?? readings.first ?? .unavailable(reason: "not recorded")
    }
}
