internal import Measurement
internal import YAMLDocument

extension FrozenProfile {
    /// Reads a profile of this schema, or of the older RFC-064 files.
    ///
    /// Of a profile whose raw values stand in a companion, the sessions have no runs until ``takeRuns(_:name:)``.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - name: The file's name, for messages.
    public static func decode(_ bytes: [UInt8], name: String) throws(ProfileError) -> FrozenProfile {
        let root = try document(bytes, name: name, dialect: .core)
        let whole = try FieldReader(file: name, path: "", node: root, reasonWhenMissing: "not recorded")
        let schema = try SchemaVersion(whole)
        guard schema.major <= FrozenProfile.schemaVersionWithCompanion.major else {
            throw .newerSchema(
                file: name, found: schema, supported: FrozenProfile.schemaVersionWithCompanion)
        }
        if schema.major > SchemaVersion.older.major { return try FrozenProfile(whole, schema: schema) }
        // PyYAML wrote it, which leaves a commit such as 39e4607 unquoted.
        let older = try FieldReader(
            file: name, path: "", node: try document(bytes, name: name, dialect: .pyYAML),
            reasonWhenMissing: "not recorded by the older schema")
        return try FrozenProfile(older, schema: schema)
    }

    private init(_ fields: FieldReader, schema: SchemaVersion) throws(ProfileError) {
        let isOlder = schema.major <= SchemaVersion.older.major
        let stages = try FrozenProfile.stages(fields, isOlder: isOlder)
        guard let totals = try fields.mapping("totals") else {
            throw .missing(file: fields.file, key: "totals")
        }
        self.init(
            schema: schema, release: try fields.requiredText("release"),
            date: try fields.date("date"),
            datasetID: try fields.textReading("dataset_id"),
            episodesProcessed: try fields.count("episodes_processed"),
            environment: try ProfileEnvironment(fields, isOlder: isOlder), stages: stages,
            totals: try Totals(totals))
        if isOlder { olderDocument = fields.mapping }
        if let place = try fields.text(FrozenProfile.runsPlaceKey) {
            guard let known = RunsPlace(rawValue: place) else {
                throw fields.wrong(
                    FrozenProfile.runsPlaceKey, .text(place), expected: "'inline' or 'companion'")
            }
            runsPlace = known
        }
        promoted = try fields.mapping("promoted")?.mapping
        captureQuality = try fields.mapping("capture_quality").map(CaptureQuality.init(fields:))
        recipe = try fields.mapping("recipe").map(Recipe.init(fields:))
        companions = try fields.companions("companions")
        counts = try .decode(fields)
        sessions = try fields.mappings("sessions").map(Session.init(fields:))
        for entry in fields.mapping.entries where !FrozenProfile.knownKeys.contains(entry.key) {
            other[entry.key] = entry.value
        }
    }

    private static func document(
        _ bytes: [UInt8], name: String, dialect: YAMLDocument.Dialect
    ) throws(ProfileError) -> YAMLNode {
        do throws(YAMLError) {
            return try YAMLDocument.parse(bytes, dialect: dialect)
        } catch {
            throw .notYAML(file: name, error)
        }
    }

    private static let knownKeys: Set = [
        "schema_version", ContentDigest.key, runsPlaceKey, "release", "date", "dataset_id",
        "episodes_processed",
        "promoted", "environment",
        "stages", "totals", "capture_quality", "recipe", "companions", "sessions",
        FrozenCounts.key,
    ]

    private static func stages(_ fields: FieldReader, isOlder: Bool) throws(ProfileError) -> [StageSummary] {
        guard let all = try fields.mapping("stages") else {
            throw .missing(file: fields.file, key: "stages")
        }
        var stages: [StageSummary] = []
        for (name, stage) in try all.namedStages() {
            var use = try ResourceUse(stage, key: \.rawValue)
            if isOlder, use.peakResidentMB.value == 0 {
                // A process that ran had memory: the older writer puts 0 where no sample fell into a short stage.
                let reason = "0 in the older schema, where no sample fell into the stage"
                use.peakResidentMB = .unavailable(reason: reason)
                if use.averageCPUPercent.value == 0 { use.averageCPUPercent = .unavailable(reason: reason) }
            }
            stages.append(
                StageSummary(
                    stage: name, use: use, shareOfWall: try stage.number("share_of_wall"),
                    runs: try stage.count("runs").value, isShared: try stage.flag("shared")))
        }
        return stages
    }
}

extension FieldReader {
    /// A day, with or without a time.
    func date(_ key: String) throws(ProfileError) -> String {
        let text = try requiredText(key)
        guard CalendarDate.isValid(text) else {
            throw wrong(key, .text(text), expected: "a date such as 2026-02-10T14:20:00Z")
        }
        return text
    }

