import Glibc
import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@Suite("Output destinations")
struct OutputDestinationTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func kind(_ path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("A dash is standard output; a path in /dev/fd is the descriptor itself")
    func descriptors() throws {
        #expect(try OutputDestination("-") == .descriptor(1))
        #expect(try OutputDestination("/dev/stdout") == .descriptor(1))
        #expect(try OutputDestination("/dev/fd/2") == .descriptor(2))
        #expect(try OutputDestination("/proc/self/fd/2") == .descriptor(2))
        #expect(try OutputDestination("/proc/thread-self/fd/2") == .descriptor(2))
        // A number elsewhere is the name of a file.
        #expect(try OutputDestination("\(directory.path)/2") == .file("\(directory.path)/2"))
    }

    @Test("What a descriptor holds already is kept: a file that is appended to grows")
    func appending() throws {
        let path = "\(directory.path)/log"
        try Files.replace(path, with: "before\n")
        let file = try FileDescriptor.open(path, .append)
        try OutputDestination("/proc/self/fd/\(file.rawValue)").write(Array("after\n".utf8))
        #expect(try Files.read(path, limit: 100) == Array("before\nafter\n".utf8))
    }

    @Test("A link is followed, relative ones from where they lie, to a file that is there or is to be")
    func links() throws {
        let below = "\(directory.path)/below"
        try Files.createDirectories(below)
        try Files.replace("\(below)/there", with: "old")
        for (link, target) in [("a", "below/there"), ("b", "below/new"), ("c", "a")] {
            #expect(symlink(target, "\(directory.path)/\(link)") == 0)
        }
        try OutputDestination("\(directory.path)/c").write(Array("one".utf8))
        #expect(try Files.read("\(below)/there", limit: 10) == Array("one".utf8))
        try OutputDestination("\(directory.path)/b").write(Array("two".utf8))
        #expect(try Files.read("\(below)/new", limit: 10) == Array("two".utf8))
        for link in ["a", "b", "c"] { #expect(kind("\(directory.path)/\(link)") == S_IFLNK) }
        #expect(symlink("loop", "\(directory.path)/loop") == 0)
        let error = #expect(throws: SystemError.self) { try OutputDestination("\(directory.path)/loop") }
        #expect(error?.code == ELOOP)
    }

    @Test("A FIFO is written to, not replaced")
    func fifo() throws {
        let path = "\(directory.path)/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        // Opened for reading and writing, so that neither side waits for the other.
        let reader = open(path, O_RDWR | O_CLOEXEC)
        #expect(reader >= 0)
        let end = FileDescriptor(owning: reader)
        try OutputDestination(path).write(Array("data".utf8))
        #expect(try end.read(upTo: 10) == Array("data".utf8))
        #expect(kind(path) == S_IFIFO)
    }

    @Test("A device stays a device", .enabled(if: getuid() == 0, "only root may make device nodes"))
    func device() throws {
        let path = "\(directory.path)/null"
        // The numbers of /dev/null; where even root may not make nodes there is nothing to test with.
        guard mknod(path, S_IFCHR | 0o666, dev_t(1 << 8 | 3)) == 0 else { return }
        try OutputDestination(path).write(Array("gone".utf8))
        #expect(kind(path) == S_IFCHR)
    }

    @Test("A file keeps its permissions and its owner; a directory is refused")
    func attributes() throws {
        let path = "\(directory.path)/private"
        try Files.replace(path, with: "old")
        #expect(chmod(path, 0o640) == 0)
        if getuid() == 0 { #expect(chown(path, 12345, 12346) == 0) }
        try OutputDestination(path).write(Array("new".utf8))
        #expect(try Files.read(path, limit: 10) == Array("new".utf8))
        #expect(mode(path) == 0o640)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        if getuid() == 0 { #expect(status.st_uid == 12345 && status.st_gid == 12346) }
        let error = #expect(throws: SystemError.self) { try OutputDestination(directory.path) }
        #expect(error?.description == "Cannot write '\(directory.path)': Is a directory.")
    }
}
