import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import Testing

@testable import Capture

@Suite("The environment of a profile")
struct EnvironmentTests {
    @Test("The CPU's model is read from x86 and ARM machines")
    func cpuModel() {
        let x86 =
            "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Example(R) CPU @ 2.20GHz\ncpu MHz\t\t: 2200.0\n"
        let two = x86 + "model name\t: Example(R) CPU @ 2.20GHz\ncpu MHz\t\t: 1800.0\n"
        #expect(EnvironmentText.cpuModel(cpuinfo: two) == .value("Example(R) CPU @ 2.20GHz"))
        #expect(EnvironmentText.frequency(cpuinfo: two) == .value(2000))
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"
        #expect(EnvironmentText.cpuModel(cpuinfo: arm) == .value("implementer 0x41 part 0xd0c"))
        #expect(
            EnvironmentText.cpuModel(cpuinfo: "") == .unavailable(reason: "/proc/cpuinfo names no CPU model"))
    }

    @Test("Memory is classed by the size built in")
    func memoryClass() {
        for (mebibytes, expected) in [
            (450.0, 0.5), (1970, 2), (3900, 4), (7830, 8), (7960, 8), (8192, 8), (15_900, 16), (31_900, 32),
            (48_100, 48),
        ] {
            #expect(EnvironmentText.memoryClass(.mebibytes(mebibytes)) == expected)
        }
    }

    @Test("The files of kernel and distribution are read, and what they do not say is unavailable")
    func files() {
        #expect(
            EnvironmentText.operatingSystem(osRelease: "NAME=\"X\"\nID=debian\nVERSION_ID=\"12\"\n")
                == .value("debian 12"))
        #expect(EnvironmentText.operatingSystem(osRelease: "ID=arch\n") == .value("arch"))
        #expect(EnvironmentText.load(loadavg: "0.52 0.58 0.59 1/467 12345\n") == .value(0.52))
        #expect(EnvironmentText.load(loadavg: "") == .unavailable(reason: "/proc/loadavg is not as expected"))
        #expect(
            EnvironmentText.pressure("some avg10=1.25 avg60=0 avg300=0 total=1\nfull avg10=9 avg60=0\n")
                == .value(1.25))
        #expect(EnvironmentText.steal(stat: "cpu  60 0 20 10 0 0 5 5 0 0\ncpu0 1 1\n") == .value(5))
        #expect(
            EnvironmentText.memory("MemTotal", meminfo: "MemTotal:  2048 kB\n") == .value(.kibibytes(2048)))
        #expect(EnvironmentText.quota(cpuMax: "150000 100000\n") == 1.5)
        #expect(EnvironmentText.quota(cpuMax: "max 100000\n") == nil)
        #expect(EnvironmentText.quota(cpuMax: "-1 100000") == nil)
        let groups = "4:memory:/a\n1:cpu,cpuacct:/b\n0::/c/d\n"
        #expect(EnvironmentText.groupPath(cgroup: groups, controller: "cpu") == "/b")
        #expect(EnvironmentText.groupPath(cgroup: groups, controller: "") == "/c/d")
        #expect(EnvironmentText.groupPath(cgroup: groups, controller: "io") == nil)
    }

    @Test("This machine's identity is what uname, nproc and getconf say")
    func thisMachine() throws {
        let identity = EnvironmentProbe.machineIdentity()
        #expect(try identity[.architecture] == .value(.text(output(["uname", "-m"]))))
        let release = try output(["uname", "-r"])
        let major = release.split(separator: ".").first.map(String.init)
        #expect(identity[.kernelMajor].value?.description == major)
        #expect(try identity[.libc] == .value(.text(output(["getconf", "GNU_LIBC_VERSION"]))))
        let processors = try #require(Double(try output(["nproc"])))
        guard case .number(let usable)? = identity[.usableCPUs].value else {
            Issue.record("no count of CPUs: \(identity[.usableCPUs])")
            return
        }
        #expect(usable > 0 && usable <= processors)
        #expect(identity[.cpuModel].value != nil)
        #expect(EnvironmentProbe.machineIdentity() == identity)
        let observed = EnvironmentProbe.observe()
        #expect(observed[.load].value != nil)
        #expect((observed[.memoryAvailable].value ?? 0) > 0)
        #expect(observed.values.count == ObservedKey.allCases.count && observed.governor != nil)
        #expect(identity[.affinityCPUs] == .value(.number(processors)))
        #expect(identity[.cpuQuota].value != nil)
    }

    @Test("git reports the commit and whether it was changed; elsewhere both are unavailable")
    func git() throws {
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/git-state.")
        defer { #expect(throws: Never.self) { try Files.removeTree(directory) } }
        let outside = GitState.read(directory: directory)
        #expect(outside.commit == .unavailable(reason: "'\(directory)' is no git work tree with a commit"))
        #expect(outside.isDirty.value == nil)

        let git = ["git", "-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        _ = try output(git + ["init", "-q"])
        try Files.replace("\(directory)/file", with: "1\n")
        _ = try output(git + ["add", "file"])
        _ = try output(git + ["commit", "-q", "-m", "x"])
        let clean = GitState.read(directory: directory)
        #expect(try clean.commit == .value(output(git + ["rev-parse", "HEAD"])))
        #expect(clean.isDirty == .value(false))
        try Files.replace("\(directory)/untracked", with: "1\n")
        #expect(GitState.read(directory: directory).isDirty == .value(false))
        try Files.replace("\(directory)/file", with: "2\n")
        #expect(GitState.read(directory: directory).isDirty == .value(true))
    }

    @Test("The stage graph's digest depends on the stages and their order")
    func stageGraph() throws {
        let stages = [StageName.rssFeedFetch, .transcription]
        #expect(EnvironmentProbe.stageGraph(of: stages) == EnvironmentProbe.stageGraph(of: stages))
        #expect(EnvironmentProbe.stageGraph(of: stages) != EnvironmentProbe.stageGraph(of: stages.reversed()))
        #expect(EnvironmentProbe.stageGraph(of: []) == .unavailable(reason: "no stage was seen"))
    }

    private func output(_ arguments: [String]) throws -> String {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest(arguments)
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        var child = try ChildProcess.start(request)
        let readEnd = pipe.takeReadEnd()
        var bytes: [UInt8] = []
        while true {
            let piece = try readEnd.read(upTo: 4096)
            if piece.isEmpty { break }
            bytes += piece
        }
        let outcome = try #require(try child.wait(timeout: .seconds(30)))
        try #require(outcome.status == .code(0), "\(arguments)")
        return String(decoding: bytes, as: UTF8.self)[...].trimmed
    }
}