    /// Files by kind, under a key.
    func companions(_ key: String) throws(ProfileError) -> [Companion] {
        guard let all = try mapping(key) else { return [] }
        var companions: [Companion] = []
        for kind in all.mapping.keys {
            guard let one = try all.mapping(kind) else { continue }
            guard let bytes = try one.count("bytes").value else {
                throw .missing(file: self.file, key: one.pathOf("bytes"))
            }
            let file = try one.requiredText("file")
            let sha256 = try one.requiredText("sha256")
            // Commands that need the companion open this name: it must not lead out of the directory.
            guard !file.contains("/"), file != ".", file != ".." else {
                throw one.wrong(
                    "file", .text(file), expected: "the name of a file in the profile's directory")
            }
            guard sha256.utf8.count == 64, sha256.allSatisfy(\.isHexDigit) else {
                throw one.wrong("sha256", .text(sha256), expected: "64 hexadecimal digits")
            }
            companions.append(Companion(kind: kind, file: file, sha256: sha256, bytes: Int64(bytes)))
        }
        return companions
    }

    /// Each entry of a mapping of stages.
    func namedStages() throws(ProfileError) -> [(StageName, FieldReader)] {
        var stages: [(StageName, FieldReader)] = []
        var seen: Set<StageName> = []
        for key in mapping.keys {
            guard let name = StageName(key), seen.insert(name).inserted, let fields = try mapping(key) else {
                throw .wrongValue(
                    file: file, key: path, found: "a mapping with the key '\(key)'",
                    expected: "a mapping of stages, each with a name of its own")
            }
            stages.append((name, fields))
        }
        return stages
    }
}

extension SchemaVersion {
    init(_ fields: FieldReader, example: SchemaVersion = FrozenProfile.schemaVersion) throws(ProfileError) {
        let key = "schema_version"
        guard let node = fields.mapping[key], !node.isNull else {
            self = .older
            return
        }
        let text = node.asText ?? node.asInteger.map { "\($0)" } ?? node.asNumber.map { "\($0)" } ?? ""
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard let major = parts.first ?? nil, (0...9999).contains(major),
            parts.dropFirst().allSatisfy({ $0.map { $0 >= 0 } ?? false })
        else { throw fields.wrong(key, node, expected: "a version such as '\(example)'") }
        self.init(major: major, minor: parts.count > 1 ? parts[1] ?? 0 : 0)
    }
}

extension ResourceUse {
    init(_ fields: FieldReader, key: (Metric) -> String) throws(ProfileError) {
        self = .unavailable(fields.reasonWhenMissing)
        for metric in Metric.allCases where fields.mapping[key(metric)] != nil {
            self[metric] = try fields.number(key(metric))
        }
    }
}

extension Totals {
    init(_ fields: FieldReader) throws(ProfileError) {
        self.init(
            use: try ResourceUse(fields, key: \.rawValue),
            wallSecondsPerEpisode: try fields.number("avg_wall_time_per_episode_s"),
            unattributedWallSeconds: try fields.number("unattributed_wall_s", mayBeNegative: true),
            unattributedCPUSeconds: try fields.number("unattributed_cpu_s", mayBeNegative: true),
            runs: try fields.count("runs").value)
        let known = Set(Metric.allCases.map(\.rawValue)).union(
            ["avg_wall_time_per_episode_s", "unattributed_wall_s", "unattributed_cpu_s", "runs"])
        for entry in fields.mapping.entries where !known.contains(entry.key) {
            other[entry.key] = entry.value
        }
    }
}

extension ProfileEnvironment {
    /// Keys of the older schema that say what an identity key says.
    private static let olderKeys: [IdentityKey: String] = [
        .cpuModel: "cpu", .operatingSystem: "os", .pipelineVersion: "package_version", .gitCommit: "git_sha",
        .gitDirty: "git_dirty", .usableCPUs: "cpu_cores_logical", .memoryClass: "ram_total_gb",
    ]

    init(_ fields: FieldReader, isOlder: Bool) throws(ProfileError) {
        self.init(identity: EnvironmentIdentity(), observed: ObservedEnvironment())
        guard let all = try fields.mapping("environment") else { return }
        if let recorded = try all.mapping("identity") {
            identity = try EnvironmentIdentity(fields: recorded)
        } else if isOlder {
            for key in IdentityKey.allCases {
                let olderKey = ProfileEnvironment.olderKeys[key]
                identity[key] =
                    if let olderKey { try all.fact(olderKey) } else {
                        .unavailable(reason: fields.reasonWhenMissing)
                    }
            }
            if case .value(.number(let gibibytes)) = identity[.memoryClass] {
                identity[.memoryClass] = .value(.number(EnvironmentIdentity.memoryClass(gibibytes)))
            }
        }
        observed = try ObservedEnvironment(try all.mapping("observed"))
        for entry in all.mapping.entries where entry.key != "identity" && entry.key != "observed" {
            other[entry.key] = entry.value
        }
    }
}

