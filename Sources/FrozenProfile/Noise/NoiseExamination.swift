internal import Measurement

/// The single detectors of a noise review.
struct NoiseExamination {
    /// Measured runs that ended well, in order.
    let runs: [Run]
    let options: NoiseReview.Options
    let limits: NoiseReview.Limits

    var fewRuns: [NoiseReview.Finding] {
        guard runs.count < limits.runs else { return [] }
        let count = runs.count == 1 ? "One measured run says" : "\(runs.count) measured runs say"
        return [
            .init(
                .fewRuns, "\(count) little about how much the values vary.",
                advice: "Take at least \(limits.runs): --runs \(limits.runs).")
        ]
    }

    /// What went on around the runs: of each kind the worst run.
    var surroundings: [NoiseReview.Finding] {
        [
            worst(.involuntarySwitches, beyond: limits.involuntarySwitchesPerCPUSecond) { run in
                ratio(run.use[.involuntarySwitches].value, run.use.cpuSeconds.value)
            } sentence: { index, value in
                lostCPU(index, perSecond: value)
            } advice: {
                "Stop what else runs on the machine, or give the pipeline fewer threads than there are CPUs."
            },
            worst(.runQueueWait, beyond: limits.runQueueWaitShare) { run in
                ratio(run.use[.runQueueWait].value, run.use.cpuSeconds.value)
            } sentence: { index, value in
                "Run \(index) waited for a CPU for \((100 * value).fixed(0)) % as long as it had one."
            } advice: {
                "Stop what else runs on the machine, or give the pipeline fewer threads than there are CPUs."
            },
            worst(.steal, beyond: limits.stealPercent) {
                $0.surroundings?[.steal].value
            } sentence: {
                "During run \($0) the hypervisor gave \($1.fixed(1)) % of the CPU time to other machines."
            } advice: {
                repeating("Measure on a machine that does not share its CPUs")
            },
            worst(.otherProcesses, beyond: limits.othersPercent) {
                $0.surroundings?[.othersShare].value
            } sentence: {
                "During run \($0) other processes used \($1.fixed(1)) % of the CPU time."
            } advice: {
                repeating("Stop what else runs on the machine")
            },
            worst(.throttling, beyond: 0) { run in
                [run.surroundings?[.thermalThrottles].value, run.surroundings?[.quotaThrottled].value]
                    .compactMap(\.self).max()
            } sentence: { index, _ in
                "During run \(index) the CPUs were held back, by heat or by a quota."
            } advice: {
                "Let the machine cool down between sessions, and raise the quota of the control group."
            },
            worst(.swapping, beyond: limits.disturbingSwapMB) {
                $0.swappedOutMB
            } sentence: {
                "During run \($0) \($1.fixed(0)) MB were swapped out."
            } advice: {
                "Give the machine more memory, or stop what else uses it."
            },
        ].compactMap(\.self)
    }

    /// Drift of the machine is distinguished from scatter of the canary: a drift that the canary's own repetitions may show by
    /// chance is no drift. One that cannot be distinguished for want of repetitions counts as drift.
    func drift(of canaries: [Canary]) -> [NoiseReview.Finding] {
        let moved = canaries.compactMap { canary in
            canary.drift.value.map { (canary: canary, drift: $0, chance: canary.driftByChance.value) }
        }.filter { $0.drift > limits.canaryDrift }
        let certain = moved.filter { $0.drift > $0.chance ?? 0 }
        if let most = certain.max(by: { $0.drift < $1.drift }) {
            let scatter = most.canary.scatter.value.map {
                ", whose repetitions at one moment vary by \((100 * $0).fixed(1)) %"
            }
            return [
                .init(
                    .canaryDrift,
                    "The machine's speed changed by \((100 * most.drift).fixed(1)) % during the session "
                        + "(canary \(name(most.canary))\(scatter ?? "")).",
                    advice: options.canAppend
                        ? "Add a session at a quieter time: --append." : "Measure again at a quieter time.")
            ]
        }
        guard let most = moved.max(by: { $0.drift < $1.drift }), let chance = most.chance else { return [] }
        return [
            .init(
                .canaryScatter,
                "The canary \(name(most.canary)) scatters so much that a change of the machine's speed of "
                    + "\((100 * most.drift).fixed(1)) % may be chance: up to \((100 * chance).fixed(1)) % would be.",
                advice: "Time it more often: --canaries 15.")
        ]
    }

    private func name(_ canary: Canary) -> String {
        PlainText.sanitized(canary.name, maximumCharacters: 60)
    }

