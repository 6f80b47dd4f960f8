internal import Measurement

/// Function names made comparable between builds.
public enum NormalizedName {
    /// The name under which a function is compared with itself in another build.
    ///
    /// Dropped is what compilers add and change at will: `.cold`, `.part.N`, `.isra.N`, `.constprop.N`,
    /// `.llvm.HASH` and their like, symbol versions (`@@GLIBC_2.34`), the hash of a Rust name, and of Swift names
    /// specialisation, merging, partial application, the parts of async functions and the hash that marks a
    /// file's private declarations. Kept is the signature, so overloads stay apart, and what is a function of
    /// its own: protocol witnesses, reabstraction thunks, `@plt` stubs.
    ///
    /// - Parameter mangled: The name as the file has it. Any bytes do; the result is safe to show.
    public static func key(for mangled: some StringProtocol) -> String {
        let plt = "@plt"
        if mangled.hasSuffix(plt) { return key(for: mangled.dropLast(plt.count)) + plt }
        let base = String(CloneSuffix.removed(from: withoutVersion(Substring(mangled))))
        let text: String
        switch Demangling.scheme(of: base) {
        case .swift:
            text = Demangling.fullName(of: base).map(SwiftNames.withoutWrappings) ?? base
        case .cxx, .rust: text = Demangling.fullName(of: base) ?? base
        case .none: text = base
        }
        // Longer than what is displayed: two names must not become one because they begin alike.
        return DisplayText.safe(text, limit: 4096)
    }

    /// `name@@VERSION` and `name@VERSION` to `name`.
    static func withoutVersion(_ name: Substring) -> Substring {
        guard let at = name.utf8.firstIndex(of: UInt8(ascii: "@")), at > name.startIndex else { return name }
        return name[..<at]
    }
}
