internal import LinuxSystem
internal import Measurement

/// Where a run puts its results. No name in it comes from outside unchanged.
struct OutputFiles: Sendable {
    let directory: String

    /// Downloads and samples while they are needed.
    var workDirectory: String { directory + "/.work" }
    var metrics: String { directory + "/metrics.json" }
    var index: String { directory + "/index/search.sqlite" }
    var lock: String { directory + "/.lock" }
    /// The feed as it was last fetched, and how to ask whether it has changed.
    var feedBody: String { directory + "/.feed/body" }
    var feedNote: String { directory + "/.feed/note.json" }

    func record(_ name: String) -> String { "\(directory)/episodes/\(name).json" }
    func media(_ name: String) -> String { "\(workDirectory)/\(name).media" }
    func samples(_ name: String) -> String { "\(workDirectory)/\(name).s16le" }

    /// The files of one episode, by kind, relative to the directory.
    enum Kind: String, CaseIterable, Sendable {
        case transcript = "transcripts/%.txt"
        case timedTranscript = "transcripts/%.json"
        case summary = "summaries/%.txt"
        case insights = "insights/%.json"
        case graph = "graphs/%.json"
        case graphML = "graphs/%.graphml"
    }

    static func relativePath(_ kind: Kind, _ name: String) -> String {
        kind.rawValue.replacing("%", with: name)
    }

    func path(_ kind: Kind, _ name: String) -> String { "\(directory)/\(Self.relativePath(kind, name))" }

    /// Creates the directories.
    func prepare() throws(PipelineFailure) {
        do throws(SystemError) {
            for path in [
                "", "/episodes", "/transcripts", "/summaries", "/insights", "/graphs", "/index", "/.feed",
            ] {
                try Files.createDirectories(directory + path)
            }
            // What others have put in its place goes, a link without being followed.
            if !Files.isOwnDirectory(workDirectory) { try Files.removeTree(workDirectory) }
            try Files.createDirectories(workDirectory)
        } catch {
            throw .output(error)
        }
    }

    /// Removes the work directory: with what is in it, or only when nothing is.
    func removeWork(withContent: Bool) throws(PipelineFailure) {
        do throws(SystemError) {
            let names = withContent ? [] : try Files.names(inDirectory: workDirectory)
            if names.isEmpty { try Files.removeTree(workDirectory) }
        } catch {
            throw .output(error)
        }
    }

    func write(_ text: String, to path: String) throws(PipelineFailure) {
        do throws(SystemError) {
            try Files.replace(path, with: text)
        } catch {
            throw .output(error)
        }
    }

    /// A file name for an episode: what of its title is ASCII letters and digits, 60 at most, and the beginning of the
    /// digest of its identity.
    ///
    /// No slash, no dot, nothing a shell or a terminal heeds can be in it, and two episodes never share one.
    static func name(title: String, identity: EpisodeIdentity) -> String {
        var slug = ""
        for character in title.lowercased() {
            if character.isASCII && (character.isLetter || character.isNumber) {
                slug.append(character)
            } else if !slug.isEmpty && slug.last != "-" && character != "'" && character != "’" {
                slug.append("-")
            }
            if slug.count == 60 { break }
        }
        slug = slug.trimmingSuffix { $0 == "-" }
        return "\(slug.isEmpty ? "episode" : slug)-\(identity.digest.prefix(10))"
    }
}

extension EpisodeIdentity {
    /// 64 hexadecimal digits. What is stored of an identity, which may hold an address with a key in it.
    var digest: String {
        var digest = ContentDigest()
        digest.add(key)
        return String(digest.text.dropFirst("sha256:".count))
    }
}

extension EpisodeIdentity {
    /// A name of a file or directory for what the key identifies: of a title what is harmless, and the beginning of the
    /// key's digest.
    public func name(of title: String) -> String { OutputFiles.name(title: title, identity: self) }
}
