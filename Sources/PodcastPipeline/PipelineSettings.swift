internal import LinuxSystem

/// What one run works on.
public struct PipelineSettings: Equatable, Sendable {
    /// The feed's address, http or https.
    public var feedURL: String
    /// Created when missing; results of an earlier run of the same feed are replaced.
    public var outputDirectory: String
    /// The most episodes processed, in the feed's order; all when nil.
    public var maximumEpisodes: Int?
    /// A PocketSphinx model laid out like Debian's pocketsphinx-en-us.
    public var modelDirectory: String

    /// Where Debian's pocketsphinx-en-us puts its model.
    public static let defaultModelDirectory = SpeechModel.defaultDirectory

    /// Settings for a feed.
    public init(
        feedURL: String, outputDirectory: String, maximumEpisodes: Int? = nil,
        modelDirectory: String = defaultModelDirectory
    ) {
        self.feedURL = feedURL
        self.outputDirectory = outputDirectory
        self.maximumEpisodes = maximumEpisodes
        self.modelDirectory = modelDirectory
    }
}
