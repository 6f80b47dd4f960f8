import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import PythonFrames

/// Frames of Pythons that wait in a known place, read from outside.
@Suite("Frames of a running Python")
struct FrameReaderTests {
    /// Waits in a call of a generator, below a method, below a lambda, below a recursive function with a name that is
    /// not ASCII.
    private static let program = """
        import time

        def räum_auf(depth):
            if depth:
                return räum_auf(depth - 1)
            return Worker().work()

        class Worker:
            def work(self):
                return (lambda: sum(self.items()))()

            def items(self):
                yield 1
                open("ready", "w").close()
                time.sleep(60)

        räum_auf(2)
        """

    private static func read(_ pid: Int32, _ memory: TargetMemory) throws -> PythonStack {
        let interpreter = try PythonLocator().locate(pid, memory)
        let reader = FrameReader(interpreter, memory, processID: pid)
        for _ in 0..<50 {
            if let stack = try? reader.read(threadID: pid, now: SystemClock.monotonicNanoseconds) {
                return stack
            }
            SystemClock.sleep(for: .milliseconds(20))
        }
        return try reader.read(threadID: pid, now: SystemClock.monotonicNanoseconds)
    }

    @Test("functions, files and lines, innermost first", arguments: Interpreters.all)
    func stack(python: String) throws {
        let running = try RunningPython(python, Self.program)
        let stack = try Self.read(running.pid, running.memory)
        let shown = stack.shown.map { ($0.code.object, $0.line) }
        let hasQualifiedNames = !["3.8", "3.9", "3.10"].contains { python.hasSuffix($0) }
        let names = shown.map(\.0.qualifiedName)
        if hasQualifiedNames {
            #expect(
                names == [
                    "Worker.items", "Worker.work.<locals>.<lambda>", "Worker.work", "räum_auf", "räum_auf",
                    "räum_auf", "<module>",
                ])
        } else {
            #expect(names == ["items", "<lambda>", "work", "räum_auf", "räum_auf", "räum_auf", "<module>"])
        }
        #expect(shown.map(\.1) == [15, 10, 10, 6, 5, 5, 17])
        #expect(shown.allSatisfy { $0.0.fileName.hasSuffix("program.py") })
        #expect(shown.map(\.0.firstLine) == [12, 10, 9, 3, 3, 3, 1])
    }

    @Test("all threads, and none for a thread without Python", arguments: Interpreters.all)
    func threads(python: String) throws {
        let running = try RunningPython(
            python,
            """
            import threading, time
            def waits(): time.sleep(60)
            threads = [threading.Thread(target=waits) for _ in range(3)]
            for thread in threads: thread.start()
            time.sleep(0.2)
            open("ready", "w").close()
            threads[0].join()
            """)
        let pid = running.pid
        let interpreter = try PythonLocator().locate(pid, running.memory)
        let reader = FrameReader(interpreter, running.memory, processID: pid)
        let threads = try Files.names(inDirectory: "/proc/\(pid)/task").compactMap { Int32($0) }
        #expect(threads.count == 4)
        for thread in threads where thread != pid {
            let stack = try reader.read(threadID: thread, now: SystemClock.monotonicNanoseconds)
            #expect(stack.shown.first?.code.object.qualifiedName == "waits")
            #expect(stack.shown.first?.line == 2)
        }
        #expect(throws: PythonReadFailure.noThread) {
            try reader.read(threadID: 1, now: SystemClock.monotonicNanoseconds + 1_000_000_000)
        }
    }

    @Test("a process that runs no Python")
    func noPython() throws {
        var request = ChildRequest(["sleep", "30"])
        request.standardInput = .null
        let child = try ChildProcess.start(request)
        #expect(throws: PythonInterpreter.Refusal.noPython) {
            try PythonLocator().locate(child.pid, TargetMemory.ofProcess(child.pid))
        }
    }
}