    /// What the order of the runs' wall times says.
    var order: [NoiseReview.Finding] {
        let walls = runs.compactMap(\.use.wallSeconds.value)
        var findings: [NoiseReview.Finding] = []
        if let first = walls.first, walls.count >= 4,
            let score = Robust.score(of: first, among: Array(walls.dropFirst())),
            score > limits.firstRunScore
        {
            findings.append(
                .init(
                    .slowFirstRun,
                    "The first measured run was much slower than the others "
                        + "(\(first.fixed(2)) s; their median \(Robust.median(Array(walls.dropFirst())).fixed(2)) s).",
                    advice: options.warmUpRuns == 0
                        ? "Let a warm-up run fill the caches: leave out --skip-warmup."
                        : "One warm-up run was not enough: begin with more, or look for what the first run leaves behind."
                ))
        }
        if let trend = MannKendall(walls), trend.probability < limits.trendProbability {
            findings.append(
                .init(
                    .trend,
                    "The runs became \(trend.sum > 0 ? "slower" : "faster") one after the other "
                        + "(Mann-Kendall, p = \(trend.probability.fixed(4))).",
                    advice: trend.sum > 0
                        ? "Look for what grows from run to run: files, caches, heat."
                        : "Something still warms up: begin with more warm-up runs."))
        }
        if let spread = Robust.spread(walls), walls.count >= 4, spread > limits.spread {
            findings.append(
                .init(
                    .spread, "The wall times of the runs vary by \((100 * spread).fixed(1)) %.",
                    advice:
                        "Smaller changes cannot be distinguished from noise; more runs help only against chance."
                ))
        }
        return findings
    }

    private func repeating(_ advice: String) -> String {
        options.repeatsOfDisturbed == 0
            ? "\(advice), or repeat such runs: --repeat-disturbed 2."
            : "\(advice); --repeat-disturbed was not enough."
    }

    private func worst(
        _ kind: NoiseReview.Kind, beyond limit: Double, _ value: (Run) -> Double?,
        sentence: (Int, Double) -> String, advice: () -> String
    ) -> NoiseReview.Finding? {
        let values = runs.compactMap { run in value(run).map { (index: run.index, value: $0) } }
        guard let most = values.max(by: { $0.value < $1.value }), most.value > limit else { return nil }
        let others = values.filter { $0.value > limit }.count - 1
        let more = others == 0 ? "" : " \(others) more \(others == 1 ? "run" : "runs") had more than usual."
        return .init(kind, sentence(most.index, most.value) + more, advice: advice())
    }

    /// A rate is given for what was counted: of a run that used less than a CPU second, the count itself.
    private func lostCPU(_ index: Int, perSecond rate: Double) -> String {
        let used = runs.first { $0.index == index }?.use.cpuSeconds.value ?? 1
        guard used < 1 else {
            return "Run \(index) lost a CPU to other tasks \(rate.fixed(0)) times in a CPU second."
        }
        return
            "Run \(index) lost a CPU to other tasks \((rate * used).fixed(0)) times in \(Duration.seconds(used).readable) of CPU time."
    }

    private func ratio(_ part: Double?, _ whole: Double?) -> Double? {
        guard let part, let whole, whole > 0 else { return nil }
        return part / whole
    }
}

/// Statistics that one wild value cannot move far.
enum Robust {
    /// The median; not a number for none.
    static func median(_ values: [Double]) -> Double { FrozenProfile.median(values) ?? .nan }

    /// The median absolute deviation, scaled so that it is the standard deviation of normal values.
    static func deviation(_ values: [Double]) -> Double {
        let middle = median(values)
        return 1.4826 * median(values.map { ($0 - middle).magnitude })
    }

    /// By how many deviations a value lies above the median of others: the modified z-score.
    static func score(of value: Double, among others: [Double]) -> Double? {
        guard others.count >= 3 else { return nil }
        // Runs that took the same time to the microsecond still differ by the clock's.
        let deviation = max(deviation(others), 1e-3 * median(others).magnitude, 1e-6)
        return (value - median(others)) / deviation
    }

    /// The deviation as a share of the median.
    static func spread(_ values: [Double]) -> Double? {
        let middle = median(values)
        return values.count >= 2 && middle > 0 ? deviation(values) / middle : nil
    }
}

/// The test of Mann and Kendall for a trend in a row of values, exact for rows without ties.
struct MannKendall {
    /// Pairs in which the later value is larger less those in which it is smaller.
    let sum: Int
    /// The probability of a sum at least as far from zero, either way, when every order is equally likely.
    let probability: Double

    /// The longest row that is tested; of a longer one the last values.
    static let maximumCount = 100

    /// The trend in a row; nil when it is too short to have one.
    init?(_ row: [Double]) {
        let values = row.suffix(Self.maximumCount)
        guard values.count >= 4 else { return nil }
        var sum = 0
        for (place, later) in values.enumerated() {
            for earlier in values.prefix(place) where earlier != later { sum += later > earlier ? 1 : -1 }
        }
        self.sum = sum
        probability = MannKendall.probability(of: sum, count: values.count)
    }

    /// Counts inversions: the chance of k of them in a row of n grows from that in a row of n - 1, where the new value
    /// is larger than none to n - 1 of the others with equal chance. Ties make the sum smaller, and so the test milder.
    private static func probability(of sum: Int, count: Int) -> Double {
        var chances = [1.0]
        for length in 2...count {
            var next = [Double](repeating: 0, count: chances.count + length - 1)
            for (inversions, chance) in chances.enumerated() {
                for added in 0..<length { next[inversions + added] += chance / Double(length) }
            }
            chances = next
        }
        let pairs = count * (count - 1) / 2
        var tail = 0.0
        for (inversions, chance) in chances.enumerated() where abs(pairs - 2 * inversions) >= abs(sum) {
            tail += chance
        }
        return min(1, tail)
    }
}
