internal import Measurement
internal import YAMLDocument

extension Session {
    /// What the session has besides its runs.
    var frame: YAMLMapping {
        var mapping: YAMLMapping = ["id": .text(id)]
        if let startedAt { mapping["started_at"] = .text(startedAt) }
        if let place { mapping[SessionPlace.key] = place.yaml }
        if !observed.isEmpty { mapping["observed"] = observed.node }
        if !canaries.isEmpty { mapping["canaries"] = Canary.node(canaries) }
        return mapping
    }

    var fields: YAMLMapping {
        var mapping = frame
        mapping["runs"] = .sequence(runs.map(\.node))
        return mapping
    }
}

extension Run {
    /// What the run has besides its stages.
    var frame: YAMLMapping {
        var mapping: YAMLMapping = ["index": .integer(Int64(index)), "kind": .text(kind.rawValue)]
        if let startedAt { mapping["started_at"] = .text(startedAt) }
        writeWhatHappened(to: &mapping)
        use.write(to: &mapping, key: \.runKey)
        return mapping
    }

    var node: YAMLNode {
        var mapping = frame
        var nodes = YAMLMapping()
        for stage in stages { nodes[stage.stage.text] = .mapping(stage.fields) }
        mapping["stages"] = .mapping(nodes)
        return .mapping(mapping)
    }

    /// The keys besides measurements that a profile and a run record have in common.
    func writeWhatHappened(to mapping: inout YAMLMapping) {
        mapping["exit"] = exit.countNode
        if let failure {
            mapping[failure.isInterruption ? "interrupted" : "failed"] = .text(failure.reason)
        }
        if let outputDigest { mapping["output_digest"] = .text(outputDigest) }
        if let wallClockStepSeconds {
            mapping["wall_clock_step_s"] = .number(wallClockStepSeconds, decimals: 3)
        }
        if let surroundings { mapping["surroundings"] = surroundings.node }
        if let disturbance { mapping["disturbed"] = .text(disturbance) }
        if isRepeated { mapping["repeated"] = .bool(true) }
    }
}

extension StageRun {
    var fields: YAMLMapping {
        var mapping: YAMLMapping = ["entered": entered.countNode]
        use.write(to: &mapping, key: \.runKey)
        mapping["work_s"] = workSeconds.node(decimals: 6)
        if isShared { mapping["shared"] = .bool(true) }
        return mapping
    }
}
