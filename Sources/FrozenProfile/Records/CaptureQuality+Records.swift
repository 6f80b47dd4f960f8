internal import Measurement

extension CaptureQuality {
    /// The account over some records, in order.
    init(_ records: [RunRecord]) {
        let ended = records.filter { !$0.run.hasFailed }
        let measured = ended.filter(\.run.counts)
        let profiled = ended.filter { $0.run.kind == .profiled }
        let named = records.map { ($0.name, $0.run) }
        self.init(
            sampler: Sampler(profiled, reasonForNone: measured.last?.sampler.reason),
            profiledOverMeasuredWall: .unavailable(reason: ""), monitorCPUSeconds: .unavailable(reason: ""),
            samplerCPUSeconds: .unavailable(reason: ""),
            notes: [RunAttempts.note(named)].compactMap(\.self) + CaptureQuality.notes(ended)
                + CaptureQuality.outputNotes(measured),
            runs: ended.compactMap(RunHealth.init))
        attempts = RunAttempts.byKind(records.map(\.run))
        derivePerturbation(from: named)
    }

    /// Computes what is derived from the runs and from each run's account.
    ///
    /// - Parameter named: All runs, each with its name as `SESSION/INDEX`.
    mutating func derivePerturbation(from named: [(name: String, run: Run)]) {
        let kinds = Dictionary(named.map { ($0.name, $0.run) }) { first, _ in first }
        func walls(_ isIncluded: (Run) -> Bool) -> [Double] {
            named.map(\.run).filter(isIncluded).compactMap(\.use.wallSeconds.value)
        }
        if let measured = FrozenProfile.median(walls(\.counts)), measured > 0 {
            profiledOverMeasuredWall =
                FrozenProfile.median(walls { $0.kind == .profiled && !$0.hasFailed })
                .map { .value(($0 / measured).rounded(decimals: 4)) }
                ?? .unavailable(reason: "no run was profiled")
        } else {
            profiledOverMeasuredWall = .unavailable(reason: "no measured run has a wall time")
        }
        monitorCPUSeconds = CaptureQuality.median(
            runs.filter { kinds[$0.run]?.counts ?? false }.compactMap(\.monitorCPUSeconds),
            none: "no measured run was watched")
        samplerCPUSeconds = CaptureQuality.median(
            runs.compactMap(\.samplerCPUSeconds), none: "no run was profiled")
    }

    private static func median(_ readings: [Reading<Double>], none: String) -> Reading<Double> {
        if let median = FrozenProfile.median(readings.compactMap(\.value)) {
            return .value(median.rounded(decimals: 6))
        }
        return readings.first ?? .unavailable(reason: none)
    }

    /// The records' notes, each once: one that differs only in its numbers is reported with how many runs had it.
    private static func notes(_ records: [RunRecord]) -> [String] {
        var order: [String] = []
        var seen: [String: (first: String, runs: Int)] = [:]
        for record in records {
            for note in Set(record.notes).sorted() {
                let kind = note.filter { !$0.isNumber && $0 != "." }
                if seen[kind] == nil { order.append(kind) }
                seen[kind] = (seen[kind]?.first ?? note, (seen[kind]?.runs ?? 0) + 1)
            }
        }
        return order.compactMap { seen[$0] }.map { note, runs in
            runs > 1 ? "\(note) (One of \(runs) runs of which this is said.)" : note
        }
    }

    /// A sentence when runs of the same pipeline on the same input produced different things.
    private static func outputNotes(_ records: [RunRecord]) -> [String] {
        let digests = records.compactMap { record in record.run.outputDigest.map { (record.name, $0) } }
        guard let first = digests.first,
            let other = digests.first(where: { $0.1 != first.1 && DigestText.areComparable($0.1, first.1) })
        else {
            return []
        }
        return [
            "The output of run \(first.0) has the digest \(DigestText.short(first.1)), that of run \(other.0) "
                + "\(DigestText.short(other.1)): the runs did not do the same."
        ]
    }
}

extension CaptureQuality.RunHealth {
    /// The account of a run that was watched or sampled; nil for one that was neither.
    init?(_ record: RunRecord) {
        let isProfiled = record.run.kind == .profiled
        guard record.monitor != nil || isProfiled else { return nil }
        self.init(
            run: record.name, monitorCPUSeconds: record.monitor?.cpuSeconds,
            sampler: isProfiled ? record.sampler : nil,
            samplerCPUSeconds: isProfiled ? record.samplerCPUSeconds : nil)
    }
}

extension CaptureQuality.Sampler {
    /// The account over profiled runs: counts are sums.
    fileprivate init(_ profiled: [RunRecord], reasonForNone: String?) {
        let accounts = profiled.map(\.sampler)
        guard let first = accounts.first(where: { $0.name != "none" }) else {
            self = .none(reason: accounts.first?.reason ?? reasonForNone ?? "no run was profiled")
            return
        }
        self = CaptureQuality.Sampler.sum(of: accounts.filter { $0.name != "none" }, like: first)
    }

    /// The account over several: counts are sums, the share of unknown frames is weighted by samples.
    static func sum(of accounts: [Self], like first: Self) -> Self {
        var names: [String] = []
        for account in accounts where !names.contains(account.name) { names.append(account.name) }
        func sum(_ key: KeyPath<Self, Reading<Int>>) -> Reading<Int> {
            var total = 0
            for account in accounts {
                guard let value = account[keyPath: key].value else { return account[keyPath: key] }
                total += value
            }
            return .value(total)
        }
        var unknown = first.unknownFramesPercent
        let shares = accounts.compactMap { account in
            account.unknownFramesPercent.value.map { ($0, Double(account.recorded.value ?? 1)) }
        }
        let weight = shares.reduce(0) { $0 + $1.1 }
        if weight > 0 {
            unknown = .value((shares.reduce(0) { $0 + $1.0 * $1.1 } / weight).rounded(decimals: 2))
        }
        return Self(
            name: names.joined(separator: " and "), reason: first.reason, rateHz: first.rateHz,
            attempted: sum(\.attempted), recorded: sum(\.recorded), lost: sum(\.lost),
            truncated: sum(\.truncated), unwindFailed: sum(\.unwindFailed), unknownFramesPercent: unknown,
            python: total(of: accounts.compactMap(\.python)))
    }

    private static func total(of counts: [PythonStacks]) -> PythonStacks? {
        guard var sum = counts.first else { return nil }
        for count in counts.dropFirst() {
            sum.proven += count.proven
            sum.unproven += count.unproven
            sum.failed += count.failed
        }
        return sum
    }
}
