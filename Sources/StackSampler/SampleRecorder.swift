internal import CLibunwind
internal import LinuxProcess
internal import Measurement

/// Unwinds copied stacks and keeps what is distinct: the part that all rungs share. Used by one thread at a time.
final class SampleRecorder {
    var health: SamplerHealth
    var processes: ProcessTable
    let configuration: SamplerConfiguration
    /// Samples that more copied stack would have made whole, spliced ones included.
    private(set) var cutByWindow = 0

    private var interner: SampleInterner
    let walked: UnsafeMutableBufferPointer<cunwind_frame>
    let indices: UnsafeMutableBufferPointer<Int32>
    private let maximumFrames: Int

    /// What became of Python frames, and what is known of where they belong.
    var python = PythonAccount()
    var pythonFunctions = PythonFunctions()
    var imageRoles: [Int: ImageRole] = [:]
    var interpretersKnown: Set<String> = []
    /// Addresses at which the interpreter's loop has called something.
    var evaluations: Set<UInt64> = []
    /// Whether the walk that is being recorded has reached the thread's first function.
    private(set) var isWalkComplete = false

    /// The most frames that are followed to find the root of a recursion.
    private static let mostFramesWalked = 1 << 16

    /// A thread's registers and stack as they were at a moment.
    struct Moment {
        var threadID: Int32
        var monotonicNanoseconds: Int64
        /// In the order of the kernel's sample records.
        var registers: UnsafeRawPointer
        /// Which of these are known.
        var known = cunwind_known_all
        var stack: UnsafeRawBufferPointer
        /// Bytes of `stack` below the stack pointer.
        var redZoneBytes = 0
        /// Whether more stack may lie above.
        var isStackCut: Bool
        /// The kernel's own walk by frame pointers, where there is one.
        var chain = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// An unwound stack that is not yet counted.
    struct Walk {
        var count: Int
        fileprivate(set) var end: cunwind_end
        /// Whether more memory would have led further.
        var wantsMoreStack: Bool { end == cunwind_end_truncated }
        /// Whether no caller could be found, as happens where code has been mapped since.
        var isFailed: Bool { end == cunwind_end_failed || end == cunwind_end_loop }
        /// Whether the address that it begins with lies in no code that is known.
        fileprivate(set) var hasNoCode = false
    }

    init(_ configuration: SamplerConfiguration, health: SamplerHealth) {
        self.configuration = configuration
        self.health = health
        processes = ProcessTable(cachedRows: configuration.cachedRows)
        interner = SampleInterner(maximumStackBytes: configuration.maximumStackBytes)
        maximumFrames = min(max(configuration.maximumFrames, 4), 1 << 20)
        let capacity = max(maximumFrames, Self.mostFramesWalked)
        walked = .allocate(capacity: capacity)
        indices = .allocate(capacity: capacity)
    }

    deinit {
        walked.deallocate()
        indices.deallocate()
    }

    /// Samples kept so far.
    var sampleCount: Int { interner.samples.count }

    /// The profile of all that was recorded.
    func profile(periodNanoseconds: Int64, samplerCPU: Duration) -> RawProfile {
        health.samplerCPU = samplerCPU
        if python != PythonAccount() { health.python = python }
        var samples = interner.samples
        let isSorted = zip(samples, samples.dropFirst()).allSatisfy {
            $0.monotonicNanoseconds <= $1.monotonicNanoseconds
        }
        if !isSorted { samples.sort { $0.monotonicNanoseconds < $1.monotonicNanoseconds } }
        return RawProfile(
            images: processes.images.images, frames: interner.frames.map { RawFrame($0) },
            pythonFunctions: pythonFunctions.functions,
            interpreterImages: Set(imageRoles.filter { $0.value == .interpreter }.keys),
            stacks: interner.stacks, threads: interner.threads, states: interner.states, samples: samples,
            periodNanoseconds: periodNanoseconds, health: health)
    }

    /// Whether there is room for another sample. One that finds none is counted.
    func hasRoom() -> Bool {
        if interner.samples.count < configuration.maximumSamples { return true }
        health.beyondLimit += 1
        return false
    }

