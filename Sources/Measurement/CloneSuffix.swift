/// What compilers and linkers append to the name of a part or a copy of a function.
public enum CloneSuffix {
    /// Words after a dot, each perhaps with a number behind it.
    private static let words: Set<Substring> = [
        "cold", "part", "constprop", "isra", "llvm", "lto_priv", "localalias", "clone", "resume", "destroy",
        "cleanup", "warm", "unlikely", "hot", "split", "__uniq", "specialized", "bolt", "org", "thinlto",
    ]

    /// The name without such suffixes, and without the bare number LLVM gives one of two equal local names.
    public static func removed(from name: Substring) -> Substring {
        var name = name
        while let dot = name.lastIndex(of: "."), dot > name.startIndex {
            let last = name[name.index(after: dot)...]
            guard
                words.contains(last)
                    || (!last.isEmpty && last.utf8.allSatisfy { (0x30...0x39).contains($0) })
            else { return name }
            name = name[..<dot]
        }
        return name
    }
}
