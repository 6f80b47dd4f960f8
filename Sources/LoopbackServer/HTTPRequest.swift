/// An HTTP/1.x request, as far as this server heeds it.
package struct HTTPRequest: Equatable, Sendable {
    enum Method: Equatable, Sendable {
        case get
        case head
    }

    /// Why a request is not served: the status that says so.
    package enum Problem: Error, Equatable {
        /// Not HTTP, or a path that climbs out of the directory: 400.
        case malformed
        /// Another method than GET and HEAD: 405.
        case methodNotAllowed
        /// More than `maximumBytes` of header: 431.
        case tooLong

        var status: Int {
            switch self {
            case .malformed: 400
            case .methodNotAllowed: 405
            case .tooLong: 431
            }
        }
    }

    var method: Method
    /// The path with its percent-escapes decoded, without the query, starting with a slash.
    var path: String
    /// The host and port that the client meant.
    var host: String?
    /// The offset of a `Range: bytes=N-`; nil for the whole file.
    var rangeStart: Int?
    /// The tag of the version that the client has, of `If-None-Match`.
    var knownTag: String?
    /// The tag of the version of which a part is wanted, of `If-Range`.
    var rangeTag: String?

    /// The most bytes of header that are read.
    static let maximumBytes = 8192

    /// The request whose header these bytes begin with.
    package static func parse(_ header: [UInt8]) throws(Problem) -> HTTPRequest {
        guard let lineEnd = header.firstIndex(of: UInt8(ascii: "\r")) else { throw .malformed }
        let words = header[..<lineEnd].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8) else { throw .malformed }
        let method: Method
        switch String(decoding: words[0], as: UTF8.self) {
        case "GET": method = .get
        case "HEAD": method = .head
        default: throw .methodNotAllowed
        }
        let target = words[1].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard target.first == UInt8(ascii: "/"), let path = percentDecoded(target) else { throw .malformed }
        // What a path may not hold is refused before it reaches the file system, which would be asked again.
        guard !path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }),
            !path.split(separator: "/").contains("..")
        else { throw .malformed }
        var request = HTTPRequest(method: method, path: path)
        request.takeFields(String(decoding: header[lineEnd...], as: UTF8.self))
        return request
    }

    private mutating func takeFields(_ text: String) {
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            switch line[..<colon].lowercased() {
            case "host": host = value
            case "if-none-match": knownTag = value
            case "if-range": rangeTag = value
            case "range" where value.hasPrefix("bytes=") && value.hasSuffix("-"):
                rangeStart = Int(value.dropFirst(6).dropLast())
            default: break
            }
        }
    }

    /// The text that a percent-encoded one stands for, nil where an escape is cut off or the result is not UTF-8.
    private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> String? {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimalDigit),
                let low = rest.popFirst().flatMap(hexadecimalDigit)
            else { return nil }
            decoded.append(high << 4 | low)
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
