internal import MessageDigest

/// The digest that shows whether a profile's file was changed.
///
/// It is the SHA-256 of the file without the line that holds it, so that anybody can check it:
/// `grep -v '^content_sha256:' v1.2.0.yaml | sha256sum`.
public struct ContentDigest: Equatable, Sendable {
    /// The key, on a line of its own at the top level.
    public static let key = "content_sha256"

    /// What the file says; nil when it says nothing, as files before schema 2.1 do.
    public var stated: String?
    /// What it is.
    public var computed: String

    /// Whether the file is as it was written; true when it does not say how that was.
    public var agrees: Bool { stated == nil || stated == computed }

    /// The digest of a file's bytes.
    public init(of bytes: [UInt8]) {
        let prefix = Array("\(ContentDigest.key):".utf8)
        var digest = SHA256()
        stated = nil
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            if line.starts(with: prefix) {
                stated = String(decoding: line.dropFirst(prefix.count), as: UTF8.self)
                    .filter { !" \t\r'\"".contains($0) }
            } else {
                digest.update(Array(line) + [UInt8(ascii: "\n")])
            }
        }
        // What follows the last line feed; a file that was written whole has nothing there.
        if let last = bytes.lastIndex(of: UInt8(ascii: "\n")) {
            digest.update(Array(bytes[(last + 1)...]))
        } else {
            digest.update(bytes)
        }
        computed = digest.hexadecimal()
    }

    /// Whether a file that is not as it was written would be with LF in place of CRLF: git's `core.autocrlf` or an editor has
    /// turned its line ends.
    public static func onlyLineEndsDiffer(_ bytes: [UInt8]) -> Bool {
        let carriageReturn = UInt8(ascii: "\r")
        return bytes.contains(carriageReturn) && !ContentDigest(of: bytes).agrees
            && ContentDigest(of: bytes.filter { $0 != carriageReturn }).agrees
    }

    /// What a person should know of such a file, and do about it.
    public static let lineEndsRemedy =
        "Only its line ends differ: something has turned LF into CRLF, as git does with core.autocrlf. Turn them back, and keep "
        + "git from it: echo '*.yaml -text' >> .gitattributes"

    /// A document with the line of its digest, which comes after that of the schema.
    static func insert(into document: [UInt8]) -> [UInt8] {
        let line = "\(key): '\(SHA256.hexadecimal(of: document))'\n"
        let schema = Array("schema_version:".utf8)
        var result: [UInt8] = []
        for part in document.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        {
            result += part + [UInt8(ascii: "\n")]
            if part.starts(with: schema) { result += Array(line.utf8) }
        }
        return result
    }
}
