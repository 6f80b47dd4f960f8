internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// A digest by which two runs can find whether they worked on the same and produced the same: SHA-256, so that no one can
/// make other content of the same digest.
struct ContentDigest {
    private var digest = SHA256()

    mutating func add(_ bytes: [UInt8]) { digest.update(bytes) }

    /// Adds a text, distinguished from the next by a byte that no UTF-8 has.
    mutating func add(_ text: String) { add(Array(text.utf8) + [0xFF]) }

    /// Adds a file, read in pieces.
    mutating func add(file path: String) throws(SystemError) {
        let file = try FileDescriptor.open(path, .read)
        while true {
            let piece = try file.read(upTo: 1 << 18)
            if piece.isEmpty { return }
            add(piece)
        }
    }

    /// The algorithm and 64 hexadecimal digits.
    var text: String { "sha256:\(digest.hexadecimal())" }
}
