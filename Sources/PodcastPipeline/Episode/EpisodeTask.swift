internal import Measurement
internal import Stages

/// An episode that a run has to do, with the names under which its outputs lie.
struct EpisodeTask: Sendable {
    let episode: Feed.Episode
    let position: EpisodePosition
    let title: String
    let name: String
    /// A digest of all that its outputs depend on: what the feed offers, the model and the settings.
    let fingerprint: String

    /// Under which its intermediate files lie: of another input they are others.
    var workName: String { "\(name)-\(fingerprint.suffix(8))" }

    init(
        _ episode: Feed.Episode, position: EpisodePosition, settings: PipelineSettings, model: String,
        earlierName: String?
    ) {
        self.episode = episode
        self.position = position
        title = episode.title.isEmpty ? "Untitled episode" : episode.title
        // Titles change; the files of an episode keep the name that they got first.
        name = earlierName ?? OutputFiles.name(title: episode.title, identity: episode.identity)
        var digest = ContentDigest()
        // Raised whenever the same input gives other outputs.
        digest.add("outputs 1")
        digest.add(model)
        digest.add(settings.transcripts.rawValue)
        digest.add(settings.preset.rawValue)
        digest.add(episode.title)
        // Without the query: addresses are signed anew for each answer of some servers.
        for media in episode.media {
            digest.add(String(media.reference.text.prefix { $0 != "?" && $0 != "#" }))
        }
        for transcript in episode.transcripts {
            digest.add(String(transcript.reference.text.prefix { $0 != "?" }))
        }
        fingerprint = digest.text
    }
}

/// An episode whose input has been fetched.
struct FetchedEpisode: Sendable {
    var task: EpisodeTask
    var report: EpisodeReport
    /// The transcript that the feed offers; nil where the audio has to be transcribed.
    var transcript: Transcript?
}
