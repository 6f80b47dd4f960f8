internal import JSONDocument
internal import Measurement

extension StageTruth {
    /// The most bytes of a file that are read.
    public static let maximumBytes = 64 << 20

    /// The truth in a file of this schema, or in one of the Python pipeline's (`profile_stage_truth_version` 1).
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - name: The file's name, for messages.
    public static func decode(_ bytes: [UInt8], name: String) throws(ProfileError) -> StageTruth {
        guard bytes.count <= maximumBytes else { throw .tooLong(file: name, limit: maximumBytes) }
        guard let document = JSONValue.parse(bytes) else {
            throw .wrongValue(
                file: name, key: "the document", found: "not JSON, or cut off", expected: "an object")
        }
        guard let object = document.object else {
            throw .wrongValue(
                file: name, key: "the document", found: "not an object", expected: "an object")
        }
        let fields = TruthFields(file: name, path: "", object: object)
        if let schema = object["schema_version"] {
            guard let major = schema.string?.split(separator: ".").first.flatMap({ Int($0) }) else {
                throw fields.wrong("schema_version", expected: "a version such as \"2\"")
            }
            guard major <= 2 else {
                throw .newerSchema(
                    file: name, found: SchemaVersion(major: major, minor: 0),
                    supported: SchemaVersion(major: 2, minor: 0))
            }
            return try current(fields)
        }
        guard object["profile_stage_truth_version"]?.number == 1 else {
            throw .missing(file: name, key: "schema_version")
        }
        return try older(fields)
    }

    private static func current(_ fields: TruthFields) throws(ProfileError) -> StageTruth {
        var stages: [Stage] = []
        for stage in try fields.objects("stages") {
            stages.append(
                Stage(
                    stage: try stage.stageName("stage"), entered: try stage.count("entered"),
                    use: try stage.use { $0.runKey }, source: try stage.requiredText("source"),
                    workSeconds: try stage.number("work_s")))
        }
        var transitions: [Transition] = []
        for transition in try fields.objects("transitions") {
            let event = try transition.requiredText("event")
            guard event == "begin" || event == "end" else {
                throw transition.wrong("event", expected: "begin or end")
            }
            guard let seconds = try transition.number("at_s", mayBeNegative: true).value else {
                throw .missing(file: fields.file, key: transition.pathOf("at_s"))
            }
            transitions.append(
                Transition(
                    seconds: seconds, stage: try transition.stageName("stage"), isBegin: event == "begin",
                    episode: try transition.count("episode").value, node: try transition.text("node").value))
        }
        var truth = StageTruth(
            release: try fields.requiredText("release"), datasetID: try fields.text("dataset_id"),
            generatedAt: try fields.requiredText("generated_at"),
            run: try fields.required("run").use { $0.runKey }, stages: stages, transitions: transitions,
            monitor: try monitor(fields), sourceFile: try fields.text("source_metrics_path"),
            sampleIntervalSeconds: try fields.number("sample_interval_s"))
        truth.transitionsLeftOut = try fields.count("transitions_left_out").value ?? 0
        return truth
    }

    /// The Python pipeline's files have no order of stages and no transitions.
    private static func older(_ fields: TruthFields) throws(ProfileError) -> StageTruth {
        let walls = try fields.required("wall_seconds_by_stage")
        let resources = try fields.object("resource_by_stage_psutil")
        var stages: [Stage] = []
        for key in walls.object.keys.sorted() {
            guard let name = StageName(key) else { throw walls.wrong(key, expected: "a stage with a name") }
            var use =
                try resources?.object(key)?.use { $0.rawValue }
                ?? .unavailable("not recorded by the older schema")
            use.wallSeconds = try walls.number(key)
            stages.append(
                Stage(
                    stage: name, entered: .unavailable(reason: "not recorded by the older schema"), use: use,
                    source: "shares of the run's wall time"))
        }
        var run = ResourceUse.unavailable("not recorded by the older schema")
        run.wallSeconds = try fields.number("run_wall_s")
        run.peakResidentMB = try fields.number("global_peak_rss_mb_sampled")
        return StageTruth(
            release: try fields.requiredText("release"), datasetID: try fields.text("dataset_id"),
            generatedAt: "", run: run, stages: stages, transitions: [], monitor: try monitor(fields),
            sourceFile: try fields.text("source_metrics_path"),
            sampleIntervalSeconds: try fields.number("sample_interval_s"))
    }

    private static func monitor(_ fields: TruthFields) throws(ProfileError) -> Monitor {
        guard let monitor = try fields.object("rfc065_monitor") else {
            return Monitor(
                isEnabled: false, lines: .unavailable(reason: "there was no monitor"),
                bytes: .unavailable(reason: "there was no monitor"))
        }
        return Monitor(
            isEnabled: try monitor.flag("enabled"),
            forcedFileLogVariable: try monitor.text("forced_file_log_env").value,
            sourceLog: try monitor.text("source_log").value,
            archivedLog: try monitor.text("archived_log").value, lines: try monitor.count("lines"),
            bytes: try monitor.count("bytes"), note: try monitor.text("note").value)
    }
}
