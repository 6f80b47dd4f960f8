internal import CCurl
internal import LinuxSystem
internal import Measurement

/// Fetches over HTTP with bounds on size, time and redirects, again where a failure may pass, and from public addresses only
/// unless others are allowed.
public struct HTTPClient: Sendable {
    /// The bounds of one request.
    public struct Limits: Equatable, Sendable {
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

    /// How often and after which pauses a request that failed in passing is made again.
    public struct Retries: Equatable, Sendable {
        /// Requests after the first.
        public var count: Int
        /// The pause before the second request; each further one is twice as long.
        public var firstPause: Duration
        /// No pause is longer, whatever a server asks for.
        public var maximumPause: Duration

        /// A rule of retries.
        public init(
            count: Int = 3, firstPause: Duration = .milliseconds(250), maximumPause: Duration = .seconds(60)
        ) {
            self.count = count
            self.firstPause = firstPause
            self.maximumPause = maximumPause
        }
    }

    /// What a completed request delivered.
    public struct Response: Equatable, Sendable {
        /// The address after all redirects, against which relative addresses in the body are resolved.
        public var effectiveURL: String
        /// The number of bytes of the whole body, those of earlier requests included.
        public var size: Int64
        public var head: ResponseHead
    }

    private let policy: AddressPolicy
    private let retries: Retries

    /// A client, once libcurl could be opened.
    public init(policy: AddressPolicy = AddressPolicy(), retries: Retries = Retries()) throws(HTTPError) {
        if let message = Self.loadingProblem { throw .libraryMissing(reason: message) }
        self.policy = policy
        self.retries = retries
    }

    /// Fetches a body into memory; nil when the server says that what is validated has not changed.
    public func get(
        _ url: String, limits: Limits = .feed, ifChangedSince validators: Validators? = nil
    ) throws(HTTPError) -> (body: [UInt8], response: Response)? {
        try retrying { () throws(HTTPError) in
            let sink = MemorySink(policy: policy)
            let fields = validators?.conditionalFields ?? []
            let response = try fetch(
                url, limits: limits, acceptsCompression: true, fields: fields, into: sink)
            if response.head.status == 304, validators != nil { return nil }
            guard (200..<300).contains(response.head.status), response.head.status != 204 else {
                throw .status(url: url, code: response.head.status)
            }
            return (sink.body, response)
        }
    }

    /// Fetches a body into a file, part by part as it arrives. What an earlier call left of the same body is gone on with
    /// where the server allows it. On failure what has arrived stays in it, for the next call.
    public func download(_ url: String, to path: String, limits: Limits = .media) throws(HTTPError)
        -> Response
    {
        try retrying { () throws(HTTPError) in
            let sink: FileSink
            do throws(SystemError) {
                // Before the request, so that a directory that may not be written costs no traffic.
                sink = try FileSink(path: path, url: url, policy: policy)
            } catch {
                throw .cannotStore(error)
            }
            var response: Response
            do throws(HTTPError) {
                response = try fetch(
                    url, limits: limits, acceptsCompression: false, fields: sink.rangeFields, into: sink)
            } catch {
                // The server has less than what is here, or something else: begin again.
                if case .status(_, 416) = error, sink.resumesAt > 0 {
                    do throws(SystemError) { try sink.startOver() } catch { throw .cannotStore(error) }
                }
                throw error
            }
            guard (200..<300).contains(response.head.status), response.head.status != 204 else {
                throw .status(url: url, code: response.head.status)
            }
            response.size = sink.size
            do throws(SystemError) { try sink.finish() } catch { throw .cannotStore(error) }
            return response
        }
    }

    /// The absolute http or https address that a reference in a document means, nil when it is none.
    public func resolve(_ reference: String, against base: String) -> String? {
        var resolved = [CChar](repeating: 0, count: 8192)
        guard ccurl_resolve(base, reference, &resolved, resolved.count) == 0 else { return nil }
        return Self.text(resolved)
    }

    /// The absolute address of a feed's reference, its own base minded.
    func resolve(_ reference: Feed.Reference, against feedAddress: String) -> String? {
        let base = reference.base.flatMap { resolve($0, against: feedAddress) } ?? feedAddress
        return resolve(reference.text, against: base)
    }

