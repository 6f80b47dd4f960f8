import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication
import TestSupport
import Testing

/// Files that name other files of their author's choice. A test that opens one and blocks fails by its time limit.
@Suite("Paths that a program names are not opened for it", .serialized)
struct UntrustedNamesTests {
    private let fixture: Fixture
    private var pipe: String { fixture.directory + "/pipe" }

    init() throws {
        fixture = try Fixture()
        try fixture.run("mkfifo", pipe)
    }

    /// Named in a process of its own, which is ended where it waits: a test cannot be.
    private func expectNames(_ path: String, _ function: String) async throws {
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == function })
        let found = try fixture.symbolize(path, [hidden.address], inlines: true)
        #expect(found[hidden.address]?.function == .value(function))
    }

    @Test(
        "The other part of a split unit is not opened in a file that others can write",
        .timeLimit(.minutes(1)))
    func splitUnits() async throws {
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2", "-gsplit-dwarf")
        let part = try #require(
            try Files.names(inDirectory: fixture.directory).first { $0.hasSuffix(".dwo") })
        // Where no other user can write, it is read, and brings the inlined functions.
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        let own = try fixture.symbolize(
            path, (0..<hidden.size).map { hidden.address + $0 }, inlines: true)
        #expect(own.values.contains { !$0.inlined.isEmpty })
        try Files.remove(fixture.directory + "/" + part)
        try Files.move(pipe, to: fixture.directory + "/" + part)
        try fixture.run("chmod", "o+w", "work")
        try await expectNames(path, "hidden_work")
    }

    @Test(
        "A shared debug file is opened only below /usr/lib/debug", .timeLimit(.minutes(1)),
        arguments: ["", "/"])
    func sharedFile(kind: String) async throws {
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        // The section: a path ended by zero, and a build identifier of 20 bytes.
        let named = kind == "/" ? pipe : "../\(Files.name(of: fixture.directory))/pipe"
        try Files.replace(
            fixture.directory + "/link", with: Array(named.utf8) + [0] + [UInt8](repeating: 7, count: 20))
        try fixture.run("objcopy", "--add-section", ".gnu_debugaltlink=link", "work")
        try await expectNames(path, "hidden_work")
    }

    @Test("A debug link with a directory in it leads nowhere")
    func linkWithDirectory() throws {
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2", "-Wl,--build-id=none")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        try Files.createDirectories(fixture.directory + "/sub")
        try fixture.run("objcopy", "--only-keep-debug", "work", "sub/aaaa.debug")
        try fixture.run("objcopy", "--strip-all", "--add-gnu-debuglink=sub/aaaa.debug", "work")
        // Without a build identifier the checksum decides.
        try fixture.run("cp", "sub/aaaa.debug", "aaaa.debug")
        let found = try fixture.symbolize(path, [hidden.address])
        #expect(found[hidden.address]?.function == .value("hidden_work"))
        try fixture.run("sed", "-i", "s,aaaa.debug,sub/a.debug,", "work")
        let moved = try fixture.symbolize(path, [hidden.address])
        #expect(moved[hidden.address]?.function.value == nil)
    }

    @Test("A debug file without build identifier has to have the checksum that the link gives")
    func checksum() throws {
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2", "-Wl,--build-id=none")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        try fixture.run("objcopy", "--only-keep-debug", "work", "work.debug")
        try fixture.run("objcopy", "--strip-all", "--add-gnu-debuglink=work.debug", "work")
        var bytes = try Files.read(fixture.directory + "/work.debug", limit: 1 << 24)
        bytes[bytes.count - 1] ^= 1
        try Files.replace(fixture.directory + "/work.debug", with: bytes)
        let found = try fixture.symbolize(path, [hidden.address])
        #expect(found[hidden.address]?.function.value == nil)
    }

    @Test("A program that is overwritten while it is read has no names or all, and ends nothing")
    func overwritten() async throws {
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        try fixture.run("cp", "work", "good")
        var request = ChildRequest([
            "sh", "-c", "while :; do cp good work; truncate -s 9000 work; done",
        ])
        request.workingDirectory = fixture.directory
        request.diesWithParent = true
        var writer = try ChildProcess.start(request)
        defer {
            writer.send(SignalInbox.terminate)
            _ = try? writer.wait(timeout: .seconds(10))
        }
        var failures = 0
        for _ in 0..<300 {
            do {
                let image = try fixture.image(path)
                let named = SymbolizedImage(image, [ImageAddress(0x1140)], options: .init(inlines: true))
                failures += named.failure == nil ? 0 : 1
            } catch {
                failures += 1
            }
        }
        // The file was seen in both states.
        #expect(failures < 300)
    }
}
