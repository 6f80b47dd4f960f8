internal import Measurement

/// Weighted stacks with labels: what a sampler saw, with names.
///
/// Frames, stacks and sets of labels are stored once and referred to by number. Every pair of a stack and a
/// set of labels occurs in at most one sample. Made by ``StackProfileBuilder`` or read from a file.
public struct StackProfile: Sendable {
    /// What the weights count.
    public let unit: WeightUnit
    /// The time between two samples; nil when it is not known or not constant.
    public let period: Duration?
    /// The frames that ``FrameID`` numbers.
    public let frames: [Frame]
    /// The stacks that ``StackID`` numbers.
    public let stacks: StackTree
    /// The sets of labels that ``Sample/labels`` numbers.
    public let labelSets: [SampleLabels]
    /// The samples, in order of first appearance.
    public let samples: [Sample]
    /// The sum of all weights, at most ``weightLimit``.
    public let totalWeight: Int64
    /// The build identifiers of the files that frames are of, by ``Frame/module``, where they are known.
    public internal(set) var buildIDs = BuildIDs()
    /// When the samples were taken, where that was kept.
    public internal(set) var moments = SampleMoments()

    /// The largest total a profile may have: the largest whole number that JavaScript holds exactly.
    public static let weightLimit: Int64 = 1 << 53 - 1

    /// All samples with one stack and one set of labels.
    public struct Sample: Hashable, Sendable {
        /// The stack.
        public let stack: StackID
        /// The index of the labels in ``StackProfile/labelSets``.
        public let labels: Int
        /// How much there was of it, in the profile's unit; never negative.
        public let weight: Int64
    }

    /// The labels of a sample.
    public func labels(of sample: Sample) -> SampleLabels { labelSets[sample.labels] }

    /// The frames of a sample, outermost first.
    public func frames(of sample: Sample) -> [Frame] {
        stacks.frames(of: sample.stack).map { frames[$0.position] }
    }

    /// A frame by its number.
    public subscript(id: FrameID) -> Frame { frames[id.position] }

    /// A profile without samples.
    public static func empty(unit: WeightUnit = .samples) -> StackProfile {
        StackProfileBuilder(unit: unit).build()
    }

    /// The samples whose labels a condition accepts.
    public func filtered(_ isIncluded: (SampleLabels) -> Bool) -> StackProfile {
        let accepted = labelSets.map(isIncluded)
        let kept = samples.filter { accepted[$0.labels] }
        return StackProfile(
            unit: unit, period: period, frames: frames, stacks: stacks, labelSets: labelSets, samples: kept,
            totalWeight: kept.reduce(0) { $0 + $1.weight })
    }

    /// The same samples, each said to be of a run.
    ///
    /// - Parameter run: The run as `SESSION/INDEX`, such as `s1/4`.
    public func labelled(run: String) -> StackProfile {
        var builder = StackProfileBuilder(unit: unit, period: period)
        let relabelled = StackProfile(
            unit: unit, period: period, frames: frames, stacks: stacks,
            labelSets: labelSets.map { set in
                var set = set
                set.run = run
                return set
            }, samples: samples, totalWeight: totalWeight, buildIDs: buildIDs, moments: moments)
        do throws(StackProfileError) {
            // Sets that only their run distinguished are one now, so their samples may have to be added up.
            try builder.add(relabelled)
        } catch {
            preconditionFailure("a profile of the same unit and total can be added to an empty one: \(error)")
        }
        return builder.build()
    }

    /// This profile and another in one.
    ///
    /// - Throws: ``StackProfileError`` when weights count different things, or their sum is too large.
    public func merged(with other: StackProfile) throws(StackProfileError) -> StackProfile {
        var builder = StackProfileBuilder(unit: unit, period: period == other.period ? period : nil)
        if unit == .samples, let period, let otherPeriod = other.period, period != otherPeriod {
            throw .differentPeriods(period, otherPeriod)
        }
        try builder.add(self)
        try builder.add(other)
        return builder.build()
    }
}

/// Why weights could not be added.
public enum StackProfileError: Error, Equatable, CustomStringConvertible {
    /// One profile counts samples, the other nanoseconds.
    case differentUnits(WeightUnit, WeightUnit)
    /// Both count samples, but taken at different rates.
    case differentPeriods(Duration, Duration)
    /// A weight is negative.
    case negativeWeight(Int64)
    /// The total would exceed ``StackProfile/weightLimit``.
    case totalTooLarge

    /// One sentence.
    public var description: String {
        switch self {
        case .differentUnits(let one, let other):
            "A profile in \(one.name) cannot be merged with one in \(other.name): "
                + "capture both with the same unit."
        case .differentPeriods(let one, let other):
            "A profile sampled every \(one.inNanoseconds) ns cannot be merged with one sampled every "
                + "\(other.inNanoseconds) ns: their samples stand for different times."
        case .negativeWeight(let weight): "A sample cannot weigh \(weight): weights start at 0."
        case .totalTooLarge:
            "The weights of a profile may add up to \(StackProfile.weightLimit) at most."
        }
    }
}
