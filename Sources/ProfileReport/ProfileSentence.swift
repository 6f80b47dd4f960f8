internal import FrozenProfile
internal import Measurement

/// What a frozen profile says, in one sentence.
enum ProfileSentence {
    static func of(_ profile: FrozenProfile) -> String {
        var parts: [String] = []
        if let wall = profile.totals.use[.wall].value { parts.append("took \(TimelineMarkup.seconds(wall))") }
        if let cpu = profile.totals.use[.cpu].value {
            parts.append("\(TimelineMarkup.seconds(cpu)) of CPU time")
        }
        if let peak = profile.totals.use[.peakResident].value {
            parts.append("\(peak.fixed(0)) MiB at its peak")
        }
        var sentence = "\(profile.release) " + (parts.isEmpty ? "has no totals" : list(parts))
        let longest = profile.stages.compactMap { stage in
            stage.shareOfWall.value.map { (stage.stage.text, $0) }
        }
        .max { $0.1 < $1.1 }
        if let (stage, share) = longest {
            sentence += "; \(stage) is \((100 * share).fixed(0)) % of the time"
        }
        return sentence + "."
    }

    private static func list(_ parts: [String]) -> String {
        parts.count < 2
            ? parts.joined() : parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
    }
}
