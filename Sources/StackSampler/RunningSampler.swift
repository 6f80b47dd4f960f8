internal import LinuxSystem
internal import Synchronization

/// What the thread of a sampler works on.
protocol SamplingLoop: AnyObject {
    /// Works until a descriptor becomes readable, then takes in what is left.
    func run(until stopDescriptor: Int32)
    /// What was seen, once the work has ended.
    func profile() -> RawProfile
}

/// The thread of a sampler and what it works on. Dropping it ends the thread first.
final class RunningSampler {
    private let loop: SharedLoop
    private let stopPipe: Pipe
    private var thread: DedicatedThread?

    /// Starts a thread for a loop.
    static func start(_ loop: sending any SamplingLoop) throws(SamplerError) -> RunningSampler {
        do throws(SystemError) {
            return try RunningSampler(SharedLoop(loop), stop: FileDescriptor.pipe())
        } catch {
            throw .system(error)
        }
    }

    private init(_ loop: SharedLoop, stop: consuming Pipe) throws(SystemError) {
        self.loop = loop
        stopPipe = stop
        let stopDescriptor = stopPipe.readEnd.rawValue
        thread = try DedicatedThread.start(name: "stack-sampler") { loop.run(until: stopDescriptor) }
    }

    deinit { stop() }

    /// Asks the thread to end, and waits for it.
    func stop() {
        guard let thread = thread.take() else { return }
        do throws(SystemError) {
            try stopPipe.writeEnd.write([1])
        } catch {
            // A pipe whose two ends are ours takes its first byte.
            preconditionFailure("\(error)")
        }
        thread.join()
    }

    func takeProfile() -> RawProfile { loop.profile() }
}

/// Hands the loop to the thread, and back when the thread is done.
private final class SharedLoop: Sendable {
    private let loop: Mutex<any SamplingLoop>

    init(_ loop: sending any SamplingLoop) {
        self.loop = Mutex(loop)
    }

    func run(until stopDescriptor: Int32) { loop.withLock { $0.run(until: stopDescriptor) } }

    func profile() -> RawProfile { loop.withLock { $0.profile() } }
}
