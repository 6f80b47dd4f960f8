import LinuxSystem

extension GateCheat {
    /// What can be done to the files beside the profiles.
    static let files: [GateCheat] = [
        gate("an empty gate", "", says: "gate.yaml"),
        gate("a gate that is no YAML", "schema_version: [", says: "gate.yaml"),
        gate("a gate of another schema", "schema_version: '2.0'\n", says: "schema_version should be"),
        gate("a misspelt key", "schema_version: '1.0'\nacepted: []\n", says: "perhaps accepted is meant"),
        gate("a key twice", "schema_version: '1.0'\naccepted: []\naccepted: []\n", says: "twice"),
        gate(
            "a ceiling in another unit",
            "schema_version: '1.0'\nceilings:\n- {metric: wall_time_s, unit: ms, maximum: 9000}\n",
            says: "is in 's'"),
        gate(
            "a ceiling of a stage that is not there",
            "schema_version: '1.0'\nceilings:\n- {stage: decode, metric: wall_time_s, unit: s, maximum: 9}\n",
            says: "has a ceiling of decode.wall"),
        gate(
            "a cost over its ceiling",
            "schema_version: '1.0'\nceilings:\n- {metric: wall_time_s, unit: s, maximum: 6.5}\n", code: 1,
            says: "more than the ceiling of 6.500 s"),
        .init(
            description: "a gate that is not there", options: ["--agreements", "/nowhere/gate.yaml"],
            says: "/nowhere/gate.yaml"),
        .init(description: "unreadable rules", says: "regression_rules.yaml") {
            try Files.replace("\($0.path)/regression_rules.yaml", with: "thresholds: {wall_time_s: 5}\n")
        },
        .init(description: "an unreadable noise ledger", says: "noise ledger") {
            try Files.createDirectories("\($0.path)/ledger")
            try Files.replace("\($0.path)/ledger/a.yaml", with: "[")
        },
        .init(description: "an unreadable neighbour", says: "v1a.yaml") {
            try Files.replace("\($0.path)/v1a.yaml", with: "release: [")
        },
    ]

    private static func gate(
        _ description: String, _ text: String, code: Int32 = 3, says: String
    ) -> GateCheat {
        .init(description: description, code: code, says: says) {
            try Files.replace($0.gateFile, with: text)
        }
    }

    /// What can be accepted that does not cover a regression of `transcription.wall` and `total.wall`.
    static let acceptances: [GateCheat] = [
        accepted("another stage", code: 1, says: "transcription.wall: regressed") {
            [GateShelf.acceptance(of: "download", baseline: 1, ceiling: 9), GateShelf.total]
        },
        accepted("another metric", code: 1, says: "transcription.wall: regressed") {
            [
                GateShelf.acceptance(
                    of: "transcription", metric: "cpu_time_s", baseline: 5, ceiling: 9), GateShelf.total,
            ]
        },
        accepted("the stage alone", code: 1, says: "total.wall: regressed") { [GateShelf.stage] },
        accepted("the whole run alone", code: 1, says: "transcription.wall: regressed") { [GateShelf.total] },
        accepted("less than it costs", code: 1, says: "more than the accepted 7.000 s") {
            [GateShelf.acceptance(of: "transcription", baseline: 6, ceiling: 7), GateShelf.total]
        },
        accepted("until yesterday", code: 1, says: "the acceptance ended on") {
            [
                GateShelf.acceptance(of: "transcription", baseline: 6, ceiling: 7.4, daysLeft: -1),
                GateShelf.total,
            ]
        },
        accepted("for ever", says: "more than 366 days") { [set("until", "'9999-12-31'"), GateShelf.total] },
        accepted("until a day that is none", says: "'2026-02-30', which is no day") {
            [set("until", "'2026-02-30'"), GateShelf.total]
        },
        accepted("until a month that is none", says: "which is no day") {
            [set("until", "'2026-13-45'"), GateShelf.total]
        },
        accepted("without a reason", says: "lacks 'reason'") { [without("reason"), GateShelf.total] },
        accepted("with an empty reason", says: "accepted[0].reason") {
            [set("reason", "' '"), GateShelf.total]
        },
        accepted("without an owner", says: "lacks 'owner'") { [without("owner"), GateShelf.total] },
        accepted("without a link", says: "lacks 'link'") { [without("link"), GateShelf.total] },
        accepted("without an end", says: "lacks 'until'") { [without("until"), GateShelf.total] },
        accepted("without a ceiling", says: "lacks 'ceiling'") { [without("ceiling"), GateShelf.total] },
        accepted("up to no number", says: "accepted[0].ceiling") {
            [set("ceiling", ".nan"), GateShelf.total]
        },
        accepted("up to infinity", says: "accepted[0].ceiling") {
            [set("ceiling", ".inf"), GateShelf.total]
        },
        accepted("in another unit", says: "is in 's'") { [set("unit", "ms"), GateShelf.total] },
        accepted("a metric that is none", says: "accepted[0].metric") {
            [set("metric", "time"), GateShelf.total]
        },
        accepted("twice", says: "second acceptance of transcription.wall") {
            [GateShelf.stage, GateShelf.stage, GateShelf.total]
        },
        accepted("a stage that is not there", says: "The gate accepts decode.wall") {
            [GateShelf.stage, GateShelf.total, GateShelf.acceptance(of: "decode", baseline: 1, ceiling: 2)]
        },
        accepted("from a cost that was another", says: "but it cost 6.0") {
            [set("baseline_value", "7.1"), GateShelf.total]
        },
        accepted("from a version that is not there", says: "v9, the baseline of the acceptance") {
            [set("baseline", "v9"), GateShelf.total]
        },
        accepted("for a version that is not there", says: "v9, for which transcription.wall was accepted") {
            [set("version", "v9"), GateShelf.total]
        },
    ]

