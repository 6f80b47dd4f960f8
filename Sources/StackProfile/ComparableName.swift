internal import Measurement

/// Names under which the functions of two builds are the same function.
///
/// Archives hold names as a person reads them, not mangled ones: those that were frozen years ago hold nothing else,
/// and no demangler is needed to compare them. So the name that is compared is made from the name that is shown. What
/// a compiler adds at will is dropped: `.cold`, `.part.0` and their like, `[clone .isra.0]`, `specialized`, the hash
/// of a Rust name, symbol versions. Signatures stay, so overloads stay apart where the shown name distinguishes them.
public enum ComparableName {
    /// The name of a function for comparing.
    public static func of(function: String) -> String {
        var name = function[...]
        while name.utf8.last == UInt8(ascii: "]"), let open = lastText(" [clone ", in: name) {
            name = name[..<open]
        }
        for prefix in ["specialized ", "merged ", "partial apply forwarder for ", "partial apply for "] {
            while name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count {
                name = name.dropFirst(prefix.count)
            }
        }
        // A demangled name has dots and signs of its own; suffixes are appended to plain symbols.
        if name.utf8.allSatisfy(isSymbolCharacter) {
            if !name.hasSuffix("@plt"), let at = name.utf8.firstIndex(of: UInt8(ascii: "@")),
                at > name.startIndex
            {
                name = name[..<at]
            }
            name = CloneSuffix.removed(from: name)
        }
        return String(withoutRustHash(name))
    }

    /// The name of a file code was loaded from without what changes from release to release: `libc-2.31.so` and
    /// `libc.so.6` to `libc.so`.
    public static func of(module: String) -> String {
        var name = module[...]
        if let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) {
            name = name[name.utf8.index(after: slash)...]
        }
        if let shared = lastText(".so", in: name) {
            let rest = name[shared...].dropFirst(3)
            guard rest.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || isDigit($0) }) else {
                return String(name)
            }
            name = name[..<shared]
            return withoutVersion(name) + ".so"
        }
        // The maps of just-in-time compiled code carry a process's number.
        if name.hasPrefix("perf-"), name.hasSuffix(".map") { return "perf.map" }
        return String(name)
    }

    /// The name without a version behind a dash.
    private static func withoutVersion(_ name: Substring) -> String {
        guard let dash = name.utf8.lastIndex(of: UInt8(ascii: "-")), dash > name.startIndex else {
            return String(name)
        }
        let rest = name.utf8[dash...].dropFirst()
        let isVersion =
            rest.first.map(isDigit) ?? false
            && rest.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
        return String(isVersion ? name[..<dash] : name)
    }

    /// `a::b::h0123456789abcdef` to `a::b`.
    private static func withoutRustHash(_ name: Substring) -> Substring {
        let tail = name.utf8.suffix(19)
        guard tail.count == 19, tail.starts(with: "::h".utf8), name.utf8.count > 19,
            tail.dropFirst(3).allSatisfy(\.isHexDigit)
        else { return name }
        return name[..<tail.startIndex]
    }

    private static func lastText(_ text: String, in name: Substring) -> String.Index? {
        let pattern = Array(text.utf8)
        let bytes = name.utf8
        guard bytes.count >= pattern.count else { return nil }
        var index = bytes.index(bytes.endIndex, offsetBy: -pattern.count)
        while true {
            if bytes[index...].starts(with: pattern) { return index }
            if index == bytes.startIndex { return nil }
            index = bytes.index(before: index)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isSymbolCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "$"),
            UInt8(ascii: "@"):
            true
        default: false
        }
    }
}