    /// Unwinds a stack. Nil, and counted, when there is not enough memory to.
    func walk(_ moment: Moment, of process: TargetProcess) -> Walk? {
        do throws(AddressSpace.OutOfMemory) {
            let space = try processes.space(for: process)
            let walk = space.walk(
                registers: moment.registers, known: moment.known, stack: moment.stack,
                redZoneBytes: moment.redZoneBytes,
                isStackCut: moment.isStackCut, chain: moment.chain, into: walked)
            let isOutsideCode = walk.count == 0 || walked[0].module == UInt32.max
            return Walk(count: walk.count, end: walk.end, hasNoCode: isOutsideCode)
        } catch {
            health.withoutStack += 1
            health.note("There was not enough memory to unwind the stacks of some processes.")
            return nil
        }
    }

    /// Keeps the stack walked last as a sample. Returns the sample's index.
    @discardableResult
    func record(
        _ walk: Walk, _ moment: Moment, of process: TargetProcess, state: String = RawProfile.runningState,
        weight: Int32 = 1, python: PythonFinding = .notPython
    ) -> Int {
        let stack = intern((walk.count, walk.end), of: process, python)
        interner.append(
            RawSample(
                monotonicNanoseconds: moment.monotonicNanoseconds,
                threadIndex: threadIndex(moment.threadID, of: process), stackIndex: stack,
                stateIndex: interner.state(state), weight: weight))
        health.recorded += 1
        return interner.samples.count - 1
    }

    /// Keeps a sample without a stack of the program.
    func record(
        _ absence: RawFrame.Absence, threadID: Int32, of process: TargetProcess,
        at monotonicNanoseconds: Int64,
        weight: Int32 = 1
    ) {
        indices[0] = interner.frame(Self.key(absence))
        let stack = interner.stack(UnsafeBufferPointer(rebasing: indices[..<1]), end: .complete)
        interner.append(
            RawSample(
                monotonicNanoseconds: monotonicNanoseconds,
                threadIndex: threadIndex(threadID, of: process),
                stackIndex: stack ?? interner.stackOfTheRest(Self.key(.notKept)),
                stateIndex: interner.state(RawProfile.runningState), weight: weight))
        if absence != .notSampled { health.recorded += 1 }
    }

    /// Keeps what came of holding samples against the kernel's clocks, and shows what is missing.
    func take(_ outcome: ClockAccount.Outcome, periodNanoseconds: Int64) {
        guard outcome.counted > 0 else { return }
        var byName: [String: Int64] = [:]
        for missing in outcome.missing {
            byName[missing.name, default: 0] += missing.weight * periodNanoseconds
            recordMissing(missing)
        }
        health.clocks = ClockComparison(
            kernel: Duration(nanosecondCount: outcome.counted),
            sampled: Duration(nanosecondCount: outcome.sampled),
            missing: byName.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                ClockComparison.MissingTime(command: $0.key, time: Duration(nanosecondCount: $0.value))
            })
    }

    /// Shows time of a command that no sample stands for, under the command's name.
    private func recordMissing(_ missing: ClockAccount.Missing) {
        let process = TargetProcess(processID: missing.processID)
        process.setName(missing.name, ofThread: missing.processID)
        record(
            .notSampled, threadID: missing.processID, of: process, at: missing.monotonicNanoseconds,
            weight: Int32(clamping: missing.weight))
    }

    /// Counts a sample again, for a thread that has not moved since: on the sample itself while it is young, else on
    /// a new one with the same stack, under the thread's present name. Returns its index.
    func repeatSample(
        _ index: Int, ofThread threadID: Int32, of process: TargetProcess, at monotonicNanoseconds: Int64,
        weight: Int32
    ) -> Int {
        var sample = interner.samples[index]
        if monotonicNanoseconds - sample.monotonicNanoseconds < Self.freshTime {
            interner.addWeight(weight, toSample: index)
            return index
        }
        guard hasRoom() else { return index }
        sample.monotonicNanoseconds = monotonicNanoseconds
        sample.threadIndex = threadIndex(threadID, of: process)
        sample.weight = weight
        interner.append(sample)
        return interner.samples.count - 1
    }

    /// How exactly in time a thread that stands still is known: its samples are distinguished by stage.
    private static let freshTime: Int64 = 100_000_000

    func internFrame(_ key: SampleInterner.FrameKey) -> Int32 { interner.frame(key) }

