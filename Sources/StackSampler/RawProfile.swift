public import LinuxProcess

/// What a sampler saw, not yet symbolized: stacks of addresses, and when and where each was seen.
///
/// Everything that repeats is kept once. A sample takes 24 bytes, a distinct stack 4 bytes a frame, a distinct frame
/// 40: an hour of one busy core at 997 Hz is 86 MB of samples; stacks and frames level off.
public struct RawProfile: Sendable {
    /// Files with code that the stacks go through.
    public var images: [ProgramImage]
    /// Distinct frames.
    public var frames: [RawFrame]
    /// Functions of Python that frames are of.
    public var pythonFunctions: [RawPythonFunction]
    /// Which images hold a Python interpreter.
    public var interpreterImages: Set<Int>
    /// Distinct stacks.
    public var stacks: RawStacks
    /// Threads that were sampled. One that changed its name, by exec for instance, has an entry for each name.
    public var threads: [RawThread]
    /// What threads were doing when they were sampled: `running`, `blocked: futex`, `uninterruptible`, `stopped` ...
    public var states: [String]
    /// Samples in order of time.
    public var samples: [RawSample]
    /// Time that a sample of weight 1 stands for, in nanoseconds: CPU time, or of a `PtraceSampler` wall-clock time.
    public var periodNanoseconds: Int64
    /// How far the samples can be trusted.
    public var health: SamplerHealth

    /// The state of a thread that is on a CPU or waits for one.
    public static let runningState = "running"

    /// A profile made of its parts.
    public init(
        images: [ProgramImage], frames: [RawFrame], pythonFunctions: [RawPythonFunction] = [],
        interpreterImages: Set<Int> = [], stacks: RawStacks, threads: [RawThread], states: [String],
        samples: [RawSample], periodNanoseconds: Int64, health: SamplerHealth
    ) {
        self.images = images
        self.frames = frames
        self.pythonFunctions = pythonFunctions
        self.interpreterImages = interpreterImages
        self.stacks = stacks
        self.threads = threads
        self.states = states
        self.samples = samples
        self.periodNanoseconds = periodNanoseconds
        self.health = health
    }
}

/// A code address in a stack.
public struct RawFrame: Hashable, Sendable {
    /// Where the code is.
    public enum Address: Hashable, Sendable {
        /// An address of the frame's image, the same in every process that maps it.
        case image(ImageAddress)
        /// An address in one process's memory: code without an ELF file, which `/tmp/perf-PID.map` may name.
        case runtime(RuntimeAddress, processID: Int32)
        /// A function of Python by its index in `RawProfile.pythonFunctions`, and the line it is in, 0 where unknown.
        case python(function: Int32, line: Int32)
        /// No code: why there is none to show.
        case none(Absence)
    }

    /// Why a sample, or time without one, has no stack of the program.
    public enum Absence: UInt8, Hashable, Sendable, CaseIterable {
        /// CPU time by the kernel's clocks that no sample stands for.
        case notSampled
        /// The thread was in the kernel and had no user stack, as at its end, or a kernel's helper of the process.
        case inKernel
        /// The thread ran in 32-bit mode, which is not unwound.
        case in32BitMode
        /// The middle of a stack with more frames than are kept.
        case leftOut
        /// Python frames that were not read, or not in time.
        case pythonNotRead
        /// A stack that came when the store of distinct stacks was full.
        case notKept

        /// What stands in the place of a function's name.
        public var name: String {
            switch self {
            case .notSampled: "[not sampled]"
            case .inKernel: "[kernel]"
            case .in32BitMode: "[32-bit code]"
            case .leftOut: "[frames left out]"
            case .pythonNotRead: "[Python, not read]"
            case .notKept: "[stack not kept]"
            }
        }
    }

    /// What the address points at.
    public enum Kind: Hashable, Sendable {
        /// The instruction that was about to run.
        case programCounter
        /// The instruction after a call.
        case returnAddress
    }

