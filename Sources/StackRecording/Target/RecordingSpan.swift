internal import LinuxSystem
internal import Measurement
internal import Stages

/// The time during which stacks are recorded.
struct RecordingSpan {
    /// Why a recording ended.
    enum Stop: Equatable {
        case targetEnded
        case timeIsOver
        /// A signal asked for it.
        case asked(signal: Int32)
        /// The sampler will give nothing any more.
        case samplerGone
    }

    let startedAt = SystemClock.now
    /// How long was recorded: known after `wait`.
    private(set) var wall = Duration.zero

    private let start = SystemClock.monotonicNanoseconds
    private let deadline: Int64?

    /// A span that begins now.
    init(_ duration: Duration?) {
        deadline = duration.map { SystemClock.monotonicNanoseconds + $0.inNanoseconds }
    }

    /// Waits until the recording is over, and keeps an eye on the target's stages.
    mutating func wait(
        pid: Int32, pidfd: Int32, signals: borrowing SignalInbox, stages: StageFollower?,
        sampler: inout RunSampler
    ) throws(StackRecordingError) -> Stop {
        // Looked at often while wrappers may still exec one another, then ever more rarely.
        var pause = Duration.milliseconds(10)
        while true {
            sampler.lookAfter(pid)
            let left = deadline.map { max(0, $0 - SystemClock.monotonicNanoseconds) }
            let timeout = min(pause, left.map { Duration(nanosecondCount: $0) } ?? pause)
            let watched = [pidfd, signals.descriptor] + (stages?.descriptor.map { [$0] } ?? [])
            let ready = try Self.ready(watched, within: timeout)
            wall = Duration(nanosecondCount: SystemClock.monotonicNanoseconds - start)
            stages?.look()
            if let signal = signals.next() { return .asked(signal: signal) }
            if ready[0] { return .targetEnded }
            if let deadline, SystemClock.monotonicNanoseconds >= deadline { return .timeIsOver }
            if sampler.hasGivenUp { return .samplerGone }
            pause = min(pause * 2, .milliseconds(250))
        }
    }

    private static func ready(
        _ descriptors: [Int32], within timeout: Duration
    ) throws(StackRecordingError) -> [Bool] {
        do throws(SystemError) {
            return try FileDescriptor.waitUntilReadable(descriptors, timeout: timeout)
        } catch {
            throw .refused(error.description)
        }
    }
}
