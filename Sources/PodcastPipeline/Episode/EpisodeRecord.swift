internal import JSONDocument
internal import LinuxSystem
internal import Measurement

/// What is kept of an episode that is done, in `episodes/<name>.json`: written after all its other files, so that an episode
/// with a record is whole. It holds nothing that differs between two runs that did the same.
struct EpisodeRecord: Equatable, Sendable {
    var identityDigest: String
    var fingerprint: String
    var title: String
    var name: String
    var published: Timestamp?
    /// Whether the words come from the feed's transcript or from the audio.
    var source: String
    var speakers: [SpeakerCandidate]
    var mediaSize: ByteCount?
    var mediaDigest: String?
    var audio: Duration?
    var words: Int
    var segments: Int
    var insights: Int
    /// The digest of each file, by its path relative to the output directory.
    var files: [(path: String, digest: String)]

    static func == (left: EpisodeRecord, right: EpisodeRecord) -> Bool {
        left.json.text() == right.json.text()
    }

    var json: JSONOutput {
        var fields: [(String, JSONOutput)] = [
            ("schema_version", .integer(1)), ("identity_sha256", .string(identityDigest)),
            ("fingerprint", .string(fingerprint)), ("title", .string(title)), ("file_name", .string(name)),
        ]
        if let published { fields.append(("published", .string(published.iso8601WithoutFraction))) }
        fields.append(("source", .string(source)))
        fields.append(("speakers", .array(speakers.map(\.json))))
        if let mediaSize { fields.append(("media_bytes", .integer(Int(mediaSize.bytes)))) }
        if let mediaDigest { fields.append(("media_digest", .string(mediaDigest))) }
        if let audio { fields.append(("audio_s", .number(audio.inSeconds, decimals: 3))) }
        fields += [
            ("words", .integer(words)), ("segments", .integer(segments)), ("insights", .integer(insights)),
            ("files", .object(files.map { ($0.path, .string($0.digest)) })),
        ]
        return .object(fields)
    }

    /// The record of an episode, nil when there is none, or none that this version wrote whole.
    static func read(_ path: String) -> EpisodeRecord? {
        guard Files.isRegularFile(path) else { return nil }
        do throws(Files.ReadError) {
            return JSONValue.parse(try Files.read(path, limit: 1 << 20))?.object.flatMap(
                EpisodeRecord.init(fields:))
        } catch {
            // An episode whose record cannot be read is done again.
            return nil
        }
    }

    private init?(fields: [String: JSONValue]) {
        func text(_ key: String) -> String? { fields[key]?.string }
        func count(_ key: String) -> Int? { fields[key]?.number.flatMap { Int(exactly: $0) } }
        guard count("schema_version") == 1, let identity = text("identity_sha256"),
            let print = text("fingerprint"),
            let title = text("title"), let name = text("file_name"), let source = text("source"),
            let words = count("words"), let segments = count("segments"), let insights = count("insights"),
            let files = fields["files"]?.object
        else { return nil }
        let digests = files.compactMap { path, digest in digest.string.map { (path: path, digest: $0) } }
        self.init(
            identityDigest: identity, fingerprint: print, title: title, name: name,
            published: text("published").flatMap(FeedDate.parse), source: source,
            speakers: (fields["speakers"]?.array ?? []).compactMap {
                $0.object.flatMap(SpeakerCandidate.init(fields:))
            },
            mediaSize: count("media_bytes").map { ByteCount(bytes: Int64($0)) },
            mediaDigest: text("media_digest"),
            audio: fields["audio_s"]?.number.flatMap { Duration(secondsFromOutside: $0) }, words: words,
            segments: segments,
            insights: insights, files: digests.sorted { $0.path < $1.path })
    }

    init(
        identityDigest: String, fingerprint: String, title: String, name: String, published: Timestamp?,
        source: String,
        speakers: [SpeakerCandidate], mediaSize: ByteCount?, mediaDigest: String?, audio: Duration?,
        words: Int,
        segments: Int, insights: Int, files: [(path: String, digest: String)]
    ) {
        (self.identityDigest, self.fingerprint, self.title, self.name) = (
            identityDigest, fingerprint, title, name
        )
        (self.published, self.source, self.speakers) = (published, source, speakers)
        (self.mediaSize, self.mediaDigest, self.audio) = (mediaSize, mediaDigest, audio)
        (self.words, self.segments, self.insights, self.files) = (words, segments, insights, files)
    }

    /// Whether all its files are there as they were written.
    func isWhole(in output: OutputFiles) -> Bool {
        files.allSatisfy { file in
            do throws(SystemError) {
                var digest = ContentDigest()
                try digest.add(file: "\(output.directory)/\(file.path)")
                return digest.text == file.digest
            } catch {
                return false
            }
        }
    }
}

extension SpeakerCandidate {
    var json: JSONOutput {
        .object([
            ("name", .string(name)), ("role", .string(role.rawValue)), ("source", .string(source.rawValue)),
            ("evidence", .string(evidence)),
        ])
    }

    init?(fields: [String: JSONValue]) {
        guard let name = fields["name"]?.string,
            let role = fields["role"]?.string.flatMap(Role.init(rawValue:)),
            let source = fields["source"]?.string.flatMap(Source.init(rawValue:))
        else { return nil }
        self.init(name: name, role: role, source: source, evidence: fields["evidence"]?.string ?? "")
    }
}
