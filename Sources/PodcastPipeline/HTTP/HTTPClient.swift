internal import CCurl
internal import LinuxSystem
internal import Measurement

/// Fetches over HTTP with bounds on size, time and redirects.
public struct HTTPClient: Sendable {
    /// The bounds of one request.
    public struct Limits: Sendable {
        /// The most bytes of body that are accepted.
        public var maximumBytes: Int64
        public var connectTimeout: Duration = .seconds(15)
        public var totalTimeout: Duration
        public var maximumRedirects = 10

        /// A feed is text: even the longest have some megabytes.
        public static let feed = Limits(maximumBytes: 32 << 20, totalTimeout: .seconds(120))
        /// Ten hours of audio at 128 kbit/s are 576 MB.
        public static let media = Limits(maximumBytes: 1 << 30, totalTimeout: .seconds(3600))
    }

    /// What a completed request delivered.
    public struct Response: Sendable {
        /// The address after all redirects, against which relative addresses in the body are resolved.
        public var effectiveURL: String
        /// The number of bytes of the body.
        public var size: Int64
    }

    /// A client, once libcurl could be opened.
    public init() throws(HTTPError) {
        if let message = Self.loadingProblem { throw .libraryMissing(reason: message) }
    }

    /// Fetches a body into memory.
    public func get(_ url: String, limits: Limits = .feed) throws(HTTPError) -> (
        body: [UInt8], response: Response
    ) {
        let sink = Sink(file: nil)
        let response = try fetch(url, limits: limits, acceptsCompression: true, into: sink)
        return (sink.kept, response)
    }

    /// Fetches a body into a new file, part by part as it arrives. On failure what has arrived stays in it.
    public func download(_ url: String, to path: String, limits: Limits = .media) throws(HTTPError)
        -> Response
    {
        let sink: Sink
        do throws(SystemError) {
            // Before the request, so that a directory that may not be written costs no traffic.
            sink = Sink(file: try FileDescriptor.open(path, .createNew, followingLinks: false))
        } catch {
            throw .cannotStore(error)
        }
        do throws(HTTPError) {
            return try fetch(url, limits: limits, acceptsCompression: false, into: sink)
        } catch {
            guard case .cannotStore(let cause) = error else { throw error }
            // Writing names only the descriptor; a person wants the path.
            throw .cannotStore(SystemError(action: "write '\(path)'", code: cause.code))
        }
    }

    /// The absolute http or https address that a reference in a document means, nil when it is none.
    public func resolve(_ reference: String, against base: String) -> String? {
        var resolved = [CChar](repeating: 0, count: 8192)
        guard ccurl_resolve(base, reference, &resolved, resolved.count) == 0 else { return nil }
        return Self.text(resolved)
    }

    private func fetch(_ url: String, limits: Limits, acceptsCompression: Bool, into sink: Sink)
        throws(HTTPError) -> Response
    {
        var message = [CChar](repeating: 0, count: 512)
        var effectiveURL = [CChar](repeating: 0, count: 8192)
        let outcome = url.withCString { url in
            "podcast-scraper (freeze-profile)".withCString { agent in
                Self.noProxy.withCString { noProxy in
                    var request = ccurl_request(
                        url: url, user_agent: agent, no_proxy: noProxy, maximum_bytes: limits.maximumBytes,
                        connect_timeout_ms: limits.connectTimeout.wholeMilliseconds,
                        total_timeout_ms: limits.totalTimeout.wholeMilliseconds,
                        maximum_redirects: limits.maximumRedirects,
                        accepts_compression: acceptsCompression ? 1 : 0)
                    return ccurl_get(
                        &request, receivePart, Unmanaged.passUnretained(sink).toOpaque(), &message,
                        message.count, &effectiveURL, effectiveURL.count)
                }
            }
        }
        if let failure = sink.failure { throw .cannotStore(failure) }
        if outcome.is_too_long != 0 { throw .tooLong(url: url, limit: ByteCount(bytes: limits.maximumBytes)) }
        guard outcome.code == 0 else {
            if outcome.status >= 400 { throw .status(url: url, code: Int(outcome.status)) }
            throw .transfer(url: url, code: Int(outcome.code), reason: Self.text(message))
        }
        return Response(effectiveURL: Self.text(effectiveURL), size: outcome.received)
    }

    /// The hosts that the environment keeps from its proxy, and always this machine.
    private static var noProxy: String {
        let asked =
            CurrentProcess.environmentVariable("no_proxy") ?? CurrentProcess.environmentVariable("NO_PROXY")
        return ((asked.map { [$0] } ?? []) + ["127.0.0.1", "localhost", "::1"]).joined(separator: ",")
    }

    /// The reason libcurl could not be opened, nil when it is there.
    private static let loadingProblem: String? = {
        var message = [CChar](repeating: 0, count: 512)
        return ccurl_load(&message, message.count) == 0 ? nil : text(message)
    }()

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Where the parts of a body go: a file, or memory. Used by the one thread that performs the request.
private final class Sink {
    private let file: FileDescriptor?
    private(set) var kept: [UInt8] = []
    private(set) var failure: SystemError?

    init(file: consuming FileDescriptor?) {
        self.file = file
    }

    /// Takes a part. False when it could not be stored.
    func take(_ bytes: [UInt8]) -> Bool {
        guard file != nil else {
            kept += bytes
            return true
        }
        do throws(SystemError) {
            try file?.write(bytes)
            return true
        } catch {
            failure = error
            return false
        }
    }
}

private func receivePart(_ sink: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>, _ count: Int)
    -> Int32
{
    guard let sink else { return -1 }
    let part = Array(UnsafeBufferPointer(start: bytes, count: count))
    return Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue().take(part) ? 0 : -1
}

extension Duration {
    fileprivate var wholeMilliseconds: Int { Int(inNanoseconds / 1_000_000) }
}
