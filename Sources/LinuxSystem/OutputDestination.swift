internal import Glibc

/// Where a user asked for output to go.
///
/// The rule for every output option: `-` is standard output; a symbolic link is followed; a regular or new file is
/// written whole, by rename; everything else (a device, a FIFO, `/dev/stdout`, `>(command)`) is opened and written in
/// place, because a rename would put a regular file where it was.
public enum OutputDestination: Equatable, Sendable {
    /// A descriptor of this process: standard output, or one that a path such as `/dev/fd/63` names.
    case descriptor(Int32)
    /// A regular or new file, all links in its last component followed.
    case file(String)
    /// Something that is neither a regular file nor a directory.
    case inPlace(String)

    /// Finds out what a path leads to. Opens and creates nothing.
    ///
    /// - Parameter path: A path, or `-` for standard output.
    public init(_ path: String) throws(SystemError) {
        guard path != "-" else {
            self = .descriptor(Terminal.standardOutput)
            return
        }
        var path = path
        // The kernel gives up after as many links (ELOOP).
        for _ in 0..<40 {
            if let descriptor = OutputDestination.ownDescriptor(path) {
                self = .descriptor(descriptor)
                return
            }
            var status = stat()
            guard path.withNativeCString({ lstat($0, &status) }) == 0 else {
                guard errno == ENOENT else { throw SystemError.last("write '\(path)'") }
                self = .file(path)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: self = .file(path)
            case S_IFDIR: throw SystemError(action: "write '\(path)'", code: EISDIR)
            case S_IFLNK:
                let target = try Files.linkTarget(path)
                path = target.hasPrefix("/") ? target : "\(Files.directory(of: path))/\(target)"
                continue
            default: self = .inPlace(path)
            }
            return
        }
        throw SystemError(action: "write '\(path)'", code: ELOOP)
    }

    /// The path where a file can lie beside others: nil for what is written in place.
    public var regularFile: String? {
        if case .file(let path) = self { path } else { nil }
    }

    /// Writes all bytes. A file keeps its permissions and, where this process may set it, its owner.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        switch self {
        case .descriptor(let descriptor):
            do throws(SystemError) {
                try FileDescriptor.write(bytes, to: descriptor)
            } catch {
                let name =
                    descriptor == Terminal.standardOutput ? "standard output" : "descriptor \(descriptor)"
                throw SystemError(action: "write to \(name)", code: error.code)
            }
        case .file(let path):
            try Files.replace(path, durably: false, keepingAttributes: true) {
                (file) throws(SystemError) in try file.write(bytes)
            }
        case .inPlace(let path):
            do throws(SystemError) {
                try FileDescriptor.open(path, .writeExisting).write(bytes)
            } catch {
                throw SystemError(action: "write '\(path)'", code: error.code)
            }
        }
    }

    /// The descriptor that a path in `/proc/PID/fd` of this process names. Writing to it, rather than opening what lies
    /// behind it again, appends where the descriptor appends and works where it is a socket.
    private static func ownDescriptor(_ path: String) -> Int32? {
        guard let descriptor = Int32(Files.name(of: path)) else { return nil }
        do throws(SystemError) {
            let directory = try Files.canonical(Files.directory(of: path))
            let own = "/proc/\(CurrentProcess.pid)"
            guard
                directory == "\(own)/fd"
                    || (directory.hasPrefix("\(own)/task/") && directory.hasSuffix("/fd"))
            else { return nil }
            return descriptor
        } catch {
            // There is no such directory; the caller finds out when it looks at the path itself.
            return nil
        }
    }
}
