internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Turns the kernel's records into a profile. Used by one thread at a time.
final class SampleCollector {
    private let recorder: SampleRecorder
    private let ownership: EventOwnership

    init(_ configuration: SamplerConfiguration, ownership: EventOwnership, health: SamplerHealth) {
        recorder = SampleRecorder(configuration, health: health)
        self.ownership = ownership
    }

    /// Reads a process that runs already.
    func seed(_ processID: Int32) { recorder.processes.seed(processID) }

    /// Takes in one record.
    func take(_ bytes: UnsafeRawBufferPointer) {
        guard let record = PerfRecord(bytes) else {
            recorder.health.unreadableRecords += 1
            return
        }
        switch record {
        case .sample(let sample): take(sample)
        case .mapping(let mapping): recorder.processes.apply(mapping)
        case .name(let processID, let threadID, let name, let isExec):
            recorder.processes.setName(name, processID: processID, threadID: threadID, isExec: isExec)
        case .fork(let processID, let threadID, let parentID, let parentThreadID):
            recorder.processes.fork(
                processID: processID, threadID: threadID, parentID: parentID, parentThreadID: parentThreadID)
        case .exit(let processID, let threadID):
            ownership.forget(threadID)
            if !recorder.processes.hasSamples(ofThread: threadID, processID: processID) {
                recorder.health.endedUnsampled += 1
            }
            recorder.processes.exit(processID: processID, threadID: threadID)
        case .lost(let count): recorder.health.lost += Int(clamping: count)
        case .throttled: recorder.health.throttled += 1
        case .other: break
        }
    }

    /// Notes what went wrong outside the records.
    func note(_ problem: String) { recorder.health.note(problem) }

    /// How many of the samples so far were cut off by the end of the copied stack.
    var cut: StackWindow.Count {
        let health = recorder.health
        return StackWindow.Count(samples: health.recorded, cut: recorder.cutByWindow)
    }

    /// The processes that have been seen and have not ended.
    var processes: [Int32] { recorder.processes.running }

    func note(_ extent: StackWindow.Extent) {
        if extent.bytes > recorder.health.stackBytes { recorder.health.enlargements += 1 }
        recorder.health.stackBytes = extent.bytes
    }

    /// The profile of all that was taken in.
    func profile(samplerCPU: Duration) -> RawProfile {
        recorder.profile(
            periodNanoseconds: recorder.configuration.periodNanoseconds, samplerCPU: samplerCPU)
    }

    private func take(_ sample: PerfSample) {
        // Twice watched, by its own event and by one inherited while we attached: one of the two counts.
        guard
            ownership.counts(
                identifier: sample.identifier, threadID: sample.threadID, time: sample.time)
        else { return }
        recorder.health.received += 1
        guard let registers = sample.registers else {
            recorder.health.withoutStack += 1
            return
        }
        guard recorder.hasRoom() else { return }
        let process = recorder.processes.process(sample.processID)
        let moment = SampleRecorder.Moment(
            threadID: sample.threadID, monotonicNanoseconds: Int64(clamping: sample.time),
            registers: registers, stack: sample.stack, isStackCut: sample.isStackCut, chain: sample.chain)
        guard let walk = recorder.walk(moment, of: process) else { return }
        recorder.record(walk, moment, of: process)
    }
}
