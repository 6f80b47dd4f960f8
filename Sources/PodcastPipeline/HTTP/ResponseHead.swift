internal import JSONDocument
internal import Measurement

/// The status and the header fields of an answer that matter here; of the last one where redirects gave several.
public struct ResponseHead: Equatable, Sendable {
    public private(set) var status = 0
    public private(set) var contentType: String?
    /// By which the next request can ask whether the body has changed.
    public private(set) var validators = Validators()
    /// The offset at which a partial body (206) begins.
    private(set) var rangeStart: Int64?

    mutating func take(line bytes: UnsafeBufferPointer<UInt8>) {
        let line = String(decoding: bytes, as: UTF8.self).trimmed
        if line.hasPrefix("HTTP/") {
            self = ResponseHead()
            let words = line.split(separator: " ")
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = PlainText.sanitized(String(line[line.index(after: colon)...]).trimmed)
        guard !value.isEmpty else { return }
        switch line[..<colon].lowercased() {
        case "content-type": contentType = value
        case "etag": validators.entityTag = value
        case "last-modified": validators.lastModified = value
        case "content-range":
            // bytes 100-199/200
            rangeStart = value.split { " -/".contains($0) }.dropFirst().first.flatMap { Int64($0) }
        default: break
        }
    }
}

/// What a server gives to distinguish one version of a body from another.
public struct Validators: Equatable, Sendable {
    public var entityTag: String?
    public var lastModified: String?

    /// Validators; none by default.
    public init(entityTag: String? = nil, lastModified: String? = nil) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }

    /// The fields that ask for a body only if it has changed.
    var conditionalFields: [String] {
        (entityTag.map { ["If-None-Match: \($0)"] } ?? [])
            + (lastModified.map { ["If-Modified-Since: \($0)"] } ?? [])
    }

    /// The field that asks for a part only if the rest has not changed; nil where nothing shows that. A weak tag does not.
    var rangeField: String? {
        if let entityTag, !entityTag.hasPrefix("W/") { return "If-Range: \(entityTag)" }
        return lastModified.map { "If-Range: \($0)" }
    }
}
