import LinuxProcess
import TestSupport
import Testing

@testable import LinuxSystem

/// Places where others may write. A reader that waits for a named pipe fails by the time limit.
@Suite("Files that others may have put there", .timeLimit(.minutes(1)))
struct FileTrustTests {
    private let directory: TemporaryDirectory
    private var place: String { directory.path }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func shell(_ script: String) throws {
        let result = try runCommand(["sh", "-ec", script], in: place)
        try #require(result.status == .code(0), "\(result.standardError)")
    }

    private func refusal(_ name: String, _ trust: FileTrust) -> String? {
        do throws(Files.ReadError) {
            _ = try Files.read("\(place)/\(name)", trust, limit: 100)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("Pipes, devices, sockets and directories are refused at once, for reading and for appending")
    func irregular() throws {
        try shell(
            "mkfifo fifo; mkdir directory; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'"
        )
        for trust in [FileTrust.named, .beside, .writtenByPipeline, .owned(by: CurrentProcess.userID)] {
            for name in ["fifo", "socket"] {
                #expect(
                    refusal(name, trust) == "Cannot read '\(place)/\(name)': it is no regular file.",
                    "\(trust)")
            }
            #expect(refusal("directory", trust) == "Cannot read '\(place)/directory': Is a directory.")
        }
        #expect(throws: Files.ReadError.self) { try Files.read("/dev/zero", limit: 100) }
        #expect(throws: Files.ReadError.self) { try Files.read("/dev/tty", limit: 100) }
        for links in [FileTrust.Links.followed, .notLast, .none] {
            #expect(throws: SystemError.self) { _ = try Files.openToAppend("\(place)/fifo", links: links) }
        }
        #expect(throws: SystemError.self) { _ = try FileDescriptor.open("\(place)/fifo", .append) }
    }

    @Test(
        "A link is followed as far as its place is trusted, with openat2 and without",
        arguments: [false, true])
    func links(alwaysWalks: Bool) throws {
        try shell(
            """
            mkdir -p out/deep elsewhere; echo in > out/file; echo out > elsewhere/file; echo deep > out/deep/file
            ln -s file out/inner; ln -s ../elsewhere/file out/outer; ln -s /etc/passwd out/absolute
            ln -s out linked; ln -s ../elsewhere out/directory
            """)
        func opens(_ name: String, _ links: FileTrust.Links) -> Bool {
            do throws(SystemError) {
                _ = try Files.openAnything("\(place)/\(name)", 0, links: links, alwaysWalks: alwaysWalks)
                return true
            } catch {
                #expect(error.reason.contains("symbolic link"), "\(name): \(error)")
                return false
            }
        }
        for links in [FileTrust.Links.followed, .notLast, .beneath, .none] {
            #expect(opens("out/file", links))
        }
        for name in ["out/inner", "out/outer", "out/absolute"] {
            #expect(opens(name, .followed))
            #expect(!opens(name, .notLast))
            #expect(!opens(name, .none))
        }
        #expect(opens("linked/file", .notLast))
        #expect(!opens("linked/file", .none))
        #expect(!opens("out/directory/file", .none))
        #expect(opens("linked/file", .beneath))
        // Without openat2 no link is followed, within the directory either.
        #expect(opens("out/inner", .beneath) == !alwaysWalks)
        #expect(!opens("out/outer", .beneath))
        #expect(!opens("out/absolute", .beneath))
        // As our own process sees the file system.
        #expect(opens("out/deep/file", .noneInRoot(ofProcess: CurrentProcess.pid)))
        #expect(!opens("out/directory/file", .noneInRoot(ofProcess: CurrentProcess.pid)))
        #expect(throws: SystemError.self) {
            _ = try Files.openAnything("\(place)/out/no/file", 0, links: .none, alwaysWalks: alwaysWalks)
        }
    }

    @Test("Links that led to a place when it was settled are resolved, those put there later are refused")
    func settled() throws {
        try shell("mkdir out elsewhere; echo secret > elsewhere/status; ln -s out linked")
        let status = Files.settled("\(place)/linked/run/status")
        #expect(status == "\(place)/out/run/status")
        try shell("ln -s ../elsewhere out/run")
        #expect(refusal("out/run/status", .named) == nil)
        do throws(Files.ReadError) {
            _ = try Files.read(status, .writtenByPipeline, limit: 100)
            Issue.record("A link put there later was followed.")
        } catch {
            #expect(error.description.contains("a symbolic link leads there"))
        }
        #expect(Files.settled("/no-such-directory/x") == "/no-such-directory/x")
    }

    @Test(
        "A file that has another name is not read or written where others write",
        .enabled(if: CurrentProcess.userID == 0, "only root reads files that it cannot be meant to read"))
    func hardLinks() throws {
        try shell("echo secret > secret; ln secret status")
        #expect(refusal("status", .writtenByPipeline)?.contains("2 names (hard links)") == true)
        #expect(refusal("status", .named) == nil)
        #expect(throws: SystemError.self) { _ = try Files.openToAppend("\(place)/status", links: .none) }
    }

    @Test("Only the expected user's file is read")
    func owners() throws {
        try shell("echo mine > mine")
        let user = CurrentProcess.userID
        #expect(refusal("mine", .owned(by: user)) == nil)
        #expect(
            refusal("mine", .owned(by: user + 1))
                == "Cannot read '\(place)/mine': it belongs to user \(user), and only user \(user + 1) is trusted with it."
        )
    }

    @Test(
        "A tree is removed without following what is put in it, and only its owner's where that was asked for"
    )
    func removal() throws {
        try shell(
            "mkdir -p victim tree/a/b; echo x > victim/x; ln -s ../../victim tree/a/link; ln -s victim alias")
        #expect(throws: SystemError.self) {
            try Files.removeTree("\(place)/tree", ownedBy: CurrentProcess.userID + 1)
        }
        #expect(Files.exists("\(place)/tree/a/b"))
        // A link in the place of the directory is not what was meant.
        #expect(throws: SystemError.self) {
            try Files.removeTree("\(place)/alias", ownedBy: CurrentProcess.userID)
        }
        try Files.removeTree("\(place)/tree", ownedBy: CurrentProcess.userID)
        try Files.removeTree("\(place)/alias")
        #expect(try Files.names(inDirectory: place) == ["victim"])
        #expect(Files.exists("\(place)/victim/x"))
    }

    @Test("Nothing outside a tree is removed while another process exchanges its directories for links")
    func removalRace() throws {
        try shell("mkdir victim; for i in $(seq 200); do : > victim/$i; done")
        var request = ChildRequest([
            "python3", "-c",
            """
            import os, sys
            print(1, flush=True)
            while True:
                try:
                    os.makedirs("tree/sub", exist_ok=True); os.rename("tree/sub", "tree/old")
                    os.symlink("../victim", "tree/sub"); os.unlink("tree/sub"); os.rmdir("tree/old")
                except OSError: pass
            """,
        ])
        request.workingDirectory = place
        request.diesWithParent = true
        let pipe = try FileDescriptor.pipe()
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let other = try ChildProcess.start(request)
        _ = try pipe.readEnd.read(upTo: 1)
        for _ in 0..<5000 {
            // That a directory is not empty by the time it is removed is the race's, and a refusal is right.
            _ = Result { () throws(SystemError) in try Files.removeTree("\(place)/tree") }
        }
        _ = consume other
        #expect(try Files.names(inDirectory: "\(place)/victim").count == 200)
    }
}
