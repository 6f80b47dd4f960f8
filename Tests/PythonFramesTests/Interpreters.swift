import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport

@testable import PythonFrames

/// The Pythons of this machine: Debian's, and what a version manager has.
enum Interpreters {
    static let all: [String] = {
        var found = ["/usr/bin/python3.11", "/usr/bin/python3"].filter { Files.isExecutable($0) }.prefix(1)
            .map { $0 }
        let home = CurrentProcess.environmentVariable("HOME") ?? "/root"
        let versions = (try? Files.names(inDirectory: "\(home)/.pyenv/versions")) ?? []
        for version in versions.sorted() {
            let parts = version.split(separator: ".").compactMap { Int($0) }
            guard parts.count >= 2, parts[0] == 3, (8...15).contains(parts[1]) else { continue }
            let program = "\(home)/.pyenv/versions/\(version)/bin/python3.\(parts[1])"
            if Files.isExecutable(program) { found.append(program) }
        }
        return found
    }()
}

/// A Python program that runs beside a test.
final class RunningPython {
    let directory: TemporaryDirectory
    private let child: ChildProcess
    let pid: Int32
    let memory: TargetMemory

    /// Starts a program and waits until it says that it is ready, by making a file named `ready` in its directory.
    init(_ python: String, _ program: String) throws {
        directory = try TemporaryDirectory()
        let script = "\(directory.path)/program.py"
        try Files.replace(script, with: program)
        var request = ChildRequest([python, script])
        request.standardInput = .null
        request.workingDirectory = directory.path
        let started = try ChildProcess.start(request)
        pid = started.pid
        child = started
        memory = TargetMemory.ofProcess(pid)
        for _ in 0..<1000 where !Files.exists("\(directory.path)/ready") {
            SystemClock.sleep(for: .milliseconds(20))
        }
    }
}
