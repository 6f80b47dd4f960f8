internal import PythonFrames
internal import Synchronization

/// The interpreters of the target's processes, as the sampler's thread finds them and the readers use them, and what they
/// have read.
final class PythonDirectory: Sendable {
    private struct Contents {
        var interpreters: [Int32: Entry] = [:]
        var readings: [PythonReading] = []
        /// The events whose samples are read; nil for all.
        var identifiers: Set<UInt64>?
        var version: UInt64 = 0
    }

    /// An interpreter in a process; another one, after an exec, has another number.
    struct Entry: Sendable {
        var interpreter: PythonInterpreter
        var number: UInt64
    }

    private let contents = Mutex(Contents())
    private let version = Atomic<UInt64>(0)

    /// The most readings that wait to be fetched: more than come in a second.
    private static let readingLimit = 1 << 16

    func set(_ interpreter: PythonInterpreter, of processID: Int32) {
        change { $0.interpreters[processID] = Entry(interpreter: interpreter, number: $0.version) }
    }

    func remove(_ processID: Int32) { change { $0.interpreters[processID] = nil } }

    func limit(to identifiers: Set<UInt64>) { change { $0.identifiers = identifiers } }

    private func change(_ body: (inout sending Contents) -> Void) {
        let now = contents.withLock { contents in
            contents.version += 1
            body(&contents)
            return contents.version
        }
        version.store(now, ordering: .releasing)
    }

    /// The interpreters and the events, where they have changed since a version.
    func changes(since known: inout UInt64) -> (interpreters: [Int32: Entry], identifiers: Set<UInt64>?)? {
        guard version.load(ordering: .acquiring) != known else { return nil }
        return contents.withLock { contents in
            known = contents.version
            return (contents.interpreters, contents.identifiers)
        }
    }

    func add(_ reading: PythonReading) {
        contents.withLock { contents in
            if contents.readings.count < Self.readingLimit { contents.readings.append(reading) }
        }
    }

    func takeReadings() -> [PythonReading] {
        contents.withLock { contents in
            defer { contents.readings = [] }
            return contents.readings
        }
    }
}

/// What was read for a sample.
struct PythonReading: Sendable {
    var processID: Int32
    var threadID: Int32
    /// The sample's, in nanoseconds of CLOCK_MONOTONIC.
    var time: UInt64
    /// When the frames had been copied.
    var end: UInt64
    var outcome: Result<PythonStack, PythonReadFailure>
}
