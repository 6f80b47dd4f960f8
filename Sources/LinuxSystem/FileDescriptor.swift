internal import CLinux
internal import Glibc
internal import Measurement

/// An open file that is closed when its owner is gone.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The descriptor's number, for calls that borrow it.
    public let rawValue: Int32

    /// Takes ownership of an open descriptor.
    public init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        close(rawValue)
    }

    /// Hands the descriptor to code that closes it, such as a stream or a C library.
    @discardableResult
    public consuming func giveAway() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// How a file is opened.
    public enum Access: Sendable {
        /// For reading a regular file. Anything else is refused, and opening never waits; see ``FileTrust``.
        case read
        /// A directory, to lock it or to flush it to disk.
        case directory
        /// What comes through a named pipe that the user named: opening waits for its writer.
        case pipe
        /// For writing at the end of a regular file; created when missing. Each `write` is one whole append. Anything
        /// else is refused, and opening never waits.
        case append
        /// For writing; the file must not exist yet.
        case createNew
        /// For writing to something that exists, such as a switch in `/proc`.
        case writeExisting
    }

    /// Opens a file, close-on-exec. The corresponding C function is `open`.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - access: What for.
    ///   - permissions: The mode of a file that is created, before the umask.
    ///   - followingLinks: Whether a symbolic link in the last component is followed. Files that we create
    ///     in directories others may write to are opened without.
    public static func open(
        _ path: String, _ access: Access, permissions: UInt32 = 0o644, followingLinks: Bool = true
    ) throws(SystemError) -> FileDescriptor {
        let flags: Int32
        switch access {
        case .read: return try Files.open(path, followingLinks ? .named : .ownedByAnyone)
        case .append:
            return try Files.openToAppend(
                path, links: followingLinks ? .followed : .notLast, permissions: permissions)
        case .directory: flags = O_RDONLY | O_DIRECTORY
        case .pipe: flags = O_RDONLY
        case .createNew: flags = O_WRONLY | O_CREAT | O_EXCL
        case .writeExisting: flags = O_WRONLY
        }
        return try Files.openAnything(
            path, flags, permissions: permissions, links: followingLinks ? .followed : .notLast)
    }

    /// The null device, to read nothing from and to write to.
    public static func nullDevice() throws(SystemError) -> FileDescriptor {
        try Files.openAnything("/dev/null", O_RDWR, links: .followed)
    }

    /// Another descriptor of a file that other code has open, such as standard input. The corresponding C call is
    /// `fcntl(F_DUPFD_CLOEXEC)`.
    public static func duplicate(_ rawValue: Int32) throws(SystemError) -> FileDescriptor {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError.last("use descriptor \(rawValue)") }
        return FileDescriptor(owning: copy)
    }

    /// A pipe whose ends are close-on-exec. The corresponding C function is `pipe2`.
    public static func pipe() throws(SystemError) -> Pipe {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw SystemError(action: "create a pipe", code: -result) }
        return Pipe(readEnd: FileDescriptor(owning: ends[0]), writeEnd: FileDescriptor(owning: ends[1]))
    }

    /// Reads up to a number of bytes; empty at the end of the file. The corresponding C function is `read`.
    public func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemError) {
                initialized = try retryingInterrupts("read from descriptor \(rawValue)") {
                    Glibc.read(rawValue, buffer.baseAddress, count)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads up to a number of bytes from an offset on; fewer only at the end of the file. The corresponding C function is
    /// `pread`.
    public func read(upTo count: Int, at offset: Int64) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemError) {
                while initialized < count {
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
                    let read = try retryingInterrupts("read from descriptor \(rawValue)") {
                        pread(rawValue, rest.baseAddress, rest.count, off_t(offset) + off_t(initialized))
                    }
                    if read == 0 { return }
                    initialized += read
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads to the end of the file, or until there are so many bytes.
    ///
    /// - Parameters:
    ///   - limit: The most bytes read.
    ///   - expected: How many there probably are, so that the array need not grow.
    public func readToEnd(limit: Int, expected: Int = 0) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, expected))
        while bytes.count < limit {
            let chunk = try read(upTo: min(limit - bytes.count, 1 << 18))
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return bytes
    }

    /// Moves on to an offset from the file's beginning, in bytes. The corresponding C function is `lseek`.
    public func skip(toOffset offset: Int64) throws(SystemError) {
        try retryingInterrupts("seek in descriptor \(rawValue)") { lseek(rawValue, off_t(offset), SEEK_SET) }
    }

    /// Writes all bytes, in one `write` where the kernel takes them at once. The corresponding C function is `write`.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        try FileDescriptor.write(bytes, to: rawValue)
    }

    /// Writes all bytes to a descriptor that other code owns, such as standard error.
    public static func write(_ bytes: [UInt8], to rawValue: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try retryingInterrupts("write to descriptor \(rawValue)") {
                bytes.withUnsafeBytes { buffer in
                    Glibc.write(rawValue, buffer.baseAddress?.advanced(by: written), bytes.count - written)
                }
            }
        }
    }

    /// Writes text as UTF-8.
    public static func write(_ text: String, to rawValue: Int32) throws(SystemError) {
        try write(Array(text.utf8), to: rawValue)
    }

    /// Waits until reading would not block, or for a time. False when the time was over first.
    ///
    /// The corresponding C function is `poll`. A signal ends the wait early, with false.
    public static func waitUntilReadable(_ descriptors: [Int32], timeout: Duration?) throws(SystemError)
        -> [Bool]
    {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let milliseconds = timeout.map { Int32(clamping: max(0, ($0.inNanoseconds + 999_999) / 1_000_000)) }
        let result = poll(&polled, nfds_t(polled.count), milliseconds ?? -1)
        if result < 0 && errno != EINTR { throw SystemError.last("wait for input") }
        return polled.map { result > 0 && $0.revents != 0 }
    }

    /// Whether the file has been removed from every directory, so that what is written to it is lost.
    public var isRemoved: Bool {
        var status = stat()
        return fstat(rawValue, &status) == 0 && status.st_nlink == 0
    }

    /// Flushes the file to its disk. The corresponding C function is `fsync`.
    public func synchronize() throws(SystemError) {
        try retryingInterrupts("flush a file to disk") { fsync(rawValue) }
    }
}

/// The two ends of a pipe, each owned.
public struct Pipe: ~Copyable, Sendable {
    /// Where written bytes arrive.
    public var readEnd: FileDescriptor
    /// Where bytes are written.
    public var writeEnd: FileDescriptor

    /// A pipe of two ends.
    public init(readEnd: consuming FileDescriptor, writeEnd: consuming FileDescriptor) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    /// Gives the read end away and closes the write end.
    public consuming func takeReadEnd() -> FileDescriptor { readEnd }
    /// Gives the write end away and closes the read end.
    public consuming func takeWriteEnd() -> FileDescriptor { writeEnd }
}
