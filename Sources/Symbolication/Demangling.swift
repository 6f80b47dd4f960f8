internal import CDemangle

/// Mangled names turned into what a person reads.
///
/// The scheme is recognised by the name itself: Swift by the Swift runtime, C++ by libstdc++, Rust here.
public enum Demangling {
    /// A name for a frame: short enough to read in a flamegraph, safe to show, at most 512 characters.
    ///
    /// - Swift: without types, with the module before the declaration, as `closure #1 in Main.Decoder.decode(_:)`.
    ///   All parts of an async function have its one name, and specialisations and merged functions say so.
    /// - C++: as `c++filt` prints it, parameters and all.
    /// - Rust: the path without the hash.
    /// - All else: unchanged.
    public static func displayName(of name: String) -> String {
        DisplayText.safe(rawDisplayName(of: name))
    }

    /// The whole demangled name, Swift with types; nil when the name is not a mangled one or too long.
    static func fullName(of name: String) -> String? {
        switch scheme(of: name) {
        case .swift: withBuffer { swiftText(name, $0, cdemangle_swift_full) }
        case .cxx: LegacyRustName.path(of: name) ?? cxxText(name)
        case .rust: RustName.path(of: name)
        case .none: nil
        }
    }

    enum Scheme { case swift, cxx, rust, none }

    static func scheme(of name: String) -> Scheme {
        guard name.utf8.count <= SymbolName.limit else { return .none }
        if name.hasPrefix("$s") || name.hasPrefix("$S") || name.hasPrefix("_T0") || name.hasPrefix("_$s")
            || name.hasPrefix("$e")
        {
            return .swift
        }
        if name.hasPrefix("_Z") || name.hasPrefix("__Z") { return .cxx }
        return name.hasPrefix("_R") ? .rust : .none
    }

    private static func rawDisplayName(of name: String) -> String {
        switch scheme(of: name) {
        case .swift:
            guard let short = withBuffer({ swiftText(name, $0, cdemangle_swift_short) }) else { return name }
            return SwiftNames.addingModule(of: name, to: short)
        case .cxx, .rust: return fullName(of: name) ?? name
        case .none: return name
        }
    }

    private typealias SwiftDemangler = (
        UnsafePointer<CChar>, Int, UnsafeMutablePointer<CChar>, Int
    ) -> Int

    private static func swiftText(
        _ name: String, _ buffer: UnsafeMutableBufferPointer<CChar>, _ demangle: SwiftDemangler
    ) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        return name.withCString { demangle($0, name.utf8.count, base, buffer.count) }
    }

    private static func cxxText(_ name: String) -> String? {
        guard ItaniumNameSize.isBounded(name) else { return nil }
        return withBuffer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return name.withCString { cdemangle_cxx($0, base, buffer.count) }
        }
    }

    /// Text that a function writes into a buffer, as many bytes as it says; nil for none.
    private static func withBuffer(_ fill: (UnsafeMutableBufferPointer<CChar>) -> Int) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            let count = fill(buffer)
            guard count > 0 else { return nil }
            return UnsafeBufferPointer(buffer).prefix(count).withContiguousStorageIfAvailable {
                $0.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
            }
        }
    }
}
