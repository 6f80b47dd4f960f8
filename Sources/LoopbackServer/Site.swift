internal import LinuxSystem
internal import Measurement
internal import Synchronization

/// What all serving threads share.
final class Site: Sendable {
    private let directory: ServedDirectory
    private let faults: [String: LoopbackServer.Fault]
    private let listener: LoopbackListener
    let stop: StopSignal
    /// How often each path was asked for.
    private let requests = Mutex<[String: Int]>([:])

    init(
        directory: ServedDirectory, faults: [String: LoopbackServer.Fault],
        listener: consuming LoopbackListener, stop: StopSignal
    ) {
        self.directory = directory
        self.faults = faults
        self.listener = listener
        self.stop = stop
    }

    /// The port on 127.0.0.1.
    var port: UInt16 { listener.port }

    /// Answers clients, one after the other, until stopped.
    func serve() {
        while true {
            do throws(SystemError) {
                let waiting = [listener.descriptor, stop.descriptor]
                if try FileDescriptor.waitUntilReadable(waiting, timeout: nil)[1] { return }
                if let connection = try listener.accept(timeout: .seconds(10)) { try answer(connection) }
            } catch {
                // The client has gone away, or the machine is short of descriptors: the next client may fare
                // better, and a pause keeps a lasting shortage from spinning.
                if stop.isRaised(within: .milliseconds(10)) { return }
            }
        }
    }

    private func answer(_ connection: consuming LoopbackConnection) throws(SystemError) {
        let request: HTTPRequest
        do throws(HTTPRequest.Problem) {
            let header = try Self.header(from: connection)
            if header.isEmpty { return }
            request = try HTTPRequest.parse(header)
        } catch {
            try connection.send(Self.head(status: error.status, fields: ["Content-Length: 0"]))
            return try Self.drain(connection)
        }
        // A page in a browser may make the browser ask here under a name of its own (DNS rebinding).
        guard let host = request.host, ["127.0.0.1:\(port)", "localhost:\(port)"].contains(host) else {
            let status = request.host == nil ? 400 : 421
            return try connection.send(Self.head(status: status, fields: ["Content-Length: 0"]))
        }
        let fault = fault(for: request.path)
        switch fault {
        case .status(let status):
            return try connection.send(Self.head(status: status, fields: ["Content-Length: 0"]))
        case .redirect(let target):
            let fields = ["Location: \(target)", "Content-Length: 0"]
            return try connection.send(Self.head(status: 302, fields: fields))
        case .endless: return try sendWithoutEnd(to: connection)
        case .truncated, .slow, .typed, .first, nil: break
        }
        guard let path = directory.file(at: request.path) else {
            return try connection.send(Self.head(status: 404, fields: ["Content-Length: 0"]))
        }
        let file = try FileDescriptor.open(path, .read)
        let size = Int(try Files.size(path))
        let tag = "\"\(size)-\(try Files.modified(path).nanosecondsSinceEpoch)\""
        if request.knownTag == tag {
            return try connection.send(Self.head(status: 304, fields: ["ETag: \(tag)"]))
        }
        var start = 0
        if let wanted = request.rangeStart, request.rangeTag == nil || request.rangeTag == tag {
            start = wanted
        }
        guard start == 0 || start < size else {
            let fields = ["Content-Range: bytes */\(size)", "Content-Length: 0"]
            return try connection.send(Self.head(status: 416, fields: fields))
        }
        var type = ServedDirectory.mediaType(of: path)
        if case .typed(let other) = fault { type = other }
        var fields = ["Content-Type: \(type)", "Content-Length: \(size - start)", "ETag: \(tag)"]
        if start > 0 { fields.append("Content-Range: bytes \(start)-\(size - 1)/\(size)") }
        try connection.send(Self.head(status: start > 0 ? 206 : 200, fields: fields))
        guard request.method == .get else { return }
        try file.skip(toOffset: Int64(start))
        try sendBody(of: file, size: size - start, to: connection, fault: fault)
    }

    /// The fault to act out for a request, which is counted.
    private func fault(for path: String) -> LoopbackServer.Fault? {
        let earlier = requests.withLock { counts in
            defer { counts[path, default: 0] += 1 }
            return counts[path] ?? 0
        }
        guard case .first(let count, let fault) = faults[path] else { return faults[path] }
        return earlier < count ? fault : nil
    }

    /// How often a path was asked for.
    func requestCount(_ path: String) -> Int { requests.withLock { $0[path] ?? 0 } }

    private func sendWithoutEnd(to connection: borrowing LoopbackConnection) throws(SystemError) {
        try connection.send(Self.head(status: 200, fields: ["Content-Type: audio/mpeg"]))
        let part = [UInt8](repeating: 0, count: 1 << 14)
        while !stop.isRaised(within: .milliseconds(1)) { try connection.send(part) }
    }

    /// Sends the announced number of bytes, also of a file that has grown since.
    private func sendBody(
        of file: borrowing FileDescriptor, size: Int, to connection: borrowing LoopbackConnection,
        fault: LoopbackServer.Fault?
    ) throws(SystemError) {
        var left = size
        var part = 1 << 16
        var pause: Duration?
        if case .truncated(let bytes) = fault { left = min(left, bytes) }
        if case .slow(let bytes, let wait) = fault { (part, pause) = (bytes, wait) }
        while left > 0 {
            if let pause, stop.isRaised(within: pause) { return }
            let bytes = try file.read(upTo: min(part, left))
            if bytes.isEmpty { return }
            try connection.send(bytes)
            left -= bytes.count
        }
    }

    /// The bytes up to the empty line; empty when the client closes, stalls or breaks off before it.
    private static func header(
        from connection: borrowing LoopbackConnection
    ) throws(HTTPRequest.Problem) -> [UInt8] {
        var header: [UInt8] = []
        while header.count < HTTPRequest.maximumBytes {
            do throws(SystemError) {
                let bytes = try connection.receive(upTo: 1024)
                if bytes.isEmpty { return [] }
                header += bytes
            } catch {
                return []
            }
            if header.contains(Array("\r\n\r\n".utf8)) { return header }
        }
        throw .tooLong
    }

    /// Reads on until the client closes, within bounds: closing over unread bytes would reset the connection, and the
    /// client could lose the answer it has not read yet.
    private static func drain(_ connection: borrowing LoopbackConnection) throws(SystemError) {
        for _ in 0..<16 where try connection.receive(upTo: 1 << 14).isEmpty { return }
    }

    private static func head(status: Int, fields: [String]) -> [UInt8] {
        let reason = reasons[status] ?? "Status"
        let lines = ["HTTP/1.1 \(status) \(reason)"] + fields + ["Connection: close", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private static let reasons = [
        200: "OK", 206: "Partial Content", 304: "Not Modified", 302: "Found", 400: "Bad Request",
        404: "Not Found", 405: "Method Not Allowed",
        416: "Range Not Satisfiable", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 503: "Service Unavailable",
    ]
}
