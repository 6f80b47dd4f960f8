internal import Measurement

/// A JSON value read from untrusted bytes, bounded in depth.
///
/// The project uses Foundation's coder elsewhere. Not here: the monitor child reads this file several times a
/// second for hours, and Foundation's decoder adds 2.6 MB of resident pages to a process that may have 8.
package enum JSONValue: Equatable, Sendable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    case number(Double)
    case bool(Bool)
    case null

    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var number: Double? { if case .number(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The value in some bytes, nil when they are not one JSON text nested at most 16 deep. Of a name that an object has
    /// twice the last value counts.
    ///
    /// - Parameter skippedName: The member of the outermost object whose value is not wanted: it is stepped over, and null.
    package static func parse(_ bytes: [UInt8], skipping skippedName: String? = nil) -> JSONValue? {
        var scanner = JSONScanner(bytes: bytes)
        scanner.skippedName = skippedName
        guard let value = scanner.value(depth: 0) else { return nil }
        scanner.skipSpace()
        return scanner.isAtEnd ? value : nil
    }

    /// The value in some bytes, or where and why they are not one JSON text.
    ///
    /// Stricter than ``parse(_:)``, for files that are evidence: they have to be UTF-8, and a name that an object has
    /// twice is refused, because readers disagree about which value counts.
    package static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var scanner = JSONScanner(bytes: bytes)
        scanner.refusesRepeatedNames = true
        guard bytes.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
            throw JSONError(line: nil, problem: .notUTF8)
        }
        if let value = scanner.value(depth: 0) {
            scanner.skipSpace()
            if scanner.isAtEnd { return value }
        }
        throw JSONError(line: scanner.line, problem: scanner.problem)
    }
}

/// Why bytes are no JSON text.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Problem: Equatable, Sendable {
        case notUTF8
        /// The text ends in the middle of a value.
        case truncated
        case tooDeep(limit: Int)
        case repeatedName(String)
        /// Anything else that RFC 8259 does not allow.
        case syntax
    }

    /// The line, from 1; nil where the whole text is meant.
    package var line: Int?
    package var problem: Problem

    /// One sentence.
    package var description: String {
        let place = line.map { "Line \($0): " } ?? ""
        return switch problem {
        case .notUTF8: "It is not UTF-8 text."
        case .truncated: place + "it ends in the middle of a value; it was cut off."
        case .tooDeep(let limit): place + "it is nested deeper than \(limit)."
        case .repeatedName(let name):
            place
                + "the name '\(PlainText.sanitized(name, maximumCharacters: 60))' is there twice; remove one."
        case .syntax: place + "this is not JSON."
        }
    }
}
