import LinuxSystem

/// A way to make a gate pass that should not.
struct GateCheat: CustomStringConvertible {
    var description: String
    /// How many times as long `v2` takes to transcribe.
    var slower = 1.0
    var from = "v1"
    var to = "v2"
    var options: [String] = []
    /// The exit code, and part of what is said.
    var code: Int32 = 3
    var says: String
    var act: @Sendable (GateShelf) throws -> Void = { _ in }
}

extension GateCheat {
    static let all = profiles + sides + files + acceptances + memory

    /// What can be done to a profile.
    static let profiles: [GateCheat] = [
        .init(description: "a stage is deleted", says: "Stage transcription has vanished") {
            try $0.freeze("v2", daysAgo: 30, stages: [GateShelf.stages[0]])
        },
        .init(description: "a stage is renamed", says: "Stage transcription has vanished") {
            var stages = GateShelf.stages
            stages[1].name = "transcribe"
            try $0.freeze("v2", daysAgo: 30, slower: 1, stages: stages)
        },
        .init(description: "the new version's file is emptied", says: "v2.yaml") {
            try Files.replace("\($0.path)/v2.yaml", with: "")
        },
        .init(description: "the baseline's file is emptied", says: "v1.yaml") {
            try Files.replace("\($0.path)/v1.yaml", with: "")
        },
        .init(description: "the file is cut off", says: "v2.yaml") { shelf in
            try shelf.edit("v2", signed: false) { String($0.prefix($0.count / 2)) }
        },
        .init(description: "the baseline is edited by hand", says: "content_sha256: the profile says") {
            try $0.edit("v1", signed: false) { $0.replacing("  wall_time_s: 6.", with: "  wall_time_s: 9.") }
        },
        .init(
            description: "the baseline is edited, and its digest put right",
            says: "stages.transcription.wall_time_s: the profile says"
        ) {
            try $0.edit("v1", signed: true) {
                $0.replacing("wall_time_s: 6.", with: "wall_time_s: 9.", maxReplacements: 1)
            }
        },
        .init(description: "the digest is taken out", says: "has no content_sha256") {
            try $0.edit("v1", signed: false) { text in
                text.split(separator: "\n", omittingEmptySubsequences: false)
                    .filter { !$0.hasPrefix("content_sha256:") }.joined(separator: "\n")
            }
        },
        .init(description: "a value is not a number", says: "not a number") {
            try $0.edit("v2", signed: true) { GateCheat.replaceFirst("wall_time_s:", with: ".nan", in: $0) }
        },
        .init(description: "a value is infinite", says: "infinite") {
            try $0.edit("v2", signed: true) { GateCheat.replaceFirst("peak_rss_mb:", with: ".inf", in: $0) }
        },
        .init(description: "a value is negative", says: "-1") {
            try $0.edit("v2", signed: true) { GateCheat.replaceFirst("wall_time_s:", with: "-1.0", in: $0) }
        },
        .init(description: "a metric is in another unit", says: "wall_time") {
            try $0.edit("v2", signed: true) { $0.replacing("wall_time_s:", with: "wall_time_ms:") }
        },
        .init(description: "a metric is renamed", says: "v2 has no value of total.rss") {
            try $0.edit("v2", signed: true) { $0.replacing("peak_rss_mb:", with: "peak_rss:") }
        },
        .init(description: "a key is there twice", says: "twice") {
            try $0.edit("v2", signed: true) { $0 + "release: v2\n" }
        },
        .init(description: "the new version has no runs", says: "v2") {
            try $0.freeze("v2", daysAgo: 30, sessions: [])
        },
        .init(description: "its runs did nothing", says: "is 0 in v2, which no run can cost") {
            let idle = GateShelf.stages.map { GateShelf.Stage(name: $0.name, wall: 0, cpu: 0, peak: 0) }
            try $0.freeze("v2", daysAgo: 30, stages: idle)
        },
        .init(description: "another machine", says: "differs") {
            try $0.freeze("v2", daysAgo: 30, machine: "faster")
        },
    ]

    /// What can be given for the two sides.
    static let sides: [GateCheat] = [
        .init(description: "a version against itself", from: "v2", says: "Both sides are v2"),
        .init(description: "the sides swapped", from: "v2", to: "v1", says: "the sides are swapped"),
        .init(description: "no baseline", from: "v9", says: "v9"),
        .init(description: "no new version", to: "v9", says: "v9"),
        .init(description: "a stale baseline", says: "older than v2, more than 180") {
            try $0.freeze("v1", daysAgo: 300)
        },
        .init(description: "a version of tomorrow", says: "is yet to come") {
            try $0.freeze("v2", daysAgo: -3)
        },
        .init(
            description: "a regressed version becomes the baseline", slower: 1.2, from: "v2", to: "v3",
            says: "v2 is itself regressed against v1: "
        ) { try $0.freeze("v3", daysAgo: 10, slower: 1.2) },
        .init(
            description: "edited profiles allowed", options: ["--allow", "edited"], code: 64, says: "edited"),
        .init(
            description: "a budget of a misspelt stage", options: ["--budget", "transcripton.wall=90"],
            code: 64, says: "transcripton"),
    ]

    private static func replaceFirst(_ key: String, with value: String, in text: String) -> String {
        guard let place = text.firstRange(of: key) else { return text }
        let end = text[place.upperBound...].firstIndex(of: "\n") ?? text.endIndex
        return text.replacingCharacters(place.upperBound..<end, with: " \(value)")
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, with text: String) -> String {
        var copy = self
        copy.replaceSubrange(range, with: text)
        return copy
    }
}
