extension StackProfile {
    /// The profile with a synthetic outermost frame for each label, so that a flamegraph falls into groups.
    ///
    /// - Parameter labels: The labels, outermost group first. Samples without one are grouped as `(no stage)`
    ///   and the like.
    public func grouped(by labels: [GroupingLabel]) -> StackProfile {
        guard !labels.isEmpty else { return self }
        var groupFrames = frames
        var groupIDs: [Frame: FrameID] = [:]
        var interner = StackInterner()
        let heads = labelSets.map { set in
            labels.reduce(StackID.empty) { head, label in
                let frame = label.frame(for: set)
                let id = groupIDs[frame] ?? FrameID(Int32(groupFrames.count))
                if groupIDs.updateValue(id, forKey: frame) == nil { groupFrames.append(frame) }
                return interner.child(of: head, id)
            }
        }
        // Different stacks or labels stay different, so no two samples become one.
        let regrouped = samples.map { sample in
            var stack = heads[sample.labels]
            for frame in stacks.frames(of: sample.stack) { stack = interner.child(of: stack, frame) }
            return Sample(stack: stack, labels: sample.labels, weight: sample.weight)
        }
        return StackProfile(
            unit: unit, period: period, frames: groupFrames, stacks: interner.tree, labelSets: labelSets,
            samples: regrouped, totalWeight: totalWeight)
    }
}
