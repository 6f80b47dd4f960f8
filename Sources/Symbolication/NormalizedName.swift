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
        let base = String(withoutCloneSuffixes(withoutVersion(Substring(mangled))))
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

    /// Words that GCC, LLVM and linkers append to the name of a part or copy of a function, each perhaps with a
    /// number behind it.
    private static let cloneWords: Set<Substring> = [
        "cold", "part", "constprop", "isra", "llvm", "lto_priv", "localalias", "clone", "resume", "destroy",
        "cleanup", "warm", "unlikely", "hot", "split", "__uniq", "specialized", "bolt", "org", "thinlto",
    ]

    /// The name without such suffixes, and without the bare number LLVM gives one of two equal local names.
    static func withoutCloneSuffixes(_ name: Substring) -> Substring {
        var name = name
        while let dot = name.lastIndex(of: "."), dot > name.startIndex {
            let last = name[name.index(after: dot)...]
            guard
                cloneWords.contains(last)
                    || (!last.isEmpty && last.utf8.allSatisfy { (0x30...0x39).contains($0) })
            else { return name }
            name = name[..<dot]
        }
        return name
    }
}
