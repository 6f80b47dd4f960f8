public import LinuxSystem

/// An HTTP/1.1 server for the files of one directory, reachable from this machine only.
///
/// It answers GET and HEAD on threads of its own, one request per connection, and stops when its handle is gone.
public struct LoopbackServer: ~Copyable {
    /// A failure to act out for one path, so that clients can be tested against it.
    public indirect enum Fault: Sendable {
        /// The status alone, such as 404 or 503.
        case status(Int)
        /// The full `Content-Length`, but only so many bytes of body before the connection closes.
        case truncated(afterBytes: Int)
        /// The body in parts of so many bytes, with a pause before each.
        case slow(bytesPerPart: Int, pause: Duration)
        /// The status 302 and a place to go to.
        case redirect(to: String)
        /// The file, said to be of another media type.
        case typed(String)
        /// Bytes without end and without a length.
        case endless
        /// A fault of the first so many requests; those after it are served.
        case first(Int, Fault)
    }

    /// The port on 127.0.0.1.
    public let port: UInt16

    private let site: Site
    private let workers: [Worker]

    /// Serves a directory until this value is gone.
    ///
    /// - Parameters:
    ///   - directory: What is served. Paths and links that lead out of it are answered with 400 and 404.
    ///   - port: The port wanted, 0 for any free one.
    ///   - faults: Failures to act out, by path (such as `/audio/1.mp3`).
    public init(serving directory: String, port: UInt16 = 0, faults: [String: Fault] = [:])
        throws(SystemError)
    {
        let served = try ServedDirectory(directory)
        let stop = try StopSignal()
        let site = Site(
            directory: served, faults: faults, listener: try LoopbackListener(port: port), stop: stop)
        var workers: [Worker] = []
        // The number of threads bounds the connections in service; the kernel queues the rest.
        for _ in 0..<4 { workers.append(try Worker(site)) }
        // All at once, after the last call that may throw: a half-made value cannot be torn down.
        self.port = site.port
        self.site = site
        self.workers = workers
    }

    deinit {
        // The workers are joined when the array goes.
        site.stop.raise()
    }

    /// How often a path was asked for.
    public func requestCount(_ path: String) -> Int { site.requestCount(path) }

    /// The address of a path, which starts with a slash.
    public func url(_ path: String) -> String {
        "http://127.0.0.1:\(port)\(path)"
    }
}

/// One serving thread, joined in the thread's own deinit.
private final class Worker {
    private let thread: DedicatedThread

    init(_ site: Site) throws(SystemError) {
        thread = try DedicatedThread.start(name: "loopback") { site.serve() }
    }
}
