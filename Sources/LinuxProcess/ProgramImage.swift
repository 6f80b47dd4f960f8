/// A file with code that a process ran, held so that it can be unwound and symbolized later, also when the process
/// is gone and the file has been replaced on disk.
public struct ProgramImage: Sendable {
    /// Where the image's bytes are.
    public enum Content: Sendable {
        /// An ELF file, opened by us while it was still the one the process ran.
        case file(OpenFile)
        /// An ELF image copied from memory: the vdso.
        case memory([UInt8])
        /// Code that no ELF file describes, or one that could not be opened; the reason as a phrase.
        case unavailable(reason: String)
    }

    /// The path as the kernel gave it to the process (`/usr/bin/x`, `[vdso]`, `//anon`): untrusted text.
    public var path: String
    /// The build identifier in lower-case hexadecimal, nil where the file has none.
    public var buildID: String?
    public var content: Content

    /// An image of a path with its content.
    public init(path: String, buildID: String?, content: Content) {
        self.path = path
        self.buildID = buildID
        self.content = content
    }

    /// The last component of the path: what a person calls the image.
    public var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}
