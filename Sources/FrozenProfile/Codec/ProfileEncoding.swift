internal import Measurement
internal import YAMLDocument

extension FrozenProfile {
    /// The profile as a file: keys in a fixed order, numbers short, the same profile always as the same bytes.
    ///
    /// Written is this version's schema. A profile of the older schema stays one: it has no runs of which the values of this
    /// schema would be medians. Only its promotion and its companions are added. Where the raw values stand in a companion,
    /// they are not among the bytes: ``encodeRuns()`` gives those.
    public func encode() -> [UInt8] {
        if let olderDocument { return encodeOlder(olderDocument) }
        let isApart = runsPlace == .companion
        let schema = isApart ? FrozenProfile.schemaVersionWithCompanion : FrozenProfile.schemaVersion
        var root: YAMLMapping = [
            "schema_version": .text(schema.description),
            "release": .text(release),
            "date": .text(date),
            "dataset_id": datasetID.node { .text($0) },
            "episodes_processed": episodesProcessed.node { .integer(Int64($0)) },
        ]
        if isApart { root[FrozenProfile.runsPlaceKey] = .text(runsPlace.rawValue) }
        if let promoted { root["promoted"] = .mapping(promoted) }
        root["environment"] = environment.node
        var stageNodes = YAMLMapping()
        for stage in stages { stageNodes[stage.stage.text] = stage.node }
        root["stages"] = .mapping(stageNodes)
        root["totals"] = totals.node
        if var captureQuality {
            if isApart { captureQuality.runs = [] }
            root["capture_quality"] = captureQuality.node
        }
        if let recipe { root["recipe"] = recipe.node }
        if let counts { root[FrozenCounts.key] = counts.node(\.node) }
        if !companions.isEmpty { root["companions"] = .mapping(Companion.nodes(companions)) }
        for entry in other.entries { root[entry.key] = entry.value }
        if !sessions.isEmpty {
            root["sessions"] = .sequence(sessions.map { .mapping(isApart ? $0.frame : $0.fields) })
        }
        let place = isApart ? "in the companion 'runs'" : "under sessions"
        let comment = """
            Frozen profile: docs/formats/frozen-profile.md describes every key.
            stages and totals are medians of the measured runs \(place); do not edit them by hand.
            """
        return ContentDigest.insert(into: YAMLDocument.emit(.mapping(root), comment: comment))
    }

    private func encodeOlder(_ document: YAMLMapping) -> [UInt8] {
        var root = document
        if let promoted { root["promoted"] = .mapping(promoted) }
        if !companions.isEmpty { root["companions"] = .mapping(Companion.nodes(companions)) }
        return YAMLDocument.emit(.mapping(root), comment: FrozenProfile.olderComment)
    }

    private static let olderComment = """
        Frozen profile of the older schema: of one run, whose resources are shared out among its stages.
        """

    /// The key that says where the raw values stand; absent where they stand in the file.
    static let runsPlaceKey = "raw_values"
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

    /// The number as the metric is frozen; what is counted, without a decimal point.
    func node(of metric: Metric) -> YAMLNode {
        guard metric.decimals == 0 else { return node(decimals: metric.decimals) }
        return node { Int64(exactly: $0.rounded()).map { .integer($0) } ?? .number($0) }
    }
}

extension Reading<Int> {
    var countNode: YAMLNode { node { .integer(Int64($0)) } }
}

extension ResourceUse {
    func write(to mapping: inout YAMLMapping, key: (Metric) -> String) {
        for metric in metrics { mapping[key(metric)] = self[metric].node(of: metric) }
    }
}

extension StageSummary {
    var node: YAMLNode {
        var mapping = YAMLMapping()
        use.write(to: &mapping, key: \.rawValue)
        mapping["share_of_wall"] = shareOfWall.node(decimals: 4)
        if let runs { mapping["runs"] = .integer(Int64(runs)) }
        if isShared { mapping["shared"] = .bool(true) }
        return .mapping(mapping)
    }
}

