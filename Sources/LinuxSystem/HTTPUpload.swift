internal import Glibc
internal import Measurement

/// A file put to an HTTP server in one request: as much of HTTP/1.1 as a Pushgateway needs.
///
/// Without encryption: what is sent are figures, to a gateway on this machine or network.
public struct HTTPUpload: Sendable {
    /// Why nothing came of it.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        /// The address is not `http://HOST[:PORT][/PATH]`.
        case address(String)
        /// The name of the host leads nowhere.
        case unknownHost(String, reason: String)
        /// It could not be reached, or the connection broke.
        case connection(String, reason: String)
        /// It answered with another status than 2xx.
        case refused(status: String)

        /// One sentence.
        public var description: String {
            switch self {
            case .address(let text):
                "'\(PlainText.sanitized(text, maximumCharacters: 200))' is no address of the form http://HOST:PORT; https is not "
                    + "spoken."
            case .unknownHost(let host, let reason):
                "The host '\(PlainText.sanitized(host, maximumCharacters: 200))' is not known: \(reason)."
            case .connection(let host, let reason):
                "'\(PlainText.sanitized(host, maximumCharacters: 200))' could not be reached: \(reason)."
            case .refused(let status):
                "The server answered '\(PlainText.sanitized(status, maximumCharacters: 200))'."
            }
        }
    }

    /// The server's name, without user and password, which are never sent.
    public let host: String
    private let port: String
    private let path: String

    /// A server.
    ///
    /// - Parameter address: `http://HOST[:PORT][/PATH]`; the host may be an IPv6 address in brackets.
    public init(address: String) throws(Problem) {
        guard address.lowercased().hasPrefix("http://"), address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw .address(Self.withoutUser(address))
        }
        let rest = address.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        guard !authority.contains("@") else { throw .address(Self.withoutUser(address)) }
        var path = String(rest[slash...])
        while path.hasSuffix("/") { path.removeLast() }
        self.path = path
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let after = authority[authority.index(after: end)...]
            port = after.hasPrefix(":") ? String(after.dropFirst()) : "80"
        } else if let colon = authority.lastIndex(of: ":") {
            (host, port) = (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
        } else {
            (host, port) = (String(authority), "80")
        }
        guard !host.isEmpty, UInt16(port) != nil else { throw .address(address) }
    }

    /// What is shown of an address must not hold a password.
    private static func withoutUser(_ address: String) -> String {
        guard let at = address.lastIndex(of: "@") else { return address }
        return "…" + address[at...]
    }

    /// Puts a file under a path below the server's, and waits for the answer.
    ///
    /// - Parameters:
    ///   - body: The file.
    ///   - path: Its path, encoded for a URL.
    ///   - contentType: Its media type.
    ///   - timeout: How long each step may take.
    public func put(
        _ body: [UInt8], path: String, contentType: String, timeout: Duration = .seconds(5)
    ) throws(Problem) {
        let file = try connect(timeout: timeout)
        let head =
            "PUT \(self.path)\(path) HTTP/1.1\r\nHost: \(host.contains(":") ? "[\(host)]" : host):\(port)\r\n"
            + "Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let answer: [UInt8]
        do throws(SystemError) {
            try file.send(Array(head.utf8) + body)
            answer = try file.readToEnd(limit: 1 << 16)
        } catch {
            throw .connection(host, reason: error.reason)
        }
        let line = String(decoding: answer.prefix { $0 != 0x0D && $0 != 0x0A }.prefix(200), as: UTF8.self)
        let words = line.split(separator: " ", maxSplits: 1)
        guard words.count == 2, line.hasPrefix("HTTP/1."), words[1].hasPrefix("2") else {
            throw .refused(status: line.isEmpty ? "nothing" : line)
        }
    }

    /// The first of the host's addresses that answers. The corresponding C functions are `getaddrinfo` and `connect`.
    private func connect(timeout: Duration) throws(Problem) -> FileDescriptor {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, port, &hints, &list)
        guard status == 0 else { throw .unknownHost(host, reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var reason = "it has no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let descriptor = socket(
                address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), address.ai_protocol)
            guard descriptor >= 0 else { continue }
            let file = FileDescriptor(owning: descriptor)
            var limit = timeval(
                tv_sec: Int(timeout.components.seconds),
                tv_usec: Int(timeout.components.attoseconds / 1_000_000_000_000))
            for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
                setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return file }
            reason = errno == EINPROGRESS ? "it did not answer in time" : String(cString: strerror(errno))
        }
        throw .connection(host, reason: reason)
    }
}
