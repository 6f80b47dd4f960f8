public import FrozenProfile
internal import Measurement

/// The stages of a frozen profile as comma-separated values (RFC 4180): a row a stage, then one of the whole run.
public enum StageCSV {
    /// The file's bytes. A value that could not be had is an empty field: it is not zero.
    public static func write(_ profile: FrozenProfile) -> [UInt8] {
        var text =
            (["release", "stage", "share_of_wall"] + Metric.allCases.map(\.rawValue)).joined(separator: ",")
            + "\r\n"
        for stage in profile.stages {
            text += row(profile, stage.stage.text, stage.shareOfWall, stage.use)
        }
        text += row(profile, "", .value(1), profile.totals.use)
        return Array(text.utf8)
    }

    private static func row(
        _ profile: FrozenProfile, _ stage: String, _ share: Reading<Double>, _ use: ResourceUse
    ) -> String {
        let counts = profile.counts?.value
        let name = stage.isEmpty ? nil : StageName(stage)
        let values = Metric.allCases.map { metric in
            // What counted runs have comes before what a counter of the CPU has.
            let value = counts?.reading(of: metric, in: name).value ?? use[metric].value
            return value.map { $0.fixed(metric.decimals) } ?? ""
        }
        let cells =
            [CSVText.field(profile.release), CSVText.field(stage), share.value.map { $0.fixed(6) } ?? ""]
            + values
        return cells.joined(separator: ",") + "\r\n"
    }
}
