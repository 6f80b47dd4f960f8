/// Collects samples into a profile.
public struct StackProfileBuilder: Sendable {
    private let unit: WeightUnit
    private let period: Duration?
    private var frames: [Frame] = []
    private var frameIDs: [Frame: FrameID] = [:]
    /// What the frames are hashed by where they are parts of stacks.
    private var seeds: [UInt64] = []
    private var interner = StackInterner()
    private var labelSets: [SampleLabels] = [.none]
    private var labelSetIDs: [SampleLabels: Int] = [.none: 0]
    private var sampleStacks: [StackID] = []
    private var sampleLabels: [Int32] = []
    private var weights: [Int64] = []
    /// The sample of each stack without labels, -1 for none: folded text has no others.
    private var unlabelledSamples: [Int32] = []
    private var labelledSamples = PairTable()
    private var totalWeight: Int64 = 0
    /// The build identifiers of the files that frames are of.
    public var buildIDs = BuildIDs()
    /// When the samples were taken; places are those that adding a sample returns.
    public var moments = SampleMoments()

    /// A builder without samples.
    ///
    /// - Parameters:
    ///   - unit: What the weights count.
    ///   - period: The time between two samples, where it is known and constant.
    public init(unit: WeightUnit = .samples, period: Duration? = nil) {
        self.unit = unit
        self.period = period
    }

    /// How many different stacks, callers included, have been made so far.
    package var stackCount: Int { interner.tree.count }

    /// The number of a frame.
    public mutating func id(of frame: Frame) -> FrameID { id(of: frame, hashedBy: nil) }

    /// The number of a frame that a reader finds by a hash of its own. A frame that has been met before keeps what it is
    /// hashed by: its stacks are then found frame by frame.
    mutating func id(of frame: Frame, hashedBy seed: UInt64?) -> FrameID {
        if let known = frameIDs[frame] { return known }
        let id = FrameID(Int32(frames.count))
        frames.append(frame)
        frameIDs[frame] = id
        seeds.append(seed ?? id.seed)
        return id
    }

    /// What a frame is hashed by.
    func seed(of frame: FrameID) -> UInt64 { seeds[frame.position] }

    /// The stack of a caller with one frame more.
    public mutating func stack(under caller: StackID, _ frame: FrameID) -> StackID {
        interner.child(of: caller, frame, hashedBy: seeds[frame.position])
    }

    /// The key that the keys of all stacks begin with: see ``StackInterner``.
    var emptyKey: StackInterner.Key { interner.emptyKey }

    /// The stack with a key, whose last frame is hashed by a number; nil where there is none yet.
    @inline(__always)
    func stack(_ key: StackInterner.Key, lastHashedBy seed: UInt64) -> StackID? {
        guard let stack = interner.find(key) else { return nil }
        return interner.tree.leaf(of: stack).map { seeds[$0.position] } == seed ? stack : nil
    }

    /// The stack of some frames, outermost first.
    public mutating func stack(_ frames: some Sequence<FrameID>) -> StackID {
        var stack = StackID.empty
        for frame in frames { stack = self.stack(under: stack, frame) }
        return stack
    }

    /// The number of a set of labels.
    public mutating func id(of labels: SampleLabels) -> Int {
        if let known = labelSetIDs[labels] { return known }
        labelSets.append(labels)
        labelSetIDs[labels] = labelSets.count - 1
        return labelSets.count - 1
    }

    /// Adds a sample by numbers.
    ///
    /// - Parameters:
    ///   - stack: The stack.
    ///   - weight: Its weight in the profile's unit.
    ///   - labels: The number of its labels; 0 is the empty set.
    /// - Returns: The place of the sample that the weight was added to.
    @discardableResult
    public mutating func add(
        _ stack: StackID, weight: Int64 = 1, labels: Int = 0
    ) throws(StackProfileError) -> Int {
        guard weight >= 0 else { throw .negativeWeight(weight) }
        guard weight <= StackProfile.weightLimit - totalWeight else { throw .totalTooLarge }
        totalWeight += weight
        let next = Int32(weights.count)
        let sample =
            labels == 0
            ? unlabelledSample(stack, newValue: next)
            : labelledSamples.intern(stack.index, Int32(labels), newValue: next)
        if sample == next {
            sampleStacks.append(stack)
            sampleLabels.append(Int32(labels))
            weights.append(weight)
        } else {
            weights[Int(sample)] += weight
        }
        return Int(sample)
    }

    private mutating func unlabelledSample(_ stack: StackID, newValue: Int32) -> Int32 {
        if stack.position >= unlabelledSamples.count {
            unlabelledSamples.append(
                contentsOf: repeatElement(-1, count: interner.tree.count - unlabelledSamples.count))
        }
        if unlabelledSamples[stack.position] < 0 { unlabelledSamples[stack.position] = newValue }
        return unlabelledSamples[stack.position]
    }

    /// Adds a sample.
    ///
    /// - Parameters:
    ///   - frames: The stack's frames, outermost first.
    ///   - weight: Its weight in the profile's unit.
    ///   - labels: Where it was taken.
    public mutating func add(
        _ frames: [Frame], weight: Int64 = 1, labels: SampleLabels = .none
    ) throws(StackProfileError) {
        var stack = StackID.empty
        for frame in frames { stack = self.stack(under: stack, id(of: frame)) }
        try add(stack, weight: weight, labels: id(of: labels))
    }

    /// Adds every sample of a profile in the same unit.
    public mutating func add(_ profile: StackProfile) throws(StackProfileError) {
        guard profile.unit == unit else { throw .differentUnits(unit, profile.unit) }
        buildIDs.merge(profile.buildIDs)
        let frameMap = profile.frames.map { id(of: $0) }
        let labelMap = profile.labelSets.map { id(of: $0) }
        var stackMap = [StackID](repeating: .empty, count: profile.stacks.count)
        profile.stacks.forEachStack { stack, parent, leaf in
            stackMap[stack.position] = self.stack(
                under: stackMap[parent.position], frameMap[leaf.position])
        }
        var places: [Int] = []
        for sample in profile.samples {
            places.append(
                try add(
                    stackMap[sample.stack.position], weight: sample.weight, labels: labelMap[sample.labels]))
        }
        moments.append(contentsOf: profile.moments.moved(to: places))
    }

    /// The profile of everything added so far.
    public func build() -> StackProfile {
        StackProfile(
            unit: unit, period: period, frames: frames, stacks: interner.tree, labelSets: labelSets,
            samples: weights.indices.map {
                StackProfile.Sample(
                    stack: sampleStacks[$0], labels: Int(sampleLabels[$0]), weight: weights[$0])
            }, totalWeight: totalWeight, buildIDs: buildIDs,
            moments: moments)
    }
}
