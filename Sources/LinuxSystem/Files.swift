internal import CLinux
internal import Glibc
public import Measurement

/// Whole-file reading and replacing, and the few directory operations the toolkit needs.
public enum Files {
    /// A file that is longer than its reader allows.
    public enum ReadError: Error, Equatable, CustomStringConvertible {
        /// The file could not be opened or read.
        case system(SystemError)
        /// The file is longer than the limit, in bytes.
        case tooLong(path: String, limit: Int)

        /// Whether there simply is no such file.
        public var isNotFound: Bool {
            if case .system(let error) = self { error.isNotFound } else { false }
        }

        /// One sentence.
        public var description: String {
            switch self {
            case .system(let error): error.description
            case .tooLong(let path, let limit):
                "'\(path)' is longer than the \(limit) bytes that are read of such a file."
            }
        }
    }

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - trust: How far its place is trusted.
    ///   - limit: The most bytes accepted. Whatever comes from outside has one.
    public static func read(
        _ path: String, _ trust: FileTrust = .named, limit: Int
    ) throws(ReadError) -> [UInt8] {
        do throws(SystemError) {
            let file = try open(path, trust)
            // Half a gigabyte of stacks read into an array that grows is copied twice over. Files in /proc say 0.
            let bytes = try file.readToEnd(limit: limit + 1, expected: Int(try file.size()))
            if bytes.count <= limit { return bytes }
        } catch {
            // Reading names only the descriptor; a person wants the path.
            throw .system(error.during("read '\(path)'"))
        }
        throw .tooLong(path: path, limit: limit)
    }

    /// Which content a path led to: a file that replaces another one has an identity of its own.
    public struct Identity: Hashable, Sendable {
        private let inode: UInt64
        private let written: Int64
        /// When the file was last written, moved or replaced (`st_ctim`), by the file system's clock: on a local one
        /// the wall clock, up to 10 ms late.
        public let changedAt: Timestamp

        /// The identity as a word, to be compared later.
        public var text: String { "\(inode)-\(written)-\(changedAt.nanosecondsSinceEpoch)" }

        fileprivate init(_ status: stat) {
            inode = UInt64(status.st_ino)
            written = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            changedAt = Timestamp(
                nanosecondsSinceEpoch: Int64(status.st_ctim.tv_sec) * 1_000_000_000
                    + Int64(status.st_ctim.tv_nsec))
        }
    }

