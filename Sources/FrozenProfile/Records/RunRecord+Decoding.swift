internal import JSONDocument
internal import Measurement
internal import YAMLDocument

extension RunRecord {
    /// Reads a run record.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - name: The file's name, for messages.
    public static func decode(_ bytes: [UInt8], name: String) throws(ProfileError) -> RunRecord {
        do throws(ProfileError) {
            return try read(bytes, name: name)
        } catch {
            // The same reader serves profiles, where the remedy is another.
            switch error {
            case .missing(let file, let key): throw .missingInRecord(file: file, key: key)
            case .wrongValue(let file, let key, let found, let expected):
                throw .wrongRecord(file: file, key: key, found: found, expected: expected)
            default: throw error
            }
        }
    }

    private static func read(_ bytes: [UInt8], name: String) throws(ProfileError) -> RunRecord {
        let fields = try FieldReader(
            file: name, path: "", node: try document(bytes, name: name), reasonWhenMissing: "not recorded")
        guard try fields.text("schema") == schemaName else {
            throw .notRecord(file: name, reason: "Its key schema does not say '\(schemaName)'.")
        }
        let schema = try SchemaVersion(fields, example: schemaVersion)
        guard schema.major <= schemaVersion.major else {
            throw .newerSchema(file: name, found: schema, supported: schemaVersion)
        }
        let sessionText = try fields.requiredText("session")
        let session: VersionName
        do throws(ProfileError) {
            session = try VersionName(sessionText)
        } catch {
            throw fields.wrong(
                "session", .text(sessionText), expected: "letters, digits and . _ + -, such as 's1'")
        }
        guard let recipe = try fields.mapping("recipe") else { throw .missing(file: name, key: "recipe") }
        var record = RunRecord(
            toolVersion: try fields.requiredText("tool_version"), release: try fields.textReading("release"),
            session: session, run: try Run(fields: fields), recipe: try Recipe(fields: recipe),
            program: try fields.textReading("program"), datasetID: try fields.textReading("dataset_id"),
            episodesProcessed: try fields.count("episodes_processed"),
            identity: try fields.mapping("identity").map(EnvironmentIdentity.init(fields:))
                ?? EnvironmentIdentity(),
            monitor: try fields.mapping("monitor").map(Monitor.init(fields:)),
            sampler: try fields.mapping("sampler").map(CaptureQuality.Sampler.init(fields:))
                ?? .none(reason: "not recorded"),
            samplerCPUSeconds: try fields.number("sampler_cpu_s"))
        if let observed = try fields.mapping("observed")?.mapping("before") {
            record.run.observed = try ObservedEnvironment(observed)
        }
        record.loginEnvironment = try fields.mapping("login_environment").map(Recipe.Variable.list)
        record.place = try SessionPlace.read(fields)
        record.openStages = try fields.texts("open_stages").compactMap { StageName($0) }
        record.leftOutput = try fields.text("left_output")
        record.files = try fields.companions("files")
        record.counts = try fields.mapping(FrozenCounts.key).map(FrozenCounts.init(_:))
        record.canaries = try Canary.list(fields.mapping("canaries"))
        record.notes = try fields.texts("notes")
        record.nodes = try Node.read(fields)
        record.transitions = try transitions(fields)
        record.transitionsLeftOut = try fields.count("transitions_left_out").value ?? 0
        return record
    }

    /// The document as the node that the fields are read from: the list of stages as a mapping by name.
    private static func document(_ bytes: [UInt8], name: String) throws(ProfileError) -> YAMLNode {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.read(bytes)
        } catch {
            throw .notRecord(file: name, reason: error.description)
        }
        guard var root = YAMLNode(value).asMapping else {
            throw .notRecord(file: name, reason: "It is no JSON object.")
        }
        guard let stages = root["stages"]?.asSequence else { throw .missing(file: name, key: "stages") }
        var byName = YAMLMapping()
        for (index, stage) in stages.enumerated() {
            guard let text = stage["stage"]?.asText, byName[text] == nil else {
                throw .wrongValue(
                    file: name, key: "stages[\(index)]", found: stage.kindInWords,
                    expected: "a stage with a name of its own")
            }
            byName[text] = stage
        }
        root["stages"] = .mapping(byName)
        return .mapping(root)
    }

    private static func transitions(_ fields: FieldReader) throws(ProfileError) -> [StageTruth.Transition] {
        guard let node = fields.mapping["transitions"] else { return [] }
        guard let items = node.asSequence, items.count <= StageTruth.maximumTransitions else {
            throw fields.wrong(
                "transitions", node, expected: "a list of at most \(StageTruth.maximumTransitions)")
        }
        var transitions: [StageTruth.Transition] = []
        transitions.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let parts = item.asSequence, (3...5).contains(parts.count),
                let seconds = parts[0].asNumber, seconds.magnitude < 1e9,
                let event = parts[1].asText, event == "begin" || event == "end",
                let stage = parts[2].asText.flatMap({ StageName($0) })
            else {
                throw fields.wrong(
                    "transitions[\(index)]", item, expected: "seconds, 'begin' or 'end', and a stage")
            }
            transitions.append(
                StageTruth.Transition(
                    seconds: seconds, stage: stage, isBegin: event == "begin",
                    episode: parts.dropFirst(3).compactMap(\.asInteger).first.flatMap { Int(exactly: $0) },
                    node: parts.dropFirst(3).compactMap(\.asText).first))
        }
        return transitions
    }
}

extension RunRecord.Monitor {
    fileprivate init(fields: FieldReader) throws(ProfileError) {
        self.init(
            cpuSeconds: try fields.number("cpu_s"), peakResidentMB: try fields.number("peak_rss_mb"),
            ticks: try fields.count("ticks").value ?? 0, logLines: try fields.count("log_lines"),
            lostLogLines: try fields.count("log_lines_lost").value ?? 0)
        intervalSeconds = try fields.number("interval_s")
    }
}
