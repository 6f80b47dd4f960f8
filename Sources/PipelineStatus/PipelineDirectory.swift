public import LinuxSystem

/// The output directory that an observer gives a pipeline, and the command as it is run there.
public struct PipelineDirectory: Hashable, Sendable {
    /// The word in a command that stands for the directory.
    public static let placeholder = "{output_dir}"

    /// The directory, absolute.
    public let path: String

    /// A directory made ready for a run: created, and cleared of the status that an earlier run has left.
    public init(preparing directory: String) throws(SystemError) {
        path = Files.absolute(directory)
        try Files.createDirectories(path)
        // A status of an earlier run would be taken for this one's.
        for stale in [location.statusFile, location.eventTrace, location.facts] where Files.exists(stale) {
            try Files.remove(stale)
        }
    }

    /// Where the pipeline is to write its status.
    public var location: StatusLocation { StatusLocation(outputDirectory: path) }

    /// A command with the placeholder replaced, wherever in a word it stands.
    public func command(_ words: [String]) -> [String] {
        words.map { $0.replacing(Self.placeholder, with: path) }
    }

    /// What a pipeline is told in its environment.
    public var environment: [String: String] {
        [
            StatusLocation.outputDirectoryVariable: path,
            StatusLocation.statusFileVariable: location.statusFile,
        ]
    }
}
