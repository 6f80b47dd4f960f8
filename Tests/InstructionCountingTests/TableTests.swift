import LinuxSystem
import Measurement
import StackProfile
import Stages
import Testing

@testable import InstructionCounting

/// What the plugin writes, read back without it.
struct TableTests {
    @Test func notesAreReadInOrderOfTheirEdges() {
        let text = "status 2 1 40 3\nxyz\nevent 1 1 40 5\na\nb\nc\nuncounted 2 7 41 2\nab\n"
        let notes = CountNotes(Array(text.utf8)).notes
        #expect(notes.map(\.epoch) == [1, 2, 2])
        #expect(notes.map(\.kind) == [.event, .status, .uncounted])
        #expect(notes[0].content == Array("a\nb\nc".utf8))
        #expect(notes[2].serial == 7)
    }

    @Test func aCutOffNoteEndsTheNotes() {
        #expect(CountNotes(Array("status 1 1 40 3\nxyz\nstatus 2 1 40 9\nxy".utf8)).notes.count == 1)
        #expect(CountNotes(Array("status 1 1 40 -3\nxyz\n".utf8)).notes.isEmpty)
    }

    @Test func logsAreReadToTheirLastWholeRecord() {
        // Thread 300, epoch 2, function 9, one call (1, twice), two blocks (3, four times; 3 + 200, once).
        let record: [UInt8] = [0xAC, 2, 2, 9, 1, 1, 2, 2, 3, 4, 200, 1, 1]
        let bytes = [UInt8(record.count), 0, 0, 0] + record + [9, 0, 0, 0, 1]
        let segments = CountLog.segments(bytes)
        #expect(segments.count == 1)
        #expect(segments.first?.thread == 300)
        #expect(segments.first?.code == 9)
        #expect(segments.first?.blocks.map(\.number) == [3, 203])
        #expect(segments.first?.blocks.map(\.count) == [4, 1])
        #expect(segments.first?.calls.map(\.count) == [2])
    }

    @Test func functionsOfPythonAreReadToTheLastWholeOne() {
        let text = "1 12 1 4 1 3\na.pyf()\n2 0 2 8 1 1\nx\0.\0p\0y\0g\n3 1 1 9 1 9\ncut"
        let functions = PythonFunction.functions(Array(text.utf8))
        #expect(functions[1] == PythonFunction(name: "f()", file: "a.py", line: 12))
        #expect(functions[2] == PythonFunction(name: "g", file: "x.py", line: 0))
        #expect(functions.count == 2)
        #expect(PythonFunction.functions(Array("1 1 3 1 1 1\nab\n".utf8)).isEmpty)
        let package = PythonFunction(name: "run", file: "/a/tool/__init__.py", line: 3).frame
        #expect(package.module == "tool/__init__.py")
    }

    @Test func systemCallsHaveTheirNames() {
        #expect(SystemCallNames.name(of: 435) == "clone3")
        #expect(SystemCallNames.name(of: 9999) == "call 9999")
        #if arch(x86_64)
            #expect(SystemCallNames.named([0: 2, 82: 1]) == ["read": 2, "rename": 1])
        #endif
    }

    private func event(_ kind: String, _ stage: String, _ thread: Int, epoch: UInt64) -> String {
        let line = "{\"event\":\"\(kind)\",\"stage\":\"\(stage)\",\"tid\":\(thread),\"monotonic_ns\":1}\n"
        return "event \(epoch) 1 \(thread) \(line.utf8.count)\n\(line)\n"
    }

    @Test func workBelongsToTheThreadsOwnStageElseToAllThatAreOpen() {
        let text = [
            event("begin", "a", 10, epoch: 1), event("begin", "b", 11, epoch: 2),
            event("end", "a", 10, epoch: 3), event("end", "b", 11, epoch: 4),
        ].joined()
        let epochs = StageEpochs(CountNotes(Array(text.utf8)))
        func names(_ thread: Int32, _ epoch: UInt64, _ ancestors: [StageEpochs.Ancestor] = []) -> [String] {
            epochs.stages(of: thread, at: epoch, ancestors: ancestors).map(\.text)
        }
        #expect(names(10, 0) == [])
        #expect(names(10, 2) == ["a"])
        #expect(names(11, 2) == ["b"])
        #expect(names(12, 2) == ["a", "b"])
        // A process made by the thread of a, while that stage lasts.
        let made = StageEpochs.Ancestor(thread: 10, epoch: 2)
        #expect(names(99, 2, [made]) == ["a"])
        #expect(names(99, 3, [made]) == ["b"])
        #expect(names(10, 4) == [])
        #expect(epochs.shared.map(\.text).sorted() == ["a", "b"])
    }

    @Test func theEnvironmentIsAlwaysAsLarge() {
        func size(_ inherited: [String], _ set: [String: String]) -> Int {
            var all: [String: String] = [:]
            for entry in inherited {
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                all[String(parts[0])] = String(parts[1])
            }
            // Each has a pointer too.
            return all.merging(set) { $1 }.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 10 }
        }
        for inherited in [["A=b"], ["A=bc", "HOME=/root"], ["FREEZE_PROFILE_PADDING=00", "PATH=/bin"]] {
            let set = DeterministicEnvironment.variables(inherited: inherited, added: ["X": "y"])
            #expect(size(inherited, set) % DeterministicEnvironment.granularity == 0)
            let words = ["/home/user/project/pipeline", "--fast"]
            let beside = DeterministicEnvironment.variables(inherited: inherited, added: [:], words: words)
            let others = words.reduce(0) { $0 + $1.utf8.count + 9 }
            #expect((size(inherited, beside) + others) % DeterministicEnvironment.granularity == 0)
        }
        let own = DeterministicEnvironment.variables(inherited: ["PYTHONHASHSEED=7"], added: [:])
        #expect(own["PYTHONHASHSEED"] == nil)
        #expect(own["SWIFT_DETERMINISTIC_HASHING"] == "1")
    }
}
