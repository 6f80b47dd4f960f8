internal import LinuxSystem
internal import Measurement

/// Where a run puts its results. No name in it comes from outside unchanged.
struct OutputFiles: Sendable {
    let directory: String

    /// Downloads and samples while they are needed; removed at the end.
    var workDirectory: String { directory + "/.work" }
    var metrics: String { directory + "/metrics.json" }
    var index: String { directory + "/index/segments.json" }

    func transcript(_ name: String) -> String { "\(directory)/transcripts/\(name).txt" }
    func summary(_ name: String) -> String { "\(directory)/summaries/\(name).txt" }

    /// Creates the directories, the work directory empty.
    func prepare() throws(PipelineFailure) {
        do throws(SystemError) {
            for path in ["", "/transcripts", "/summaries", "/index"] {
                try Files.createDirectories(directory + path)
            }
            // What a run that was killed has left behind; a link is removed, not followed.
            try Files.removeTree(workDirectory)
            try Files.createDirectories(workDirectory)
        } catch {
            throw .output(error)
        }
    }

    func removeWork() throws(PipelineFailure) {
        do throws(SystemError) {
            try Files.removeTree(workDirectory)
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

    /// A file name for an episode: its position and what of its title is ASCII letters and digits, 60 at most.
    ///
    /// No slash, no dot, nothing a shell or a terminal heeds can be in it, and two episodes never share one.
    static func name(position: Int, title: String) -> String {
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
        return "\(position.zeroPadded(to: 4))-\(slug.isEmpty ? "episode" : slug)"
    }
}
