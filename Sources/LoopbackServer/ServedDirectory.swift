internal import LinuxSystem

/// The files below one directory, and none beside it.
struct ServedDirectory: Sendable {
    /// The directory with all links resolved.
    let root: String

    init(_ path: String) throws(SystemError) {
        root = try Files.canonical(path)
        // Listing fails for a plain file, and for a directory that may not be read.
        _ = try Files.names(inDirectory: root)
    }

    /// The regular file that a request's path names, nil when there is none inside the directory.
    ///
    /// A link may be followed within the directory; where it leads outside, there is no such file.
    func file(at path: String) -> String? {
        do throws(SystemError) {
            let resolved = try Files.canonical(root + path)
            let inside = root == "/" ? "/" : root + "/"
            return resolved.hasPrefix(inside) && Files.isRegularFile(resolved) ? resolved : nil
        } catch {
            return nil
        }
    }

    /// The media type of a file by its name's ending.
    static func mediaType(of path: String) -> String {
        let name = Files.name(of: path)
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
        return mediaTypes[ending ?? ""] ?? "application/octet-stream"
    }

    private static let mediaTypes = [
        "xml": "application/rss+xml; charset=utf-8", "rss": "application/rss+xml; charset=utf-8",
        "mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "m4a": "audio/mp4",
        "mp4": "video/mp4", "wav": "audio/wav", "flac": "audio/flac", "aac": "audio/aac",
        "txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8",
        "html": "text/html; charset=utf-8", "json": "application/json", "svg": "image/svg+xml",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    ]
}
