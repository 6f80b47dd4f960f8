import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import StackSampler
import TestSupport
import Testing

@testable import StackRecording

@Suite("Names of just-in-time compiled code")
struct JustInTimeNamesTests {
    /// A profile whose only frame is at 0x1000 of process 77.
    private static var raw: RawProfile {
        RawProfile(
            images: [],
            frames: [
                RawFrame(
                    imageIndex: nil, address: .runtime(RuntimeAddress(0x1000), processID: 77),
                    kind: .programCounter, isGuessed: false)
            ],
            stacks: RawStacks(), threads: [], states: [], samples: [], periodNanoseconds: 1,
            health: SamplerHealth(rung: "test"))
    }

    private static func names(
        in directory: TemporaryDirectory, owner: UInt32 = CurrentProcess.userID,
        since: Timestamp = Timestamp(nanosecondsSinceEpoch: 0)
    ) -> JustInTimeNames {
        JustInTimeNames(
            for: raw, trust: .init(userID: owner, notBefore: since), directory: directory.path)
    }

    @Test("come from a map that the target's user has written since the target started")
    func trusted() throws {
        let directory = try TemporaryDirectory()
        #expect(Self.names(in: directory).notes == [])
        let path = "\(directory.path)/perf-77.map"
        try Files.replace(path, with: "1000 10 compiled\nbad line\n")
        let names = Self.names(in: directory)
        #expect(names.function(at: RuntimeAddress(0x100F), processID: 77) == "compiled")
        #expect(names.function(at: RuntimeAddress(0x1010), processID: 77) == nil)
        #expect(names.function(at: RuntimeAddress(0x1000), processID: 78) == nil)
        #expect(names.notes == ["1 lines of \(path) could not be understood."])
    }

    @Test("do not come from another user's file, an older one, a link or a pipe")
    func untrusted() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/perf-77.map"
        func note(_ names: JustInTimeNames) -> String? {
            #expect(names.function(at: RuntimeAddress(0x1000), processID: 77) == nil)
            return names.notes.first
        }
        try Files.replace(path, with: "1000 10 compiled\n")
        let user = CurrentProcess.userID
        #expect(
            note(Self.names(in: directory, owner: user + 1))
                == "Cannot read '\(path)': it belongs to user \(user), and only user \(user + 1) is trusted with it."
        )
        let later = Timestamp(nanosecondsSinceEpoch: SystemClock.now.nanosecondsSinceEpoch + 60_000_000_000)
        #expect(
            note(Self.names(in: directory, since: later))
                == "Cannot read '\(path)': it is older than the process it would be of.")
        try Files.move(path, to: "\(directory.path)/elsewhere")
        try #require(try runCommand(["ln", "-s", "elsewhere", path]).status == .code(0))
        #expect(
            note(Self.names(in: directory))
                == "Cannot read '\(path)': a symbolic link leads there, and none is followed where other programs write."
        )
        try Files.remove(path)
        try #require(try runCommand(["mkfifo", path]).status == .code(0))
        #expect(note(Self.names(in: directory)) == "Cannot read '\(path)': it is no regular file.")
        // A file of the right user that is longer than is read: it takes no room on the disk.
        try Files.remove(path)
        try #require(try runCommand(["truncate", "-s", "300M", path]).status == .code(0))
        #expect(
            note(Self.names(in: directory))
                == "'\(path)' is longer than the \(256 << 20) bytes that are read of such a file.")
    }

    private static func sample(_ command: [String]) throws -> (profile: StackProfile, notes: [String]) {
        var result: (profile: StackProfile, notes: [String])?
        var request = StackRecording.Request(.command(command))
        request.sampler = .native
        let ending = try StackRecording(request).run(report: { _ in }) { stacks in
            result = (stacks.profile, stacks.notes)
        }
        #expect(ending == .commandEnded(.code(0)))
        return try #require(result)
    }

    @Test("name what a program compiles for itself")
    func fixture() throws {
        let directory = try TemporaryDirectory()
        let program = "\(directory.path)/jit"
        let compiled = try runCommand([
            "gcc", "-O1", "-o", program, BuiltProduct.fixture("native/jit.c"),
        ])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        let profile = try Self.sample([program, "400"]).profile
        let costs = profile.functionCosts()
        let own = try #require(costs.first { $0.function == "compiled::count_down" })
        #expect(Double(own.selfWeight) > 0.8 * Double(profile.totalWeight))
        let module = try #require(own.module)
        #expect(module.hasPrefix("perf-") && module.hasSuffix(".map"))
        try Files.remove("/tmp/\(module)")
    }

    /// A Python that writes perf maps, from PATH or from where pyenv keeps them.
    private static let python: String? = {
        var candidates = ["python3", "python3.12", "python3.13"]
        let versions = "\(CurrentProcess.environmentVariable("HOME") ?? "")/.pyenv/versions"
        if let names = try? Files.names(inDirectory: versions) {
            candidates += names.map { "\(versions)/\($0)/bin/python3" }
        }
        let check =
            "import sys; sys.exit(not (sys.version_info >= (3, 12) and hasattr(sys, 'activate_stack_trampoline')))"
        return candidates.first { candidate in
            guard Programs.path(of: candidate) != nil else { return false }
            return (try? runCommand([candidate, "-X", "perf", "-c", check]).status) == .code(0)
        }
    }()

    @Test("name Python's functions where it writes them down (-X perf)", .enabled(if: python != nil))
    func pythonFunctions() throws {
        let directory = try TemporaryDirectory()
        let script = "\(directory.path)/hot.py"
        try Files.replace(
            script,
            with: """
                import time
                def innermost(count):
                    total = 0
                    for index in range(count): total += index * index
                    return total
                def outermost():
                    end = time.time() + 0.8
                    while time.time() < end: innermost(2000)
                outermost()
                """)
        let profile = try Self.sample([try #require(Self.python), "-X", "perf", script]).profile
        let costs = profile.functionCosts()
        let inner = try #require(costs.first { $0.function == "py::innermost:\(script)" })
        #expect(Double(inner.totalWeight) > 0.5 * Double(profile.totalWeight))
        try Files.remove("/tmp/\(try #require(inner.module))")
    }
}
