/// A YAML document as bytes.
///
/// Read is the part of YAML that data needs: one document, scalars of the core schema, no anchors, aliases or tags of
/// programs. All of it is bounded, because documents come from outside.
public enum YAMLDocument {
    /// The most bytes of a document that are read unless the caller says otherwise: 16 MiB.
    public static let maximumBytes = 16 << 20
    /// How deep lists and mappings may nest.
    public static let maximumDepth = 64
    /// How many values and keys a document may have.
    public static let maximumNodes = 1_000_000

    /// Which plain scalars are numbers.
    public enum Dialect: Sendable {
        /// The core schema of YAML 1.2.
        case core
        /// As PyYAML writes: `39e4607` is a string, because a number with an exponent has a point.
        case pyYAML
    }

    /// Reads a document. No bytes, or only comments, are the null value.
    ///
    /// - Parameters:
    ///   - bytes: The document, in UTF-8, or in UTF-16 with a byte-order mark.
    ///   - limit: The most bytes accepted.
    ///   - dialect: Which plain scalars are numbers.
    public static func parse(
        _ bytes: [UInt8], limit: Int = maximumBytes, dialect: Dialect = .core
    ) throws(YAMLError) -> YAMLNode {
        guard bytes.count <= limit else {
            throw YAMLError(
                problem: "the document is longer than the \(limit) bytes that are read of one", line: 1,
                column: 1)
        }
        return try YAMLReader.read(bytes, dialect: dialect)
    }

    /// Writes a document in block style: the same node always as the same bytes.
    ///
    /// Strings that a reader of YAML 1.1 or 1.2 would take for something else are quoted; numbers are written as
    /// the shortest decimal that reads back the same.
    ///
    /// - Parameters:
    ///   - node: The document's value.
    ///   - comment: Lines put before it, each after a `#`; control characters in them become `U+FFFD`.
    public static func emit(_ node: YAMLNode, comment: String? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        for line in comment?.split(separator: "\n", omittingEmptySubsequences: false) ?? [] {
            let shown = line.unicodeScalars.map {
                YAMLScalar.needsEscapes(String($0)) ? "\u{FFFD}" : String($0)
            }
            bytes += Array((line.isEmpty ? "#\n" : "# \(shown.joined())\n").utf8)
        }
        return bytes + YAMLWriter.write(node)
    }
}
