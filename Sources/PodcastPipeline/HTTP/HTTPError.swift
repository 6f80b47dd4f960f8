public import LinuxSystem
public import Measurement

/// Why something could not be fetched.
public enum HTTPError: Error, Equatable, Sendable {
    /// libcurl is not installed, or is too old.
    case libraryMissing(reason: String)
    /// The server answered, with an error.
    case status(url: String, code: Int)
    /// There was no complete answer; the code is curl's.
    case transfer(url: String, code: Int, reason: String)
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
            "Cannot fetch '\(PlainText.sanitized(url))': the server answered \(code)\(Self.meaning(of: code))."
        case .transfer(let url, let code, let reason):
            "Cannot fetch '\(PlainText.sanitized(url))': \(Self.cause(code, reason))."
        case .tooLong(let url, let limit):
            "Cannot fetch '\(PlainText.sanitized(url))': it is longer than the \(limit) that are accepted."
        case .cannotStore(let error): PlainText.sanitized(error.description)
        }
    }

    private static func meaning(of code: Int) -> String {
        switch code {
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
        default: PlainText.sanitized(reason)
        }
    }
}