    private func retrying<Result>(_ request: () throws(HTTPError) -> Result) throws(HTTPError) -> Result {
        var pause = retries.firstPause
        for _ in 0..<retries.count {
            do throws(HTTPError) {
                return try request()
            } catch {
                let wasCut: Bool
                if case .status(_, 416) = error { wasCut = true } else { wasCut = false }
                guard error.isTransient || wasCut else { throw error }
                SystemClock.sleep(for: min(pause, retries.maximumPause))
                pause *= 2
            }
        }
        return try request()
    }

    private func fetch(
        _ url: String, limits: Limits, acceptsCompression: Bool, fields: [String], into sink: BodySink
    ) throws(HTTPError) -> Response {
        var message = [CChar](repeating: 0, count: 512)
        var effectiveURL = [CChar](repeating: 0, count: 8192)
        var callbacks = ccurl_callbacks(
            context: Unmanaged.passUnretained(sink).toOpaque(), body: receivePart, header: receiveHeader,
            allows: allowsAddress)
        let outcome = withExtendedLifetime(sink) {
            url.withCString { url in
                "podcast-scraper (freeze-profile)".withCString { agent in
                    noProxy.withCString { noProxy in
                        Self.withFields(fields) { fields in
                            var request = ccurl_request(
                                url: url, user_agent: agent, no_proxy: noProxy,
                                maximum_bytes: limits.maximumBytes - sink.resumesAt,
                                connect_timeout_ms: limits.connectTimeout.wholeMilliseconds,
                                total_timeout_ms: limits.totalTimeout.wholeMilliseconds,
                                maximum_redirects: limits.maximumRedirects,
                                accepts_compression: acceptsCompression ? 1 : 0, fields: fields.baseAddress,
                                field_count: fields.count)
                            return ccurl_get(
                                &request, &callbacks, &message, message.count, &effectiveURL,
                                effectiveURL.count)
                        }
                    }
                }
            }
        }
        if let failure = sink.failure { throw .cannotStore(failure) }
        if outcome.is_too_long != 0 { throw .tooLong(url: url, limit: ByteCount(bytes: limits.maximumBytes)) }
        guard outcome.code == 0 else {
            if outcome.status >= 400 { throw .status(url: url, code: Int(outcome.status)) }
            if outcome.is_address_refused != 0 { throw .addressRefused(url: Self.text(effectiveURL)) }
            throw .transfer(url: url, code: Int(outcome.code), reason: Self.text(message))
        }
        return Response(effectiveURL: Self.text(effectiveURL), size: outcome.received, head: sink.head)
    }

    private static func withFields<Result>(
        _ fields: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>>) -> Result
    ) -> Result {
        // One buffer for all, each ended by a zero.
        var bytes: [CChar] = []
        var starts: [Int] = []
        for field in fields {
            starts.append(bytes.count)
            bytes += field.utf8CString
        }
        return bytes.withUnsafeBufferPointer { buffer in
            let pointers = starts.compactMap { buffer.baseAddress?.advanced(by: $0) }
            return pointers.withUnsafeBufferPointer(body)
        }
    }

    /// The hosts that the environment keeps from its proxy, and this machine when it may be reached. When it may not, a
    /// proxy is not passed by either.
    private var noProxy: String {
        let asked =
            CurrentProcess.environmentVariable("no_proxy") ?? CurrentProcess.environmentVariable("NO_PROXY")
        let own = policy.allowsLocal || policy.loopbackPort != nil ? ["127.0.0.1", "localhost", "::1"] : []
        return ((asked.map { [$0] } ?? []) + own).joined(separator: ",")
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

private func sink(_ context: UnsafeMutableRawPointer?) -> BodySink? {
    context.map { Unmanaged<BodySink>.fromOpaque($0).takeUnretainedValue() }
}

private func receivePart(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>, _ count: Int)
    -> Int32
{
    let part = Array(UnsafeBufferPointer(start: bytes, count: count))
    return sink(context)?.take(part) == true ? 0 : -1
}

private func receiveHeader(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>, _ count: Int) {
    sink(context)?.head.take(line: UnsafeBufferPointer(start: bytes, count: min(count, 4096)))
}

private func allowsAddress(
    _ context: UnsafeMutableRawPointer?, _ address: UnsafePointer<UInt8>, _ count: Int, _ port: UInt16
) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: address, count: count))
    return sink(context)?.policy.allows(bytes, port: port) == true ? 1 : 0
}

extension Duration {
    fileprivate var wholeMilliseconds: Int { Int(inNanoseconds / 1_000_000) }
}
