public import LinuxSystem
internal import Measurement

/// The output directory that an observer gives a pipeline, and the command as it is run there.
public struct PipelineDirectory: Hashable, Sendable {
    /// The word in a command that stands for the directory.
    public static let placeholder = "{output_dir}"

    /// The directory, absolute and without links.
    public let path: String

    /// The path that was asked for, absolute, which a link may be part of.
    private let asked: String
    private let node: Files.Node?

    /// Where the pipeline is to write its status.
    public let location: StatusLocation

    /// A directory made ready for a run: created, and cleared of the status that an earlier run has left.
    ///
    /// - Parameters:
    ///   - directory: The output directory.
    ///   - statusFile: Where the pipeline writes its status, with `{output_dir}` for the directory; nil for a file in it.
    public init(preparing directory: String, statusFile: String? = nil) throws(SystemError) {
        asked = Files.absolute(directory)
        try Files.createDirectories(asked)
        // Links that lead there now are the user's; one that the pipeline puts on the way is not followed.
        let path = try Files.canonical(asked)
        self.path = path
        node = Files.node(path)
        location =
            statusFile.map {
                StatusLocation(statusFile: Files.absolute($0.replacing(Self.placeholder, with: path)))
            } ?? StatusLocation(outputDirectory: path)
        // A status of an earlier run would be taken for this one's.
        for stale in [location.statusFile, location.eventTrace, location.facts] where Files.exists(stale) {
            try Files.remove(stale)
        }
    }

    /// A sentence when the directory is not what it was when the run began; nil while it is.
    public var change: String? {
        let shown = "'\(PlainText.sanitized(asked, maximumCharacters: 300))'"
        guard Files.node(path) == node else {
            let now = Files.isDirectory(path) ? "replaced by another one" : "moved away or removed"
            return
                "The output directory \(shown) was \(now) while the run went on: what was written there before is not in it."
        }
        guard Files.node(asked) != node else { return nil }
        return
            "\(shown) led to '\(PlainText.sanitized(path, maximumCharacters: 300))' when the run began, and leads elsewhere now: what "
            + "was written there after that is not read."
    }

    /// A command with the placeholder replaced, wherever in a word it stands.
    public func command(_ words: [String]) -> [String] {
        words.map { $0.replacing(Self.placeholder, with: path) }
    }

    /// What a pipeline finds in its environment.
    public var environment: [String: String] {
        [
            StatusLocation.outputDirectoryVariable: path,
            StatusLocation.statusFileVariable: location.statusFile,
        ]
    }
}
