/// How long a C++ name may become when it is demangled.
///
/// A mangled name refers back to its own parts. With references to references a name of 300 bytes stands for
/// gigabytes of text, and `__cxa_demangle` builds all of it before we see any. So the length is estimated first,
/// generously: every reference counts as the longest part that has been closed by then.
enum ItaniumNameSize {
    /// Names beyond this estimate stay mangled. Real ones stay far below.
    static let limit = 1 << 26

    /// Whether the estimate stays within the limit.
    static func isBounded(_ name: String) -> Bool {
        estimate(Array(name.utf8)) <= limit
    }

    private struct Scope {
        var weight = 0
        /// The weight of what stands before the scope and belongs to the part it closes: a template's name.
        var prefix = 0
    }

    /// An estimate of the demangled length in bytes, stopped soon after it exceeds the limit.
    static func estimate(_ name: [UInt8]) -> Int {
        var scopes = [Scope()]
        var longest = 16
        var lastItem = 0
        var total = 0
        var index = 0
        func add(_ weight: Int) {
            scopes[scopes.count - 1].weight += weight
            total += weight
            lastItem = weight
        }
        while index < name.count, total <= limit {
            let byte = name[index]
            index += 1
            switch Unicode.Scalar(byte) {
            case "0"..."9":
                var length = Int(byte - 0x30)
                while index < name.count, (0x30...0x39).contains(name[index]), length < name.count {
                    length = length * 10 + Int(name[index] - 0x30)
                    index += 1
                }
                // A number that is no identifier's length skips nothing but itself.
                index += index + length <= name.count ? length : 0
                add(length)
            case "S", "T":
                let end = name[index...].firstIndex { !isReferenceDigit($0) } ?? name.count
                guard end < name.count, name[end] == UInt8(ascii: "_") else {
                    // An abbreviation such as `St` and `Ss`.
                    index = min(name.count, index + 1)
                    add(80)
                    continue
                }
                index = end + 1
                add(longest)
            case "N", "I", "J", "F", "X", "L", "Z":
                scopes.append(Scope(weight: 4, prefix: lastItem))
            case "E":
                guard scopes.count > 1 else {
                    // Closes nothing we know: all so far may be one part.
                    longest = max(longest, scopes[0].weight)
                    continue
                }
                let closed = scopes.removeLast()
                longest = max(longest, closed.weight + closed.prefix)
                // What is closed is part of what is around it; its text is already in the total.
                scopes[scopes.count - 1].weight += closed.weight
                lastItem = closed.weight + closed.prefix
            default: add(8)
            }
        }
        return total
    }

    private static func isReferenceDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }
}