    private func intern(
        _ walk: (count: Int, end: cunwind_end), of process: TargetProcess, _ python: PythonFinding
    ) -> Int32 {
        var hasGuess = false
        var isSpliced = false
        let modules = process.modules.modules
        for index in 0..<walk.count {
            let frame = walked[index]
            hasGuess = hasGuess || frame.flags & UInt32(cunwind_frame_is_guessed) != 0
            isSpliced = isSpliced || frame.flags & UInt32(cunwind_frame_is_spliced) != 0
            let module = Int(frame.module)
            var key = SampleInterner.FrameKey(
                address: frame.address, image: -1, process: process.processID, flags: frame.flags)
            if module < modules.count, let image = modules[module].imageIndex {
                key.image = Int32(truncatingIfNeeded: image)
                if let bias = modules[module].bias {
                    key.address = frame.address &- bias
                    key.process = 0
                }
            }
            indices[index] = interner.frame(key)
        }
        isWalkComplete = walk.end == cunwind_end_complete
        let merged = merge(walk.count, python, of: process)
        let count = leaveOutMiddle(of: merged?.count ?? walk.count)
        if hasGuess { health.withGuessedFrames += 1 }
        if isSpliced { health.continuedByFramePointers += 1 }
        if isSpliced || walk.end == cunwind_end_truncated { cutByWindow += 1 }
        let stack = interner.stack(
            UnsafeBufferPointer(rebasing: indices[..<count]),
            end: merged?.isWhole == true ? .complete : ending(walk.end))
        if let stack { return stack }
        health.stacksBeyondLimit += 1
        return interner.stackOfTheRest(Self.key(.notKept))
    }

    /// Keeps both ends of a stack of too many frames. Returns how many are left.
    private func leaveOutMiddle(of count: Int) -> Int {
        guard count > maximumFrames else { return count }
        health.withFramesLeftOut += 1
        let (inner, outer) = ((maximumFrames - 1) / 2, maximumFrames - 1 - (maximumFrames - 1) / 2)
        indices[inner] = interner.frame(Self.key(.leftOut))
        for index in 0..<outer { indices[inner + 1 + index] = indices[count - outer + index] }
        return maximumFrames
    }

    static func key(_ absence: RawFrame.Absence) -> SampleInterner.FrameKey {
        SampleInterner.FrameKey(
            address: UInt64(absence.rawValue), image: RawFrame.noImage, process: 0,
            flags: UInt32(cunwind_frame_is_exact))
    }

    private func ending(_ end: cunwind_end) -> RawStacks.End {
        switch end {
        case cunwind_end_complete: return .complete
        case cunwind_end_truncated:
            health.truncated += 1
            return .truncated
        case cunwind_end_frame_limit:
            health.truncated += 1
            health.cutAtFrameLimit += 1
            return .truncated
        case cunwind_end_loop:
            health.loopsCut += 1
            health.unwindFailed += 1
            return .failed
        default:
            health.unwindFailed += 1
            return .failed
        }
    }

    private func threadIndex(_ threadID: Int32, of process: TargetProcess) -> Int32 {
        if let index = process.threadIndices[threadID] { return index }
        let index = interner.thread(
            RawThread(
                processID: process.processID, threadID: threadID,
                processName: process.name(ofThread: process.processID),
                threadName: process.name(ofThread: threadID)))
        process.threadIndices[threadID] = index
        return index
    }
}

extension RawFrame {
    /// The image index of frames without code.
    fileprivate static let noImage: Int32 = -2

    fileprivate init(_ key: SampleInterner.FrameKey) {
        if key.image == Self.noImage {
            self.init(
                imageIndex: nil,
                address: .none(
                    RawFrame.Absence(rawValue: UInt8(truncatingIfNeeded: key.address)) ?? .inKernel),
                kind: .programCounter, isGuessed: false)
            return
        }
        if key.image == SampleInterner.pythonImage {
            self.init(
                imageIndex: nil,
                address: .python(
                    function: Int32(truncatingIfNeeded: key.address >> 32),
                    line: Int32(truncatingIfNeeded: key.address)),
                kind: .programCounter, isGuessed: false)
            return
        }
        let isOwnMemory = key.process != 0
        self.init(
            imageIndex: key.image < 0 ? nil : Int(key.image),
            address: isOwnMemory
                ? .runtime(RuntimeAddress(key.address), processID: key.process)
                : .image(ImageAddress(key.address)),
            kind: key.flags & UInt32(cunwind_frame_is_exact) != 0 ? .programCounter : .returnAddress,
            isGuessed: key.flags & UInt32(cunwind_frame_is_guessed) != 0)
    }
}