    /// Index of the image that holds the address, nil for code without a file.
    public var imageIndex: Int?
    public var address: Address
    public var kind: Kind
    /// Whether the frame was found without call-frame information, by the look of the stack.
    public var isGuessed: Bool

    /// A frame made of its parts.
    public init(imageIndex: Int?, address: Address, kind: Kind, isGuessed: Bool) {
        self.imageIndex = imageIndex
        self.address = address
        self.kind = kind
        self.isGuessed = isGuessed
    }

    /// The address to look up: a return address may already belong to the next function or line, so it is the
    /// byte before.
    public var lookupAddress: Address {
        guard kind == .returnAddress else { return address }
        return switch address {
        case .image(let address): .image(ImageAddress(address.value &- 1))
        case .runtime(let address, let processID):
            .runtime(RuntimeAddress(address.value &- 1), processID: processID)
        case .none, .python: address
        }
    }
}

/// Distinct stacks, laid end to end so that millions take no allocation each.
public struct RawStacks: Hashable, Sendable, RandomAccessCollection {
    /// Why a stack ends where it does.
    public enum End: UInt8, Hashable, Sendable {
        /// At the thread's first function.
        case complete
        /// At the end of the copied memory or at the limit of frames: the root is missing.
        case truncated
        /// Where no caller could be found: the root is missing.
        case failed
    }

    /// One stack.
    public struct Stack: Hashable, Sendable {
        /// Indices of frames, leaf first.
        public var frames: ArraySlice<Int32>
        public var end: End
    }

    private var frameIndices: [Int32] = []
    private var ends: [Int] = []
    private var endings: [End] = []

    /// No stacks.
    public init() {}

    public var startIndex: Int { 0 }
    public var endIndex: Int { ends.count }

    public subscript(index: Int) -> Stack {
        let start = index == 0 ? 0 : ends[index - 1]
        return Stack(frames: frameIndices[start..<ends[index]], end: endings[index])
    }

    /// Adds a stack of frame indices, leaf first.
    public mutating func append(_ frames: some Collection<Int32>, end: End) {
        frameIndices.append(contentsOf: frames)
        ends.append(frameIndices.count)
        endings.append(end)
    }

    /// The number of frame indices in all stacks.
    var frameCount: Int { frameIndices.count }

    /// Whether the stack at an index is made of these frames and end.
    func isEqual(at index: Int, _ frames: UnsafeBufferPointer<Int32>, end: End) -> Bool {
        let start = index == 0 ? 0 : ends[index - 1]
        guard endings[index] == end, ends[index] - start == frames.count else { return false }
        for offset in 0..<frames.count where frameIndices[start + offset] != frames[offset] { return false }
        return true
    }
}

/// A thread under one name.
public struct RawThread: Hashable, Sendable {
    public var processID: Int32
    public var threadID: Int32
    /// The name of the process, as its first thread has it: untrusted text of up to 15 bytes.
    public var processName: String
    /// The name of the thread: untrusted text of up to 15 bytes.
    public var threadName: String

    /// A thread made of its parts.
    public init(processID: Int32, threadID: Int32, processName: String, threadName: String) {
        self.processID = processID
        self.threadID = threadID
        self.processName = processName
        self.threadName = threadName
    }
}

/// One sample.
public struct RawSample: Hashable, Sendable {
    /// When, on the clock of `SystemClock.monotonicNanoseconds`.
    public var monotonicNanoseconds: Int64
    /// Index into `RawProfile.threads`.
    public var threadIndex: Int32
    /// Index into `RawProfile.stacks`.
    public var stackIndex: Int32
    /// Index into `RawProfile.states`.
    public var stateIndex: Int32
    /// How many periods it stands for: more than 1 where the thread was known not to have moved.
    public var weight: Int32

    /// A sample made of its parts.
    public init(
        monotonicNanoseconds: Int64, threadIndex: Int32, stackIndex: Int32, stateIndex: Int32 = 0,
        weight: Int32 = 1
    ) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.threadIndex = threadIndex
        self.stackIndex = stackIndex
        self.stateIndex = stateIndex
        self.weight = weight
    }
}
