internal import Measurement
internal import YAMLDocument

extension FrozenProfile {
    /// The profile as a file: keys in a fixed order, numbers short, the same profile always as the same bytes.
    ///
    /// Written is this version's schema, also for a profile that was read from an older file.
    public func encode() -> [UInt8] {
        var root: YAMLMapping = [
            "schema_version": .text(FrozenProfile.schemaVersion.description),
            "release": .text(release),
            "date": .text(date),
            "dataset_id": datasetID.node { .text($0) },
            "episodes_processed": episodesProcessed.node { .integer(Int64($0)) },
        ]
        if let promoted { root["promoted"] = .mapping(promoted) }
        root["environment"] = environment.node
        var stageNodes = YAMLMapping()
        for stage in stages { stageNodes[stage.stage.text] = stage.node }
        root["stages"] = .mapping(stageNodes)
        root["totals"] = totals.node
        if let captureQuality { root["capture_quality"] = captureQuality.node }
        if let recipe { root["recipe"] = recipe.node }
        if !companions.isEmpty {
            var nodes = YAMLMapping()
            for companion in companions {
                nodes[companion.kind] = .mapping([
                    "file": .text(companion.file), "sha256": .text(companion.sha256),
                    "bytes": .integer(companion.bytes),
                ])
            }
            root["companions"] = .mapping(nodes)
        }
        for entry in other.entries { root[entry.key] = entry.value }
        if !sessions.isEmpty { root["sessions"] = .sequence(sessions.map(\.node)) }
        return YAMLDocument.emit(.mapping(root), comment: FrozenProfile.comment)
    }

    private static let comment = """
        Frozen profile: docs/formats/frozen-profile.md tells every key.
        stages and totals are medians of the measured runs under sessions; do not edit them by hand.
        """
}

extension Reading {
    /// The value as a node, or the reason as the mapping `unavailable`.
    func node(_ convert: (Value) -> YAMLNode) -> YAMLNode {
        switch self {
        case .value(let value): convert(value)
        case .unavailable(let reason): .mapping(["unavailable": .text(reason)])
        }
    }
}

extension Reading<Double> {
    /// The number with so many decimals at most.
    func node(decimals: Int) -> YAMLNode { node { .number($0, decimals: decimals) } }
}

extension Reading<Int> {
    fileprivate var countNode: YAMLNode { node { .integer(Int64($0)) } }
}

extension ResourceUse {
    fileprivate func write(to mapping: inout YAMLMapping, key: (Metric) -> String) {
        for metric in Metric.allCases {
            mapping[key(metric)] = self[metric].node(decimals: metric.decimals)
        }
    }
}

extension StageSummary {
    fileprivate var node: YAMLNode {
        var mapping = YAMLMapping()
        use.write(to: &mapping, key: \.rawValue)
        mapping["share_of_wall"] = shareOfWall.node(decimals: 4)
        if let runs { mapping["runs"] = .integer(Int64(runs)) }
        if isShared { mapping["shared"] = .bool(true) }
        return .mapping(mapping)
    }
}

extension Totals {
    fileprivate var node: YAMLNode {
        var mapping = YAMLMapping()
        use.write(to: &mapping, key: \.rawValue)
        mapping["avg_wall_time_per_episode_s"] = wallSecondsPerEpisode.node(decimals: 6)
        mapping["unattributed_wall_s"] = unattributedWallSeconds.node(decimals: 6)
        mapping["unattributed_cpu_s"] = unattributedCPUSeconds.node(decimals: 6)
        if let runs { mapping["runs"] = .integer(Int64(runs)) }
        for entry in other.entries { mapping[entry.key] = entry.value }
        return .mapping(mapping)
    }
}

extension ProfileEnvironment {
    fileprivate var node: YAMLNode {
        var mapping = other
        var facts = YAMLMapping()
        for key in IdentityKey.allCases {
            guard let fact = identity.facts[key] else { continue }
            facts[key.rawValue] = fact.node(\.node)
        }
        mapping["identity"] = .mapping(facts)
        mapping["observed"] = observed.node
        return .mapping(mapping)
    }
}

extension Fact {
    fileprivate var node: YAMLNode {
        switch self {
        case .text(let text): .text(text)
        case .bool(let flag): .bool(flag)
        case .number(let number): Int64(exactly: number).map { .integer($0) } ?? .number(number, decimals: 3)
        }
    }
}

extension Session {
    fileprivate var node: YAMLNode {
        var mapping: YAMLMapping = ["id": .text(id)]
        if let startedAt { mapping["started_at"] = .text(startedAt) }
        if !observed.isEmpty { mapping["observed"] = observed.node }
        if !canaries.isEmpty { mapping["canaries"] = canariesNode }
        mapping["runs"] = .sequence(runs.map(\.node))
        return .mapping(mapping)
    }
}

extension Run {
    fileprivate var node: YAMLNode {
        var mapping: YAMLMapping = ["index": .integer(Int64(index)), "kind": .text(kind.rawValue)]
        if let startedAt { mapping["started_at"] = .text(startedAt) }
        mapping["exit"] = exit.countNode
        use.write(to: &mapping, key: \.runKey)
        if let surroundings { mapping["surroundings"] = surroundings.node }
        if let disturbance { mapping["disturbed"] = .text(disturbance) }
        var nodes = YAMLMapping()
        for stage in stages { nodes[stage.stage.text] = stage.node }
        mapping["stages"] = .mapping(nodes)
        return .mapping(mapping)
    }
}

extension StageRun {
    fileprivate var node: YAMLNode {
        var mapping: YAMLMapping = ["entered": entered.countNode]
        use.write(to: &mapping, key: \.runKey)
        mapping["work_s"] = workSeconds.node(decimals: 6)
        if isShared { mapping["shared"] = .bool(true) }
        return .mapping(mapping)
    }
}

extension CaptureQuality {
    fileprivate var node: YAMLNode {
        var account: YAMLMapping = ["name": .text(sampler.name)]
        if let reason = sampler.reason { account["reason"] = .text(reason) }
        if sampler.name != "none" {
            account["rate_hz"] = sampler.rateHz.node(decimals: 2)
            account["attempted"] = sampler.attempted.countNode
            account["recorded"] = sampler.recorded.countNode
            account["lost"] = sampler.lost.countNode
            account["truncated"] = sampler.truncated.countNode
            account["unwind_failed"] = sampler.unwindFailed.countNode
            account["unknown_frames_pct"] = sampler.unknownFramesPercent.node(decimals: 2)
        }
        return .mapping([
            "sampler": .mapping(account),
            "perturbation": .mapping([
                "profiled_over_measured_wall": profiledOverMeasuredWall.node(decimals: 4),
                "monitor_cpu_s": monitorCPUSeconds.node(decimals: 6),
                "sampler_cpu_s": samplerCPUSeconds.node(decimals: 6),
            ]),
            "notes": .sequence(notes.map { .text($0) }),
        ])
    }
}

extension Recipe {
    fileprivate var node: YAMLNode {
        var mapping: YAMLMapping = ["argv": .sequence(arguments.map { .text($0) })]
        if let configurationPath {
            mapping["config"] = .mapping([
                "path": .text(configurationPath), "sha256": configurationSHA256.node { .text($0) },
            ])
        }
        mapping["input_sha256"] = inputSHA256.node { .text($0) }
        var variables = YAMLMapping()
        for variable in environment { variables[variable.name] = .text(variable.value) }
        mapping["environment"] = .mapping(variables)
        return .mapping(mapping)
    }
}
