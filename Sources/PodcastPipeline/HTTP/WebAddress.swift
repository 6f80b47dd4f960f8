internal import Measurement

/// Addresses as they may be shown and stored: without what would let a reader in.
public enum WebAddress {
    /// The address without user and password, and without the values of query items that are probably secret.
    ///
    /// Feeds for paying listeners have their keys in the address.
    public static func shown(_ address: String) -> String {
        var text = address
        if let scheme = text.firstRange(of: "://") {
            let authorityEnd =
                text[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
            if let at = text[scheme.upperBound..<authorityEnd].lastIndex(of: "@") {
                text.removeSubrange(scheme.upperBound...at)
            }
        }
        guard let mark = text.firstIndex(of: "?") else { return PlainText.sanitized(text) }
        let queryEnd = text[mark...].firstIndex(of: "#") ?? text.endIndex
        let items = text[text.index(after: mark)..<queryEnd].split(
            separator: "&", omittingEmptySubsequences: false)
        let shownItems = items.map { item -> String in
            let name = item.prefix { $0 != "=" }
            return name.count < item.count && isSecret(name) ? "\(name)=..." : String(item)
        }
        return PlainText.sanitized(
            text[...mark] + shownItems.joined(separator: "&") + text[queryEnd...])
    }

    /// The host in an address, empty where there is none.
    public static func host(of address: String) -> String {
        guard let scheme = address.firstRange(of: "://") else { return "" }
        let authority = address[scheme.upperBound...].prefix { !"/?#".contains($0) }
        return String(authority.split(separator: "@").last?.prefix { $0 != ":" } ?? "")
    }

    /// Whether a text has, anywhere in it, an address with a user or with a query item that is probably secret.
    static func isSecretIn(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        let marks = Array("?&;:".utf8)
        while let mark = rest.firstIndex(where: marks.contains) {
            rest = rest[(mark + 1)...]
            // No user's name, password or query item is as long.
            let word = rest.prefix(512)
            if text[mark] == UInt8(ascii: ":") {
                guard word.starts(with: "//".utf8) else { continue }
                let host = word.dropFirst(2).prefix { !"/?#\"'<> \t\r\n".utf8.contains($0) }
                if host.contains(UInt8(ascii: "@")) { return true }
            } else {
                let name = word.prefix { $0 >= 0x80 || "-_.%".utf8.contains($0) || isAlphanumeric($0) }
                if name.endIndex < rest.endIndex, rest[name.endIndex] == UInt8(ascii: "="),
                    isSecret(Substring(decoding: name, as: UTF8.self))
                {
                    return true
                }
            }
        }
        return false
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isSecret(_ name: Substring) -> Bool {
        let name = name.lowercased()
        return ["key", "token", "secret", "pass", "auth", "sig", "credential", "session"].contains {
            name.contains($0)
        }
    }
}

/// Which addresses of hosts may be connected to.
public struct AddressPolicy: Equatable, Sendable {
    /// Whether this machine and private networks may be reached: for tests and for feeds at home.
    public var allowsLocal: Bool
    /// One port of 127.0.0.1 that may be reached in any case: of the server that a test or the demo has started.
    public var loopbackPort: UInt16?

    /// A policy; by default only public addresses.
    public init(allowsLocal: Bool = false, loopbackPort: UInt16? = nil) {
        self.allowsLocal = allowsLocal
        self.loopbackPort = loopbackPort
    }

    /// Whether a connection may be made: 4 bytes for IPv4, 16 for IPv6, in network order.
    func allows(_ address: [UInt8], port: UInt16) -> Bool {
        if allowsLocal || Self.isPublic(address) { return true }
        return address == [127, 0, 0, 1] && port == loopbackPort
    }

    /// Whether an address belongs to the public network (https://www.iana.org/assignments/iana-ipv4-special-registry).
    static func isPublic(_ address: [UInt8]) -> Bool {
        if address.count == 4 {
            return !reservedIPv4.contains { matches(address, $0.prefix, bits: $0.bits) }
        }
        guard address.count == 16 else { return false }
        // IPv4 inside IPv6: mapped, translated (NAT64) and 6to4 addresses are judged by the address within.
        if address.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return isPublic(Array(address[12...]))
        }
        if address.starts(with: [0, 0x64, 0xFF, 0x9B]) { return isPublic(Array(address[12...])) }
        if address.starts(with: [0x20, 0x02]) { return isPublic(Array(address[2..<6])) }
        // Of all of IPv6 only 2000::/3 is global unicast; documentation and Teredo are within.
        return matches(address, [0x20], bits: 3) && !address.starts(with: [0x20, 0x01, 0x0D, 0xB8])
            && !address.starts(with: [0x20, 0x01, 0, 0])
    }

    private static func matches(_ address: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        for bit in 0..<bits {
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            let wanted = bit / 8 < prefix.count ? prefix[bit / 8] : 0
            if address[bit / 8] & mask != wanted & mask { return false }
        }
        return true
    }

    private static let reservedIPv4: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12),
        ([192, 0, 0], 24),
        ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16), ([198, 18], 15), ([198, 51, 100], 24),
        ([203, 0, 113], 24), ([224], 4), ([240], 4),
    ]
}