extension EnvironmentIdentity {
    init(fields: FieldReader) throws(ProfileError) {
        self.init()
        for key in IdentityKey.allCases where fields.mapping[key.rawValue] != nil {
            self[key] = try fields.fact(key.rawValue)
        }
    }
}

extension Recipe {
    init(fields: FieldReader) throws(ProfileError) {
        let configuration = try fields.mapping("config")
        let variables = try fields.mapping("environment").map(Variable.list) ?? []
        self.init(
            arguments: try fields.texts("argv"), configurationPath: try configuration?.text("path"),
            configurationSHA256: try configuration?.textReading("sha256")
                ?? .unavailable(reason: "there is no configuration file"),
            inputSHA256: try fields.textReading("input_sha256"), environment: variables)
        guard let input = try fields.mapping("standard_input") else { return }
        standardInput = StandardInput(
            path: try input.requiredText("path"), sha256: try input.textReading("sha256"))
    }
}

extension Recipe.Variable {
    /// The variables of a mapping by name.
    static func list(_ fields: FieldReader) throws(ProfileError) -> [Recipe.Variable] {
        var variables: [Recipe.Variable] = []
        for name in fields.mapping.keys {
            variables.append(Recipe.Variable(name: name, value: try fields.text(name) ?? ""))
        }
        return variables
    }
}

extension CaptureQuality {
    init(fields: FieldReader) throws(ProfileError) {
        let sampler = try fields.mapping("sampler").map(Sampler.init(fields:))
        let perturbation = try fields.mapping("perturbation")
        func cost(_ key: String) throws(ProfileError) -> Reading<Double> {
            try perturbation?.number(key) ?? .unavailable(reason: fields.reasonWhenMissing)
        }
        self.init(
            sampler: sampler ?? .none(reason: fields.reasonWhenMissing),
            profiledOverMeasuredWall: try cost("profiled_over_measured_wall"),
            monitorCPUSeconds: try cost("monitor_cpu_s"),
            samplerCPUSeconds: try cost("sampler_cpu_s"), notes: try fields.texts("notes"),
            runs: try fields.mappings("runs").map(RunHealth.init(fields:)))
        if let known = try fields.mapping("review") {
            review = Review(
                sessions: try known.count("sessions").value ?? 0,
                disturbedRuns: try known.count("disturbed_runs").value ?? 0,
                findings: try known.texts("findings"))
        }
        guard let counts = try fields.mapping("attempts") else { return }
        for kind in RunKind.allCases {
            guard let count = try counts.mapping(kind.rawValue) else { continue }
            guard let attempted = try count.count("attempted").value,
                let recorded = try count.count("recorded").value
            else { throw .missing(file: count.file, key: count.pathOf("attempted")) }
            attempts[kind] = RunAttempts(attempted: attempted, recorded: recorded)
        }
    }
}

extension CaptureQuality.Sampler {
    init(fields: FieldReader) throws(ProfileError) {
        let name = try fields.requiredText("name")
        let reason = try fields.text("reason")
        if name == "none" {
            self = .none(reason: reason ?? fields.reasonWhenMissing)
            return
        }
        self.init(
            name: name, reason: reason,
            rateHz: try fields.number("rate_hz"), attempted: try fields.count("attempted"),
            recorded: try fields.count("recorded"), lost: try fields.count("lost"),
            truncated: try fields.count("truncated"), unwindFailed: try fields.count("unwind_failed"),
            unknownFramesPercent: try fields.number("unknown_frames_pct"),
            python: try fields.mapping("python").map { (counts) throws(ProfileError) in
                try PythonStacks(fields: counts)
            })
    }
}

extension CaptureQuality.Sampler.PythonStacks {
    fileprivate init(fields: FieldReader) throws(ProfileError) {
        func count(_ key: String) throws(ProfileError) -> Int {
            guard let count = try fields.count(key).value else {
                throw .missing(file: fields.file, key: fields.pathOf(key))
            }
            return count
        }
        self.init(
            proven: try count("proven"), unproven: try count("unproven"), failed: try count("failed"))
    }
}

extension CaptureQuality.RunHealth {
    init(fields: FieldReader) throws(ProfileError) {
        func reading(_ key: String) throws(ProfileError) -> Reading<Double>? {
            fields.mapping[key] == nil ? nil : try fields.number(key)
        }
        self.init(
            run: try fields.requiredText("run"), monitorCPUSeconds: try reading("monitor_cpu_s"),
            sampler: try fields.mapping("sampler").map(CaptureQuality.Sampler.init(fields:)),
            samplerCPUSeconds: try reading("sampler_cpu_s"))
    }
}
