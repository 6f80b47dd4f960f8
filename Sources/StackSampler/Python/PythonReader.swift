internal import LinuxSystem
internal import Measurement
internal import PythonFrames
internal import Synchronization

/// Reads Python frames on one CPU, whenever a thread of a Python process is sampled there.
///
/// Its thread is bound to that CPU and wakes with the sample: while it reads, the sampled thread is off the CPU, and
/// mostly runs nowhere. Whether it did run is for others to judge (``ThreadSwitches``).
final class PythonReader {
    /// The kernel's identifier of the thread; 0 before it runs.
    private let identifier: SharedIdentifier
    private let stopPipe: Pipe
    private var thread: DedicatedThread?

    private final class SharedIdentifier: Sendable {
        let value = Atomic<Int32>(0)
    }

    var threadID: Int32 { identifier.value.load(ordering: .relaxed) }

    /// - Parameter delay: How long it waits before it reads; longer than nothing only to show what late readings come to.
    init(
        cpu: Int32, _ ring: PerfRing, _ directory: PythonDirectory, delay: Duration
    ) throws(SystemError) {
        stopPipe = try FileDescriptor.pipe()
        let identifier = SharedIdentifier()
        self.identifier = identifier
        let (stop, event, peeker) = (stopPipe.readEnd.rawValue, ring.descriptor, ring.makePeeker())
        thread = try DedicatedThread.start(name: "python-reader") {
            identifier.value.store(CurrentProcess.threadID, ordering: .relaxed)
            // Where either is refused it reads all the same, later: then fewer readings can be proven.
            CurrentProcess.pinThread(toCPU: cpu)
            CurrentProcess.setThreadSlice(.microseconds(100))
            var work = PythonReaderWork(peeker, directory, delay: delay)
            work.run(event: event, stop: stop)
        }
    }

    deinit {
        guard let thread = thread.take() else { return }
        do throws(SystemError) {
            try stopPipe.writeEnd.write([1])
        } catch {
            // A pipe whose two ends are ours takes its first byte.
            preconditionFailure("\(error)")
        }
        thread.join()
    }
}

/// What a reader's thread works on.
private struct PythonReaderWork {
    private var peeker: RingPeeker
    private let directory: PythonDirectory
    private let delay: Duration
    private var version: UInt64 = 0
    private var interpreters: [Int32: PythonDirectory.Entry] = [:]
    private var readers: [Int32: Known] = [:]
    private var identifiers: Set<UInt64>?

    private struct Known {
        var number: UInt64
        var reader: FrameReader
    }

    /// How long it waits after a ring was readable with nothing in it: one whose process has ended always is.
    private static let pause = Duration.milliseconds(2)

    init(_ peeker: RingPeeker, _ directory: PythonDirectory, delay: Duration) {
        self.peeker = peeker
        self.directory = directory
        self.delay = delay
    }

    mutating func run(event: Int32, stop: Int32) {
        while true {
            do throws(SystemError) {
                let ready = try FileDescriptor.waitUntilReadable([stop, event], timeout: nil)
                if ready[0] { return }
            } catch {
                // Without waking there is nothing to read: samples show that their frames were not.
                return
            }
            if !readNewest() { SystemClock.sleep(for: Self.pause) }
        }
    }

    /// Whether there was a sample.
    private mutating func readNewest() -> Bool {
        if let changed = directory.changes(since: &version) {
            (interpreters, identifiers) = changed
            readers = readers.filter { changed.interpreters[$0.key]?.number == $0.value.number }
        }
        let place = peeker
        guard let sample = peeker.newest(of: identifiers) else { return peeker.hasMoved(since: place) }
        guard let entry = interpreters[sample.processID] else { return true }
        if delay > .zero { SystemClock.sleep(for: delay) }
        let known =
            readers[sample.processID]
            ?? Known(
                number: entry.number,
                reader: FrameReader(
                    entry.interpreter, .ofProcess(sample.processID), processID: sample.processID))
        readers[sample.processID] = known
        var end: Int64?
        let outcome = Result { () throws(PythonReadFailure) in
            try known.reader.read(threadID: sample.threadID, now: SystemClock.monotonicNanoseconds) {
                end = SystemClock.monotonicNanoseconds
            }
        }
        directory.add(
            PythonReading(
                processID: sample.processID, threadID: sample.threadID, time: sample.time,
                end: UInt64(clamping: end ?? SystemClock.monotonicNanoseconds), outcome: outcome))
        return true
    }
}