    /// Which file is at a path; nil when there is none, or it cannot be looked at.
    public static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(status)
    }

    /// Reads a whole file, and says which one it was.
    public static func readIdentified(
        _ path: String, _ trust: FileTrust = .named, limit: Int
    ) throws(ReadError) -> ([UInt8], Identity) {
        do throws(SystemError) {
            let file = try open(path, trust)
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw SystemError.last("look at a file") }
            let bytes = try file.readToEnd(limit: limit + 1, expected: Int(status.st_size))
            if bytes.count <= limit { return (bytes, Identity(status)) }
        } catch {
            throw .system(error.during("read '\(path)'"))
        }
        throw .tooLong(path: path, limit: limit)
    }

    /// Reads the end of a file: all of it when it is not longer than the limit in bytes.
    public static func readEnd(
        _ path: String, _ trust: FileTrust = .named, limit: Int
    ) throws(ReadError) -> [UInt8] {
        do throws(SystemError) {
            let file = try open(path, trust)
            try file.skip(toOffset: max(0, try file.size() - Int64(limit)))
            return try file.readToEnd(limit: limit)
        } catch {
            throw .system(error.during("read '\(path)'"))
        }
    }

    /// Reads the beginning of a file: all of it when it is not longer than the limit in bytes.
    public static func readBeginning(
        _ path: String, _ trust: FileTrust = .named, limit: Int
    ) throws(ReadError) -> [UInt8] {
        do throws(SystemError) {
            return try open(path, trust).readToEnd(limit: limit)
        } catch {
            throw .system(error.during("read '\(path)'"))
        }
    }

    /// Replaces a file whole or not at all: a temporary file in the same directory, then a rename.
    ///
    /// Readers see the old bytes or the new ones, never a part. On failure the temporary file is removed and
    /// the old file is as it was. The temporary file is created with `O_EXCL`, so no link is followed.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - bytes: Its new content.
    ///   - durably: Whether the content is flushed to disk before the rename, so that it survives a power cut.
    public static func replace(_ path: String, with bytes: [UInt8], durably: Bool = false) throws(SystemError)
    {
        try replace(path, durably: durably) { (file) throws(SystemError) in try file.write(bytes) }
    }

    /// Replaces a file whole or not at all with what a function writes, piece by piece.
    ///
    /// - Parameters:
    ///   - path: The file's path. A symbolic link there is replaced, not followed; ``OutputDestination`` follows it.
    ///   - durably: Whether the content and the new name are flushed to disk, so that they survive a power cut.
    ///   - keepingAttributes: Whether the file keeps the permissions and, where this process may set it, the owner of
    ///     the one that it replaces.
    public static func replace(
        _ path: String, durably: Bool = false, keepingAttributes: Bool = false,
        writing: (borrowing FileDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let temporary = temporaryPath(beside: path)
        do throws(SystemError) {
            var existing = stat()
            let keeps =
                keepingAttributes && path.withNativeCString({ lstat($0, &existing) }) == 0
                && existing.st_mode & S_IFMT == S_IFREG
            // Readable by its owner only until it has the permissions that it is to keep.
            let file = try FileDescriptor.open(
                temporary, .createNew, permissions: keeps ? 0o600 : 0o644, followingLinks: false)
            if keeps { try file.takeAttributes(existing) }
            try writing(file)
            if durably { try file.synchronize() }
        } catch {
            if !error.isAlreadyThere { temporary.withNativeCString { _ = unlink($0) } }
            throw SystemError(action: "write '\(path)'", code: error.code)
        }
        guard renamed(temporary, path) else {
            let error = SystemError.last("write '\(path)'")
            temporary.withNativeCString { _ = unlink($0) }
            throw error
        }
        // The name is in the directory, which is flushed on its own.
        if durably { try FileDescriptor.open(directory(of: path), .directory).synchronize() }
    }

    /// Replaces a file with text as UTF-8.
    public static func replace(_ path: String, with text: String, durably: Bool = false) throws(SystemError) {
        try replace(path, with: Array(text.utf8), durably: durably)
    }

    /// Creates a directory and those above it. One that is there already is fine.
    public static func createDirectories(_ path: String) throws(SystemError) {
        if isDirectory(path) { return }
        let parent = directory(of: path)
        if parent != path && !parent.isEmpty { try createDirectories(parent) }
        if path.withNativeCString({ mkdir($0, 0o755) }) != 0 && !(errno == EEXIST && isDirectory(path)) {
            throw SystemError.last("create the directory '\(path)'")
        }
    }

    /// Creates a directory that only its owner can use. Fails when anything, a link too, is at the path already.
    public static func createPrivateDirectory(_ path: String) throws(SystemError) {
        guard mkdir(path, 0o700) == 0 else { throw SystemError.last("create the directory '\(path)'") }
    }

    /// Creates a new directory with a name that nothing else has, readable by its owner only.
    ///
    /// - Parameter prefix: The path up to the random part. The corresponding C function is `mkdtemp`.
    public static func createTemporaryDirectory(prefix: String) throws(SystemError) -> String {
        var template = NativeText.bytes(prefix + "XXXXXX").map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else {
            throw SystemError.last("create a directory '\(prefix)XXXXXX'")
        }
        return prefix
            + String(decoding: template.dropLast().suffix(6).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether something is at a path, a link followed.
    public static func exists(_ path: String) -> Bool { path.withNativeCString { access($0, F_OK) } == 0 }
    /// Whether a directory is at a path, a link followed.
    public static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }
    /// Whether a regular file is at a path, a link followed.
    public static func isRegularFile(_ path: String) -> Bool { kind(path) == S_IFREG }
    /// Whether a pipe is at a path, a link followed: of the shell's `<(...)`, or named.
    public static func isPipe(_ path: String) -> Bool { kind(path) == S_IFIFO }
    /// Whether this process may write to what is at a path.
    public static func isWritable(_ path: String) -> Bool { path.withNativeCString { access($0, W_OK) } == 0 }
    /// Why a directory cannot be written to: no permission, or a read-only file system; nil when it can.
    public static func refusalToWrite(_ path: String) -> SystemError? {
        path.withNativeCString { access($0, W_OK) } == 0
            ? nil : SystemError.last("write to the directory '\(path)'")
    }
    /// Whether a regular file at a path may be executed by this process.
    public static func isExecutable(_ path: String) -> Bool {
        isRegularFile(path) && path.withNativeCString { access($0, X_OK) } == 0
    }

    /// The length of a file in bytes.
    public static func size(_ path: String) throws(SystemError) -> Int64 {
        var status = stat()
        guard path.withNativeCString({ stat($0, &status) }) == 0 else {
            throw SystemError.last("look at '\(path)'")
        }
        return Int64(status.st_size)
    }

    /// Removes a file.
    public static func remove(_ path: String) throws(SystemError) {
        guard path.withNativeCString({ unlink($0) }) == 0 else { throw SystemError.last("remove '\(path)'") }
    }

    /// Moves a file to another name on the same file system, replacing what is there.
    public static func move(_ path: String, to target: String) throws(SystemError) {
        guard renamed(path, target) else { throw SystemError.last("move '\(path)' to '\(target)'") }
    }

    /// The target of a symbolic link. The corresponding C function is `readlink`.
    public static func linkTarget(_ path: String) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { base in
                    path.withNativeCString { readlink($0, base, characters.count) }
                } ?? -1
            }
        }
        guard count >= 0 else { throw SystemError.last("read the link '\(path)'") }
        return NativeText.text(buffer[..<count])
    }

    /// The path with the working directory before it when it is relative.
    public static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : workingDirectory + "/" + path
    }

    /// The working directory of this process.
    public static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return NativeText.text(cString: path)
    }

    /// The part of a path before its last slash: `.` for a bare name, `/` for what lies in the root.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The part of a path after its last slash.
    public static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func kind(_ path: String) -> UInt32 {
        var status = stat()
        return path.withNativeCString { stat($0, &status) } == 0 ? status.st_mode & S_IFMT : 0
    }

    private static func renamed(_ path: String, _ target: String) -> Bool {
        path.withNativeCString { path in target.withNativeCString { rename(path, $0) } } == 0
    }

    private static func temporaryPath(beside path: String) -> String {
        let unique = SystemClock.monotonicNanoseconds
        return "\(directory(of: path))/.\(name(of: path)).\(getpid()).\(clinux_thread_id()).\(unique).tmp"
    }
}

extension FileDescriptor {
    /// Gives this file the permissions of another and, where this process may, its owner and group.
    fileprivate func takeAttributes(_ other: stat) throws(SystemError) {
        // First the owner: a change of owner clears bits of the mode.
        if fchown(rawValue, other.st_uid, other.st_gid) != 0 {
            let error = SystemError.last("set the owner of a file")
            // Only root may give a file away; anyone else keeps the group at most.
            guard error.isPermissionDenied else { throw error }
            _ = fchown(rawValue, uid_t.max, other.st_gid)
        }
        try retryingInterrupts("set the permissions of a file") { fchmod(rawValue, other.st_mode & 0o777) }
    }
}

extension Files {
    /// The path with every link, `.` and `..` resolved. The corresponding C function is `realpath`.
    public static func canonical(_ path: String) throws(SystemError) -> String {
        guard let resolved = path.withNativeCString({ realpath($0, nil) }) else {
            throw SystemError.last("find '\(path)'")
        }
        defer { free(resolved) }
        return NativeText.text(cString: resolved)
    }
}