    /// What an acceptance may not outlive.
    static let memory: [GateCheat] = [
        // Versions that went up and down by as much say that sessions may: undecided, which does not pass either.
        .init(
            description: "accepted, then back, then regressed again", slower: 1.2, from: "v3", to: "v4",
            code: 2,
            says: "has lapsed: v3 had the cost of v1 back"
        ) {
            try $0.freeze("v3", daysAgo: 20)
            try $0.freeze("v4", daysAgo: 10, slower: 1.2)
            try $0.accept([GateShelf.stage, GateShelf.total])
        },
        .init(
            description: "the accepted version becomes the baseline, and the date is over", slower: 1.2,
            from: "v2", to: "v3", code: 1, says: "is not back"
        ) {
            try $0.freeze("v3", daysAgo: 10, slower: 1.2)
            try $0.accept([
                GateShelf.acceptance(of: "transcription", baseline: 6, ceiling: 7.4, daysLeft: -1),
                GateShelf.acceptance(of: nil, baseline: 7, ceiling: 8.4, daysLeft: -1),
            ])
        },
        .init(
            description: "a second regression on top of an accepted one", slower: 1.2, from: "v2", to: "v3",
            code: 1, says: "more than the accepted 7.400 s"
        ) {
            try $0.freeze("v3", daysAgo: 10, slower: 1.4)
            try $0.accept([GateShelf.stage, GateShelf.total])
        },
        .init(
            description: "a baseline that had no such stage", slower: 1.2, says: "which has no value of it"
        ) {
            try $0.freeze("v0", daysAgo: 90, stages: [GateShelf.stages[0]])
            try $0.accept([set("baseline", "v0"), GateShelf.total])
        },
        .init(
            description: "accepting what is not regressed", options: asked("transcription.wall"), code: 64,
            says: "is not regressed, so there is nothing to accept"),
        .init(
            description: "accepting without a reason", slower: 1.2,
            options: ["--accept", "transcription.wall", "--until", GateShelf.day(-30)], code: 64,
            says: "--accept needs --reason"),
        .init(
            description: "accepting until 30 February", slower: 1.2,
            options: asked("transcription.wall", until: "2026-02-30"), code: 64, says: "'2026-02-30'"),
        .init(
            description: "accepting until yesterday", slower: 1.2,
            options: asked("transcription.wall", until: GateShelf.day(1)), code: 64, says: "is over already"),
        .init(
            description: "accepting every stage", slower: 1.2, options: asked("*.wall"), code: 64,
            says: "*.wall is not regressed"),
        .init(
            description: "accepting what rests on an edited baseline", slower: 1.2,
            options: asked("transcription.wall"), says: "content_sha256"
        ) {
            try $0.edit("v1", signed: false) { $0.replacing("release: v1", with: "release: v1 ") }
        },
    ]

    static func asked(_ target: String, until: String = GateShelf.day(-30)) -> [String] {
        [
            "--accept", target, "--until", until, "--reason", "a larger model", "--owner", "ann", "--link",
            "https://example.org/42",
        ]
    }

    private static func accepted(
        _ what: String, code: Int32 = 3, says: String,
        _ items: @escaping @Sendable () -> [[(key: String, value: String)]]
    ) -> GateCheat {
        .init(description: "accepted \(what)", slower: 1.2, code: code, says: says) {
            try $0.accept(items())
        }
    }

    private static func set(_ key: String, _ value: String) -> [(key: String, value: String)] {
        GateShelf.stage.map { $0.key == key ? (key, value) : $0 }
    }

    private static func without(_ key: String) -> [(key: String, value: String)] {
        GateShelf.stage.filter { $0.key != key }
    }
}
