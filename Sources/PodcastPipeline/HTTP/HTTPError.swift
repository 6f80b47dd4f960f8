public import LinuxSystem
public import Measurement

/// Why something could not be fetched.
public enum HTTPError: Error, Equatable, Sendable {
    /// libcurl is not installed, or is too old.
    case libraryMissing(reason: String)
    /// The server answered, but not with a body that is wanted.
    case status(url: String, code: Int)
    /// There was no complete answer; the code is curl's.
    case transfer(url: String, code: Int, reason: String)
    /// The name leads to an address of this machine or of a private network.
    case addressRefused(url: String)
    /// The body is longer than is accepted.
    case tooLong(url: String, limit: ByteCount)
    /// The body could not be written to disk.
    case cannotStore(SystemError)
}

extension HTTPError: CustomStringConvertible {
    /// One sentence, with a remedy where there is one.
    public var description: String {
        switch self {
        case .libraryMissing(let reason):
            "libcurl.so.4 cannot be opened (\(PlainText.sanitized(reason))). Install the Debian package libcurl4."
        case .status(let url, let code):
            "Cannot fetch '\(WebAddress.shown(url))': the server answered \(code)\(Self.meaning(of: code))."
        case .transfer(let url, let code, let reason):
            "Cannot fetch '\(WebAddress.shown(url))': \(Self.cause(code, reason))."
        case .addressRefused(let url):
            "Cannot fetch '\(WebAddress.shown(url))': it leads to this machine or to a private network. "
                + "Give --allow-local if that is meant."
        case .tooLong(let url, let limit):
            "Cannot fetch '\(WebAddress.shown(url))': it is longer than the \(limit) that are accepted."
        case .cannotStore(let error): PlainText.sanitized(error.description)
        }
    }

    /// Whether the same request may well succeed a little later. A refused connection is not among these: nothing listens.
    var isTransient: Bool {
        switch self {
        case .status(_, let code): [408, 425, 429, 500, 502, 503, 504].contains(code)
        // Partial body, time out, empty answer, sending and receiving failed, HTTP/2 stream errors.
        case .transfer(_, let code, _): [18, 28, 52, 55, 56, 92].contains(code)
        case .libraryMissing, .addressRefused, .tooLong, .cannotStore: false
        }
    }

    private static func meaning(of code: Int) -> String {
        switch code {
        case 204: " (no content)"
        case 300..<400:
            code == 304 ? " (not modified), although nothing is stored here" : " without a place to go to"
        case 401, 403: " (not allowed)"
        case 404, 410: " (not found)"
        case 429: " (too many requests)"
        case 500...: " (the server failed)"
        default: ""
        }
    }

    /// The cause in our words where curl's depend on its version, in curl's elsewhere.
    private static func cause(_ code: Int, _ reason: String) -> String {
        switch code {
        case 1: "only http and https addresses are fetched"
        case 3: "this is not an address"
        case 6: "there is no such host"
        case 7: "nothing accepts connections there"
        case 18: "the connection closed before the end of the body"
        case 28: "the server took too long"
        case 47: "it redirects too many times"
        case 52: "the server closed the connection without an answer"
        case 56: "the connection broke"
        case 61: "the server packed the body in a way that cannot be read"
        default: PlainText.sanitized(reason)
        }
    }
}
