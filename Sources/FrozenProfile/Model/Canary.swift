public import Measurement

/// Fixed work that was timed beside the runs: it costs the same on an undisturbed machine, whatever the pipeline does.
public struct Canary: Equatable, Sendable {
    /// When it was timed.
    public enum Moment: String, CaseIterable, Sendable {
        case start, middle, end
    }

    /// The kernel with the version of its work, such as `sha256-16MiB-1`. Timings of different names are of different
    /// work and say nothing about each other.
    public var name: String
    /// The durations of each repetition in seconds, in the order in which they were made.
    public var repetitions: [Moment: Reading<[Double]>]

    /// A canary's timings.
    public init(name: String, repetitions: [Moment: Reading<[Double]>] = [:]) {
        self.name = name
        self.repetitions = repetitions
    }

    /// The median repetition at a moment, in seconds.
    public func seconds(at moment: Moment) -> Reading<Double> {
        (repetitions[moment] ?? .unavailable(reason: "not timed at the \(moment.rawValue)")).flatMap {
            seconds in
            FrozenProfile.median(seconds).map { .value($0) } ?? .unavailable(reason: "no repetition")
        }
    }

    /// By how much the slowest moment differs from the fastest, as a share of the fastest: 0.02 is 2 %.
    public var drift: Reading<Double> {
        let readings = Moment.allCases.map { seconds(at: $0) }
        let values = readings.compactMap(\.value)
        guard let least = values.min(), let most = values.max(), least > 0, values.count > 1 else {
            return .unavailable(
                reason: readings.compactMap(\.unavailableReason).first ?? "it was timed only once")
        }
        return .value(most / least - 1)
    }

    /// By how much the work takes longer or shorter from one repetition to the next at one moment, as a share: the median
    /// absolute deviation from each moment's median, scaled to a standard deviation.
    public var scatter: Reading<Double> {
        let moments = Moment.allCases.compactMap { repetitions[$0]?.value }.filter {
            $0.count >= Canary.fewest
        }
        let deviations = moments.flatMap { seconds -> [Double] in
            guard let middle = FrozenProfile.median(seconds), middle > 0 else { return [] }
            // Few values lie nearer to their own median than to the true one.
            let correction = Double(seconds.count) / (Double(seconds.count) - 0.8)
            return seconds.map { ($0 - middle).magnitude / middle * correction }
        }
        guard let deviation = FrozenProfile.median(deviations) else {
            return .unavailable(reason: "it was not repeated \(Canary.fewest) times at any moment")
        }
        return .value(1.4826 * deviation)
    }

    /// Fewer repetitions say nothing of scatter.
    private static let fewest = 5

    /// The drift that scatter alone shows in less than one session of ten, though the machine's speed is the same.
    public var driftByChance: Reading<Double> {
        let counts = Moment.allCases.compactMap { repetitions[$0]?.value?.count }.filter { $0 > 0 }
        let fewest = Double(counts.min() ?? 1)
        // The range of three moments' medians, in deviations of a median (by that of a mean 1.2533). By simulation of
        // normal times, 4.5 is passed by chance in 8 % of sessions at 5 repetitions, in 3 % at 9 and in 2 % at 15: more
        // than the tables of ranges say for it, because the scatter is an estimate too.
        return scatter.map { 4.5 * 1.2533 * $0 / fewest.squareRoot() }
    }

    /// The median over all moments, in seconds: the machine's speed in this session.
    public var seconds: Reading<Double> {
        let all = Moment.allCases.flatMap { repetitions[$0]?.value ?? [] }
        return FrozenProfile.median(all).map { .value($0) } ?? .unavailable(reason: "it was never timed")
    }
}

extension [Canary] {
    /// Takes in what was timed at other moments: repetitions at the same moment follow one another.
    public mutating func add(_ others: [Canary]) {
        for other in others {
            guard let index = firstIndex(where: { $0.name == other.name }) else {
                append(other)
                continue
            }
            for (moment, reading) in other.repetitions {
                if let more = reading.value, let known = self[index].repetitions[moment]?.value {
                    self[index].repetitions[moment] = .value(known + more)
                } else if self[index].repetitions[moment]?.value == nil {
                    self[index].repetitions[moment] = reading
                }
            }
        }
    }
}
