internal import Measurement
internal import YAMLDocument

extension Session {
    init(fields: FieldReader) throws(ProfileError) {
        self.init(
            id: try fields.requiredText("id"), startedAt: try fields.text("started_at"),
            observed: try ObservedEnvironment(try fields.mapping("observed")),
            runs: try fields.mappings("runs").map(Run.init(fields:)))
        canaries = try Canary.list(fields.mapping("canaries"))
        place = try SessionPlace.read(fields)
    }
}

extension Run {
    init(fields: FieldReader) throws(ProfileError) {
        guard let index = try fields.count("index").value else {
            throw .missing(file: fields.file, key: fields.pathOf("index"))
        }
        let kindText = try fields.requiredText("kind")
        guard let kind = RunKind(rawValue: kindText) else {
            let known = RunKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.wrong("kind", .text(kindText), expected: "one of \(known)")
        }
        var stages: [StageRun] = []
        for (name, stage) in try fields.mapping("stages")?.namedStages() ?? [] {
            stages.append(try StageRun(name, fields: stage))
        }
        self.init(
            index: index, kind: kind, startedAt: try fields.text("started_at"),
            exit: try fields.count("exit"),
            use: try ResourceUse(try fields.mapping("totals") ?? fields, key: \.runKey), stages: stages)
        outputDigest = try fields.text("output_digest")
        wallClockStepSeconds = try fields.number("wall_clock_step_s", mayBeNegative: true).value
        if let reason = try fields.text("interrupted") {
            failure = RunFailure(reason, isInterruption: true)
        } else if let reason = try fields.text("failed") {
            failure = RunFailure(reason)
        }
        surroundings = try fields.mapping("surroundings").map(RunEnvironment.init(fields:))
        if let observed = try fields.mapping("observed"), surroundings?.ranges.isEmpty ?? true {
            var environment = surroundings ?? RunEnvironment()
            try environment.takeRanges(fromOlder: observed)
            if environment != RunEnvironment() { surroundings = environment }
        }
        disturbance = try fields.text("disturbed")
        isRepeated = try fields.flag("repeated")
    }
}

extension StageRun {
    init(_ name: StageName, fields: FieldReader) throws(ProfileError) {
        self.init(
            stage: name, entered: try fields.count("entered"), workSeconds: try fields.number("work_s"),
            use: try ResourceUse(fields, key: \.runKey), isShared: try fields.flag("shared"),
            source: try fields.text("source"), peakMethod: try fields.text("peak_method"))
    }
}
