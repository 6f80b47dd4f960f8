internal import CMessageDigest
public import LinuxSystem

/// SHA-256 by libmd, as 64 lower-case hexadecimal digits.
public struct SHA256: Sendable {
    private var context = SHA2_CTX()

    /// The digest of no bytes yet.
    public init() {
        SHA256Init(&context)
    }

    /// Adds bytes. The corresponding C function is `SHA256Update`.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { SHA256Update(&context, $0.baseAddress, $0.count) }
    }

    /// The digest of all bytes added.
    public func hexadecimal() -> String {
        var finished = context
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256Final(&digest, &finished)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The digest of some bytes.
    public static func hexadecimal(of bytes: [UInt8]) -> String {
        var digest = SHA256()
        digest.update(bytes)
        return digest.hexadecimal()
    }

    /// The digest and the length of a file, read in pieces.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - trust: How far its place is trusted.
    ///   - expected: The length that it is said to have, in bytes; nil where nothing is said. A file of
    ///     another length is not read: its digest is empty.
    public static func file(
        _ path: String, _ trust: FileTrust = .named, expected: Int64? = nil
    ) throws(SystemError) -> (sha256: String, bytes: Int64) {
        var digest = SHA256()
        var count: Int64 = 0
        do throws(SystemError) {
            let file = try Files.open(path, trust)
            if let expected {
                let length = try file.size()
                guard length == expected else { return ("", length) }
            }
            let limit = expected.map { max(0, $0) + 1 } ?? Int64.max
            while true {
                let piece = try file.read(upTo: Int(min(limit - count, 1 << 18)))
                if piece.isEmpty { return (digest.hexadecimal(), count) }
                digest.update(piece)
                count += Int64(piece.count)
            }
        } catch {
            throw error.during("read '\(path)'")
        }
    }
}
