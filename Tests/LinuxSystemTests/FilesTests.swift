import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@Suite("Files")
struct FilesTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test("A replaced file is whole, and nothing else is left in its directory")
    func replace() throws {
        let path = directory.path + "/a"
        try Files.replace(path, with: "one")
        try Files.replace(path, with: "two", durably: true)
        #expect(try Files.read(path, limit: 10) == Array("two".utf8))
        #expect(try Files.names(inDirectory: directory.path) == ["a"])
    }

    @Test("A failed replacement leaves the old file and no remains")
    func failedReplace() throws {
        let path = directory.path + "/a"
        try Files.replace(path, with: "old")
        #expect(throws: SystemError.self) {
            try Files.replace(path) { (_) throws(SystemError) in
                throw SystemError(action: "write", code: 28)
            }
        }
        #expect(try Files.read(path, limit: 10) == Array("old".utf8))
        #expect(try Files.names(inDirectory: directory.path) == ["a"])
    }

    @Test("A file that cannot be written is named with the reason")
    func missingDirectory() {
        let error = #expect(throws: SystemError.self) {
            try Files.replace(directory.path + "/no/such", with: "x")
        }
        #expect(
            error?.description == "Cannot write '\(directory.path)/no/such': No such file or directory.")
    }

    @Test("Reading stops at its limit and says so")
    func limit() throws {
        let path = directory.path + "/a"
        try Files.replace(path, with: "12345")
        #expect(try Files.read(path, limit: 5).count == 5)
        let error = #expect(throws: Files.ReadError.self) { try Files.read(path, limit: 4) }
        #expect(error?.description == "'\(path)' is longer than the 4 bytes that are read of such a file.")
        // Endless, and without a size.
        #expect(throws: Files.ReadError.self) { try Files.read("/dev/zero", limit: 1000) }
    }

    @Test("A reader never sees a part of a file that is being replaced")
    func atomic() async throws {
        let path = directory.path + "/a"
        let contents = ["x", "y"].map { String(repeating: $0, count: 100_000) }
        try Files.replace(path, with: contents[0])
        let writer = Task.detached {
            for round in 0..<200 { try Files.replace(path, with: contents[round % 2]) }
        }
        for _ in 0..<200 {
            let bytes = try Files.read(path, limit: 1 << 20)
            #expect(bytes.count == 100_000 && Set(bytes).count == 1)
        }
        try await writer.value
    }

    @Test("A link is not followed where that was forbidden")
    func links() throws {
        let victim = directory.path + "/victim"
        try Files.replace(victim, with: "precious")
        let link = directory.path + "/link"
        var ln = try runCommand(["ln", "-s", victim, link])
        #expect(ln.status == .code(0))
        #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open(link, .append, followingLinks: false)
        }
        // Replacing replaces the link, not what it points to.
        try Files.replace(link, with: "mine")
        #expect(try Files.read(victim, limit: 100) == Array("precious".utf8))
        ln = try runCommand(["ln", "-s", victim, directory.path + "/other"])
        try Files.removeTree(directory.path + "/other")
        #expect(Files.exists(victim))
    }

    @Test("A tree is made and removed, and removing what is not there is fine")
    func trees() throws {
        let deep = directory.path + "/a/b/c"
        try Files.createDirectories(deep)
        try Files.createDirectories(deep)
        try Files.replace(deep + "/f", with: "x")
        try Files.removeTree(directory.path + "/a")
        #expect(!Files.exists(directory.path + "/a"))
        try Files.removeTree(directory.path + "/a")
        try Files.replace(directory.path + "/file", with: "x")
        #expect(throws: SystemError.self) { try Files.createDirectories(directory.path + "/file/below") }
    }

    @Test("Paths come apart at the last slash")
    func paths() {
        #expect(Files.directory(of: "a") == ".")
        #expect(Files.directory(of: "/a") == "/")
        #expect(Files.directory(of: "/a/b") == "/a")
        #expect(Files.name(of: "/a/b") == "b")
        #expect(Files.absolute("/x") == "/x")
        #expect(Files.absolute("x") == Files.workingDirectory + "/x")
    }

    @Test(
        "A full disk leaves the old file as it was, and says what failed",
        .enabled(if: CurrentProcess.userID == 0))
    func diskFull() throws {
        let directory = try TemporaryDirectory()
        let mounted = try runCommand(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory.path])
        try #require(mounted.status == .code(0), "\(mounted.standardError)")
        let path = "\(directory.path)/profile.yaml"
        let outcome = Result { () throws(SystemError) in
            try Files.replace(path, with: "old")
            try Files.replace(path, with: [UInt8](repeating: 1, count: 200_000))
        }
        let old = try Files.read(path, limit: 100)
        let names = try Files.names(inDirectory: directory.path)
        _ = try runCommand(["umount", directory.path])
        #expect(throws: SystemError(action: "write '\(path)'", code: 28)) { try outcome.get() }
        #expect(old == Array("old".utf8))
        #expect(names == ["profile.yaml"])
    }
}
