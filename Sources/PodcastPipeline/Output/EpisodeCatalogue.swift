internal import LinuxSystem
internal import Measurement

/// The episodes that an output directory holds, by their records.
struct EpisodeCatalogue {
    /// In the order of their dates, the oldest first, those without a date last; of one date by name.
    let records: [EpisodeRecord]
    private let byIdentity: [String: Int]

    /// Reads the records.
    init(_ output: OutputFiles) throws(PipelineFailure) {
        let names: [String]
        do throws(SystemError) {
            names = try Files.names(inDirectory: output.directory + "/episodes")
        } catch {
            throw .output(error)
        }
        let read = names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.compactMap {
            EpisodeRecord.read("\(output.directory)/episodes/\($0)")
        }
        let sorted = read.sorted { left, right in
            let (first, second) = (
                left.published?.nanosecondsSinceEpoch ?? .max, right.published?.nanosecondsSinceEpoch ?? .max
            )
            return (first, left.name) < (second, right.name)
        }
        records = sorted
        byIdentity = Dictionary(sorted.enumerated().map { ($1.identityDigest, $0) }) { first, _ in first }
    }

    func record(of identity: EpisodeIdentity) -> EpisodeRecord? {
        byIdentity[identity.digest].map { records[$0] }
    }

    func record(named name: String) -> EpisodeRecord? { records.first { $0.name == name } }

    /// Writes the search index of all episodes, unless the one that is there is of the same.
    func index(into output: OutputFiles) throws(PipelineFailure) {
        var episodes: [(record: EpisodeRecord, transcript: Transcript)] = []
        for record in records {
            let path = output.path(.timedTranscript, record.name)
            do throws(Files.ReadError) {
                let bytes = try Files.read(path, limit: 256 << 20)
                episodes.append(
                    (record, TranscriptFile.parse(bytes, format: .json) ?? Transcript(segments: [])))
            } catch {
                // The next run finds the record without its file and does the episode again.
                throw PipelineFailure(
                    .output, "The search index lacks an episode. \(PlainText.sanitized("\(error)"))")
            }
        }
        try SearchIndex.write(episodes, to: output.index)
    }
}
