internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// A Slurm of several nodes on this machine, by `scripts/slurm-testbed`. It ends when the test lets go of it, and when the test's
/// process ends.
public final class SlurmTestbed {
    /// Whether its programs are installed.
    public static var isInstalled: Bool {
        ["munged", "slurmctld", "slurmd", "sbatch"].allSatisfy { program in
            ["/usr/sbin", "/usr/bin"].contains { Files.isExecutable("\($0)/\(program)") }
        }
    }

    /// Why a test is skipped.
    public static let notInstalled = "Slurm is not installed: scripts/bootstrap --oracles"

    /// Whether it can keep accounts.
    public static var hasAccounting: Bool {
        ["slurmdbd", "mariadbd"].allSatisfy { Files.isExecutable("/usr/sbin/\($0)") }
    }

    /// Why a test is skipped.
    public static let noAccounting = "slurmdbd and mariadbd are not installed: scripts/bootstrap --oracles"

    /// Whether CPU time can be bounded by node: cgroups are writable.
    public static var hasQuotas: Bool {
        Files.isWritable("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
            || (Files.exists("/sys/fs/cgroup/cgroup.subtree_control") && Files.isWritable("/sys/fs/cgroup"))
    }

    /// Why a test is skipped.
    public static let noQuotas = "no cgroup for CPU time can be made here"

    /// Something that it did not do.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private let workspace: TemporaryDirectory
    private var child: ChildProcess
    private var input: FileDescriptor?
    private let output: FileDescriptor
    private var unread: [UInt8] = []

    /// Starts it, and waits until all nodes are idle.
    ///
    /// - Parameters:
    ///   - accounting: Whether slurmdbd keeps accounts, in a database of its own.
    ///   - quotas: How many percent of a CPU nodes get.
    ///   - ahead: By how many seconds nodes' monotonic clocks are ahead of ours.
    public init(
        nodes: Int = 4, accounting: Bool = false, quotas: [String: Int] = [:], ahead: [String: Int] = [:]
    ) throws {
        workspace = try TemporaryDirectory()
        let commands = try FileDescriptor.pipe()
        let answers = try FileDescriptor.pipe()
        var request = ChildRequest(
            [
                "\(BuiltProduct.packageDirectory)/scripts/slurm-testbed", "\(workspace.path)/slurm",
                "--nodes",
                "\(nodes)",
            ] + (accounting ? ["--accounting"] : []) + ahead.map { "--ahead=\($0.key)=\($0.value)" }
                + quotas.map { "--quota=\($0.key)=\($0.value)" })
        request.standardInput = .descriptor(commands.readEnd.rawValue)
        request.standardOutput = .descriptor(answers.writeEnd.rawValue)
        request.leadsProcessGroup = true
        child = try ChildProcess.start(request)
        input = commands.takeWriteEnd()
        output = answers.takeReadEnd()
        let ready = try line(within: .seconds(120))
        guard ready.hasPrefix("ready ") else { throw Failure(description: "no Slurm: \(ready)") }
    }

    deinit {
        input = nil
        do {
            if try child.wait(timeout: .seconds(30)) == nil { print("The Slurm of a test does not end.") }
        } catch {
            print("The Slurm of a test cannot be waited for: \(error)")
        }
    }

    /// By what clients find it.
    public var environment: [String: String] { ["SLURM_CONF": "\(workspace.path)/slurm/slurm.conf"] }

    /// Gives it a command: `stop n2`, `start n2`, `wait n2`.
    public func order(_ command: String) throws {
        try input?.write(Array("\(command)\n".utf8))
        let answer = try line(within: .seconds(90))
        guard answer == "done" else { throw Failure(description: "\(command): \(answer)") }
    }

    /// What a client of it prints.
    public func ask(_ words: String...) throws -> String {
        let result = try runCommand(words, environment: environment, timeout: .seconds(60))
        guard result.status == .code(0) else {
            throw Failure(description: "\(words): \(result.standardError)")
        }
        return result.standardOutput
    }

    private func line(within limit: Duration) throws -> String {
        let deadline = SystemClock.monotonicNanoseconds + limit.inNanoseconds
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
                return line
            }
            let left = Duration(nanosecondCount: deadline - SystemClock.monotonicNanoseconds)
            guard left > .zero else { throw Failure(description: "it said nothing for \(limit.readable)") }
            guard try FileDescriptor.waitUntilReadable([output.rawValue], timeout: left)[0] else { continue }
            let piece = try output.read(upTo: 4096)
            guard !piece.isEmpty else { throw Failure(description: "it ended") }
            unread += piece
        }
    }
}
