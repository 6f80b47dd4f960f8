public import LinuxSystem

/// The output directory that an observer gives a pipeline, and the command as it is run there.
public struct PipelineDirectory: Hashable, Sendable {
    /// The word in a command that stands for the directory.
    public static let placeholder = "{output_dir}"

    /// The directory, absolute and without links.
    public let path: String

    /// Where the pipeline is to write its status.
    public let location: StatusLocation

    /// A directory made ready for a run: created, and cleared of the status that an earlier run has left.
    ///
    /// - Parameters:
    ///   - directory: The output directory.
    ///   - statusFile: Where the pipeline writes its status, with `{output_dir}` for the directory; nil for a file in it.
    public init(preparing directory: String, statusFile: String? = nil) throws(SystemError) {
        try Files.createDirectories(Files.absolute(directory))
        // Links that lead there now are the user's; one that the pipeline puts on the way is not followed.
        let path = try Files.canonical(Files.absolute(directory))
        self.path = path
        location =
            statusFile.map {
                StatusLocation(statusFile: Files.absolute($0.replacing(Self.placeholder, with: path)))
            } ?? StatusLocation(outputDirectory: path)
        // A status of an earlier run would be taken for this one's.
        for stale in [location.statusFile, location.eventTrace, location.facts] where Files.exists(stale) {
            try Files.remove(stale)
        }
    }

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
