internal import LinuxSystem

/// Decides how libdw may look for a separate debug file.
///
/// Its standard search is by build identifier under `/usr/lib/debug`, then by the file's debug link, then from the
/// debuginfod servers in DEBUGINFOD_URLS. For the last it loads a library with libcurl behind it, 5 MB and 6 ms,
/// even where the variable is not set: so it is not called in vain.
struct DebugFileSearch {
    enum Decision { case standard, byBuildIDOnly, none }

    /// The path of the image the search is for.
    var image: String?
    /// The name the image gives its debug file: untrusted.
    var link: String?
    var buildID: String?

    private static let root = "/usr/lib/debug"

    var decision: Decision {
        let candidates = self.candidates
        // Opening a named pipe would wait for ever, and the link's name is the file's to choose.
        if candidates.contains(where: { Files.exists($0) && !Files.isRegularFile($0) }) {
            return .byBuildIDOnly
        }
        let hasServers = CurrentProcess.environmentVariable("DEBUGINFOD_URLS")?.isEmpty == false
        // A path is the link to a file shared by several debug files; where that is, only libdw knows.
        let isShared = link?.contains("/") == true
        return hasServers || isShared || candidates.contains(where: Files.exists) ? .standard : .none
    }

    /// Where the standard search looks.
    private var candidates: [String] {
        var result: [String] = []
        if let buildID, buildID.utf8.count > 2 {
            result.append("\(Self.root)/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug")
        }
        guard let image else { return result }
        let name = link ?? Files.name(of: image) + ".debug"
        if name.hasPrefix("/") { return result + [name] }
        let directory = Files.directory(of: image)
        result += ["\(directory)/\(name)", "\(directory)/.debug/\(name)", "\(Self.root)/\(name)"]
        // The image's directory under the root, and every tail of it.
        var tail = directory.split(separator: "/")[...]
        while !tail.isEmpty {
            result.append("\(Self.root)/\(tail.joined(separator: "/"))/\(name)")
            tail = tail.dropFirst()
        }
        return result
    }
}
