internal import LinuxSystem

/// What a downloaded file is by its first bytes, where that is plain: for a sentence better than ffmpeg's.
enum MediaKind {
    /// What a file is that cannot be heard, as a phrase; nil for what ffmpeg should judge.
    static func unhearable(_ path: String) throws(SystemError) -> String? {
        let head: [UInt8]
        do throws(Files.ReadError) {
            head = try Files.readBeginning(path, limit: 512)
        } catch {
            guard case .system(let cause) = error else { return nil }
            throw cause
        }
        if head.isEmpty { return "an empty file" }
        for (magic, meaning) in binary where head.starts(with: magic) { return meaning }
        let text = String(decoding: head, as: UTF8.self).trimmed.lowercased()
        for (start, meaning) in textual where text.hasPrefix(start) { return meaning }
        return nil
    }

    private static let binary: [([UInt8], String)] = [
        ([0xFF, 0xD8, 0xFF], "a JPEG picture"), ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"),
        (Array("GIF8".utf8), "a GIF picture"), (Array("%PDF".utf8), "a PDF document"),
        ([0x50, 0x4B, 0x03, 0x04], "a zip archive"), ([0x1F, 0x8B], "a gzip file"),
    ]
    private static let textual = [
        ("<!doctype html", "a web page"), ("<html", "a web page"), ("<?xml", "an XML document"),
        ("#extm3u", "a playlist"), ("[playlist]", "a playlist"), ("{", "a JSON document"),
    ]
}
