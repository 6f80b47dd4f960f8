public import FrozenProfile

/// Freezing of run records, wherever they were made.
public struct RecordFreezing: Sendable {
    /// The version to freeze.
    public var version: VersionName
    /// Files of records, and directories: of these the records in them and one directory further down.
    public var records: [String]
    /// The YAML file to write; nil for the version's own place in `data/profiles`.
    public var output: String?
    public var writesStageTruth = true
    public var overwrites = false

    /// Records to freeze as a version.
    public init(_ records: [String], as version: VersionName) {
        self.records = records
        self.version = version
    }

    /// Makes the profile with its companions. The same records give the same bytes, in whatever order they are named.
    public func run() throws(CaptureError) -> Capture.Frozen {
        let place = try FreezingPlace(version: version, output: output, overwrites: overwrites)
        let assembly: ProfileAssembly
        do throws(ProfileError) {
            let loaded = try LoadedRecord.load(records)
            guard !loaded.isEmpty else {
                throw ProfileError.notRecord(
                    file: records.joined(separator: "', '"),
                    reason: "There is no file such as 002-measured.json in it.")
            }
            assembly = try ProfileAssembly(loaded, release: version)
        } catch {
            throw .noInput(error.description)
        }
        return try place.freeze(assembly, writesStageTruth: writesStageTruth)
    }
}
