internal import FrozenProfile
internal import Measurement

/// Which memory allocator a process used. Pure: the caller reads `/proc`.
enum Allocator {
    /// Allocators that come as a library of their own, by how the file's name begins.
    private static let libraries: [(prefix: String, name: String)] = [
        ("libjemalloc", "jemalloc"), ("libtcmalloc", "tcmalloc"), ("libmimalloc", "mimalloc"),
        ("libsnmalloc", "snmalloc"), ("librpmalloc", "rpmalloc"), ("libscudo", "scudo"),
        ("libhoard", "hoard"), ("libtbbmalloc_proxy", "tbbmalloc"),
    ]
    /// Variables by which people tune an allocator; another setting is another allocator to a benchmark.
    private static let settings = [
        "GLIBC_TUNABLES", "JE_MALLOC_CONF", "MALLOC_", "MIMALLOC_", "SCUDO_OPTIONS", "TCMALLOC_",
        "_RJEM_MALLOC_CONF",
    ]

    /// The allocator by the files that a process had mapped, with the settings in its environment.
    ///
    /// What is linked into the program itself cannot be seen this way; a program without a shared C library has an
    /// unknown one.
    ///
    /// - Parameters:
    ///   - mappedFiles: Paths, in any order, repeated or not.
    ///   - environment: Entries as `NAME=value`.
    static func name(mappedFiles: [String], environment: [String]) -> Reading<Fact> {
        let files = Set(mappedFiles.map { path in path.split(separator: "/").last.map(String.init) ?? path })
        let special = libraries.filter { library in files.contains { $0.hasPrefix(library.prefix) } }
        var name = special.map(\.name).joined(separator: " and ")
        if name.isEmpty {
            if files.contains(where: { $0.hasPrefix("libc.so.6") || $0.hasPrefix("libc-2.") }) {
                name = "glibc malloc"
            } else if files.contains(where: { $0.hasPrefix("ld-musl") || $0.hasPrefix("libc.musl") }) {
                name = "musl malloc"
            } else {
                return .unavailable(
                    reason: "the program is linked statically, so its allocator is not known")
            }
        }
        let tuned = environment.filter { entry in settings.contains { entry.hasPrefix($0) } }.sorted()
        let all = ([name] + tuned.map { PlainText.sanitized($0, maximumCharacters: 200) })
        return .value(.text(all.joined(separator: " ")))
    }
}