extension Totals {
    var node: YAMLNode {
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
    var node: YAMLNode {
        var mapping = other
        mapping["identity"] = identity.node
        mapping["observed"] = observed.node
        return .mapping(mapping)
    }
}

extension EnvironmentIdentity {
    var node: YAMLNode {
        var mapping = YAMLMapping()
        for key in IdentityKey.allCases {
            if let fact = facts[key] { mapping[key.rawValue] = fact.node(\.node) }
        }
        return .mapping(mapping)
    }
}

extension Companion {
    /// Files by kind.
    static func nodes(_ companions: [Companion]) -> YAMLMapping {
        var nodes = YAMLMapping()
        for companion in companions {
            nodes[companion.kind] = .mapping([
                "file": .text(companion.file), "sha256": .text(companion.sha256),
                "bytes": .integer(companion.bytes),
            ])
        }
        return nodes
    }
}

extension Fact {
    var node: YAMLNode {
        switch self {
        case .text(let text): .text(text)
        case .bool(let flag): .bool(flag)
        case .number(let number): Int64(exactly: number).map { .integer($0) } ?? .number(number, decimals: 3)
        }
    }
}

extension CaptureQuality {
    var node: YAMLNode {
        var mapping = YAMLMapping()
        if !attempts.isEmpty { mapping["attempts"] = attemptsNode }
        mapping["sampler"] = sampler.node
        let perturbation: YAMLMapping = [
            "profiled_over_measured_wall": profiledOverMeasuredWall.node(decimals: 4),
            "monitor_cpu_s": monitorCPUSeconds.node(decimals: 6),
            "sampler_cpu_s": samplerCPUSeconds.node(decimals: 6),
        ]
        mapping["perturbation"] = .mapping(perturbation)
        if let review {
            mapping["review"] = .mapping([
                "sessions": .integer(Int64(review.sessions)),
                "disturbed_runs": .integer(Int64(review.disturbedRuns)),
                "findings": .sequence(review.findings.map { .text($0) }),
            ])
        }
        if !runs.isEmpty { mapping["runs"] = .sequence(runs.map(\.node)) }
        mapping["notes"] = .sequence(notes.map { .text($0) })
        return .mapping(mapping)
    }

    private var attemptsNode: YAMLNode {
        var nodes = YAMLMapping()
        for kind in RunKind.allCases {
            guard let count = attempts[kind] else { continue }
            nodes[kind.rawValue] = .mapping([
                "attempted": .integer(Int64(count.attempted)), "recorded": .integer(Int64(count.recorded)),
            ])
        }
        return .mapping(nodes)
    }
}

extension CaptureQuality.Sampler {
    var node: YAMLNode {
        var account: YAMLMapping = ["name": .text(name)]
        if let reason { account["reason"] = .text(reason) }
        if name != "none" {
            account["rate_hz"] = rateHz.node(decimals: 2)
            account["attempted"] = attempted.countNode
            account["recorded"] = recorded.countNode
            account["lost"] = lost.countNode
            account["truncated"] = truncated.countNode
            account["unwind_failed"] = unwindFailed.countNode
            account["unknown_frames_pct"] = unknownFramesPercent.node(decimals: 2)
            if let python {
                account["python"] = .mapping([
                    "proven": .integer(Int64(python.proven)), "unproven": .integer(Int64(python.unproven)),
                    "failed": .integer(Int64(python.failed)),
                ])
            }
        }
        return .mapping(account)
    }
}

extension CaptureQuality.RunHealth {
    var node: YAMLNode {
        var mapping: YAMLMapping = ["run": .text(run)]
        if let monitorCPUSeconds { mapping["monitor_cpu_s"] = monitorCPUSeconds.node(decimals: 6) }
        if let sampler { mapping["sampler"] = sampler.node }
        if let samplerCPUSeconds { mapping["sampler_cpu_s"] = samplerCPUSeconds.node(decimals: 6) }
        return .mapping(mapping)
    }
}

extension Recipe {
    var node: YAMLNode {
        var mapping: YAMLMapping = ["argv": .sequence(arguments.map { .text($0) })]
        if let configurationPath {
            mapping["config"] = .mapping([
                "path": .text(configurationPath), "sha256": configurationSHA256.node { .text($0) },
            ])
        }
        if let standardInput {
            mapping["standard_input"] = .mapping([
                "path": .text(standardInput.path), "sha256": standardInput.sha256.node { .text($0) },
            ])
        }
        mapping["input_sha256"] = inputSHA256.node { .text($0) }
        mapping["environment"] = Recipe.Variable.node(environment)
        return .mapping(mapping)
    }
}

extension Recipe.Variable {
    /// Variables by name.
    static func node(_ variables: [Recipe.Variable]) -> YAMLNode {
        var mapping = YAMLMapping()
        for variable in variables { mapping[variable.name] = .text(variable.value) }
        return .mapping(mapping)
    }
}
