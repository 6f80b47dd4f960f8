import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("Variables of an environment")
struct EnvironmentTests {
    @Test(
        "A value may hold equals signs or nothing, a name may begin with one, and what has no name is left out"
    )
    func entries() {
        let variables = CurrentProcess.variables(of: ["A=1", "B=x=y", "C=", "=D=2", "broken", "=", ""])
        #expect(variables == ["A": "1", "B": "x=y", "C": "", "=D": "2"])
    }

    @Test("The session is that of the process table")
    func session() throws {
        let stat = String(decoding: try Files.read("/proc/self/stat", limit: 4096), as: UTF8.self)
        let fields = stat[(try #require(stat.lastIndex(of: ")")))...].split(separator: " ")
        #expect(fields[4] == "\(CurrentProcess.sessionID)")
    }
}

@Suite("Descriptors and clocks")
struct DescriptorTests {
    @Test("A pipe carries bytes, ends when its write end is gone, and waiting shows whether it is readable")
    func pipe() throws {
        let pipe = try FileDescriptor.pipe()
        #expect(try !FileDescriptor.waitUntilReadable([pipe.readEnd.rawValue], timeout: .zero)[0])
        try pipe.writeEnd.write(Array("hello".utf8))
        #expect(try FileDescriptor.waitUntilReadable([pipe.readEnd.rawValue], timeout: .seconds(1))[0])
        #expect(try pipe.readEnd.read(upTo: 2) == Array("he".utf8))
        #expect(try pipe.readEnd.read(upTo: 100) == Array("llo".utf8))
        let readEnd = pipe.takeReadEnd()
        #expect(try readEnd.read(upTo: 1).isEmpty)
    }

    @Test("A socket whose other side is gone is an error, not a signal")
    func socket() throws {
        let pair = try SocketPair()
        try pair.first.send(Array("x".utf8))
        #expect(try pair.second.read(upTo: 10) == Array("x".utf8))
        let first = pair.takeFirst()
        let error = #expect(throws: SystemError.self) { try first.send([1]) }
        #expect(error?.code == SystemError.brokenPipe)
    }

    @Test("A dropped descriptor is closed")
    func closes() throws {
        let path = "/proc/self/fd/"
        var number: Int32 = -1
        func openAndDrop() throws {
            let file = try FileDescriptor.nullDevice()
            number = file.rawValue
            #expect(Files.exists(path + "\(number)"))
        }
        try openAndDrop()
        // Another thread may have got the number meanwhile, for another file.
        let isOurs = (try? Files.linkTarget(path + "\(number)")) == "/dev/null"
        #expect(!isOurs)
    }

    @Test("Creating anew refuses what is there; writing to what exists refuses what is not")
    func access() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        let missing = #expect(throws: SystemError.self) { _ = try FileDescriptor.open(path, .writeExisting) }
        #expect(missing?.isNotFound == true)
        _ = try FileDescriptor.open(path, .createNew)
        let there = #expect(throws: SystemError.self) { _ = try FileDescriptor.open(path, .createNew) }
        #expect(there?.isAlreadyThere == true)
    }

    @Test("Monotonic time goes on while sleeping, CPU time does not")
    func clocks() {
        let start = SystemClock.monotonicNanoseconds
        let cpu = SystemClock.threadCPU
        SystemClock.sleep(for: .milliseconds(30))
        #expect(SystemClock.monotonicNanoseconds - start >= 30_000_000)
        #expect(SystemClock.threadCPU - cpu < .milliseconds(20))
    }

    @Test("A system error is a sentence with the reason")
    func errors() {
        let error = SystemError(action: "open '/tmp/x'", code: 2)
        #expect("\(error)" == "Cannot open '/tmp/x': No such file or directory.")
        #expect(error.isNotFound && !error.isPermissionDenied)
        #expect(SystemError(action: "", code: 28).isNoSpace)
    }
}

@Suite("Watching a directory")
struct DirectoryWatchTests {
    @Test("A replaced, a written and a created name are reported, in order")
    func events() throws {
        let directory = try TemporaryDirectory()
        let watch = try DirectoryWatch(directory.path)
        #expect(try watch.events().isEmpty)
        try Files.replace(directory.path + "/a", with: "1")
        let file = try FileDescriptor.open(directory.path + "/b", .append)
        let events = try watch.events()
        #expect(events.last == .created(name: "b"))
        #expect(events.contains(.written(name: "a")))
        try Files.createDirectories(directory.path + "/sub")
        #expect(try watch.events() == [.created(name: "sub")])
        _ = consume file
        #expect(try watch.events() == [.written(name: "b")])
    }

    @Test("A directory that goes away is reported")
    func gone() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/sub"
        try Files.createDirectories(path)
        let watch = try DirectoryWatch(path)
        try Files.removeTree(path)
        #expect(try watch.events().contains(.directoryGone))
        #expect(throws: SystemError.self) { _ = try DirectoryWatch(path) }
    }
}

@Suite("Terminal")
struct TerminalTests {
    @Test("A pipe is no terminal and has the usual size")
    func pipe() throws {
        let pipe = try FileDescriptor.pipe()
        #expect(!Terminal.isTerminal(pipe.readEnd.rawValue))
        #expect(Terminal.size(pipe.readEnd.rawValue) == Terminal.Size(columns: 80, rows: 24))
    }
}
