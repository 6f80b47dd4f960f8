/// Reads the Python frames of the threads of one process. Used by one thread at a time.
///
/// It takes no lock, allocates little, and does as few system calls as the structures allow: the thread's structure, then
/// the stack of frames in one piece, from 3.11 on. Names of functions are read when they are first met.
public final class FrameReader {
    public let interpreter: PythonInterpreter
    private let memory: TargetMemory
    private let objects: PythonObjects
    private let threadSize: Int
    private var threads: [Int32: [UInt64]] = [:]
    private var nextThreadSearch: Int64 = 0
    /// By address; what is there now may be another one, with another identity.
    private var codes: [UInt64: PythonCode] = [:]
    private let chunk: UnsafeMutableRawBufferPointer
    private let threadBytes: UnsafeMutableRawBufferPointer
    private let frameBytes: UnsafeMutableRawBufferPointer
    private let tids: ThreadIdentifiers

    /// The most frames of a thread.
    static let frameLimit = 4096
    private static let objectFrameLimit = 1024
    private static let chunkLimit = 64 << 10
    private static let threadLimit = 4096
    private static let interpreterLimit = 256
    private static let codeLimit = 1 << 16
    private static let threadSearchPause: Int64 = 5_000_000

    /// A reader of an interpreter's threads.
    ///
    /// - Parameter threadIdentifiers: The kernel's identifiers of the process's threads, for versions before 3.11.
    public init(_ interpreter: PythonInterpreter, _ memory: TargetMemory, processID: Int32) {
        self.interpreter = interpreter
        self.memory = memory
        let layout = interpreter.layout
        objects = PythonObjects(memory: memory, layout: layout)
        let fields = [
            layout.thread.next, layout.thread.interpreter, layout.thread.threadID,
            layout.thread.nativeThreadID ?? 0, (layout.thread.stackChunk ?? 0) + 8, layout.topFrameField,
        ]
        threadSize = (fields.max() ?? 0) + 8
        threadBytes = .allocate(byteCount: threadSize, alignment: 16)
        chunk = .allocate(byteCount: Self.chunkLimit, alignment: 16)
        frameBytes = .allocate(byteCount: 256, alignment: 16)
        tids = ThreadIdentifiers(memory, processID: processID)
    }

    deinit {
        threadBytes.deallocate()
        chunk.deallocate()
        frameBytes.deallocate()
    }

    /// Reads the frames of a thread.
    ///
    /// - Parameters:
    ///   - now: CLOCK_MONOTONIC, in nanoseconds.
    ///   - whenRead: Called when the frames have been copied, with what code they run, and before the names of functions that
    ///     were not met yet are read.
    public func read(
        threadID: Int32, now: Int64, whenRead: () -> Void = {}
    ) throws(PythonReadFailure) -> PythonStack {
        var states = threads[threadID] ?? []
        if states.isEmpty || !states.allSatisfy({ isThread($0, threadID) }) {
            findThreads(now)
            states = threads[threadID] ?? []
        }
        guard !states.isEmpty else { throw .noThread }
        var stack = PythonStack(activations: [])
        if states.count == 1 {
            let groups = try activations(of: states[0])
            let identities = identities(of: groups)
            whenRead()
            stack.activations = try resolved(groups, identities)
        } else {
            // One for each interpreter that the thread has been in.
            for state in states {
                let groups = try activations(of: state)
                stack.activations += try resolved(groups, identities(of: groups))
            }
            whenRead()
            // Their activations lie among one another on one stack.
            stack.activations.sort { ($0.anchor ?? .max) < ($1.anchor ?? .max) }
        }
        guard !stack.activations.isEmpty else { throw .noFrames }
        return stack
    }

    /// A frame as its bytes describe it.
    private struct RawFrame {
        var address, code: UInt64
        var instruction: FrameInstruction
        /// Which copy of the code it runs, 0 for the code itself.
        var copy: Int32
    }

    private struct RawActivation {
        var frames: [RawFrame] = []
        var anchor: UInt64?
    }

    // MARK: - Threads

    /// Whether a structure still stands for a thread; leaves its bytes read.
    private func isThread(_ address: UInt64, _ threadID: Int32) -> Bool {
        guard memory.read(address, into: threadBytes) else { return false }
        return identifier(UnsafeRawBufferPointer(threadBytes)) == threadID
    }

    /// Walks all threads of all interpreters.
    private func findThreads(_ now: Int64) {
        guard now >= nextThreadSearch else { return }
        nextThreadSearch = now &+ Self.threadSearchPause
        threads = [:]
        let layout = interpreter.layout
        var current: UInt64? = memory.value(at: interpreter.runtime &+ UInt64(layout.interpreter.head))
        var interpreters = 0
        while let address = current, address != 0, interpreters < Self.interpreterLimit {
            var state: UInt64? = memory.value(at: address &+ UInt64(layout.interpreter.threadsHead))
            var count = 0
            while let found = state, found != 0, count < Self.threadLimit {
                guard memory.read(found, into: threadBytes) else { break }
                let bytes = UnsafeRawBufferPointer(threadBytes)
                if bytes.value(UInt64.self, at: layout.thread.interpreter) == address,
                    let threadID = identifier(bytes)
                {
                    threads[threadID, default: []].append(found)
                }
                state = bytes.value(UInt64.self, at: layout.thread.next)
                count += 1
            }
            current = memory.value(at: address &+ UInt64(layout.interpreter.next))
            interpreters += 1
        }
    }

    private func identifier(_ thread: UnsafeRawBufferPointer) -> Int32? {
        let layout = interpreter.layout.thread
        if let field = layout.nativeThreadID {
            return thread.value(UInt64.self, at: field).flatMap { tids.ours($0) }
        }
        return thread.value(UInt64.self, at: layout.threadID).flatMap { tids.ofPthread($0) }
    }

    // MARK: - Frames

    private func activations(of state: UInt64) throws(PythonReadFailure) -> [RawActivation] {
        guard memory.read(state, into: threadBytes) else { throw .unreadable }
        let thread = UnsafeRawBufferPointer(threadBytes)
        switch interpreter.layout.thread.topFrame {
        case .object(let field):
            return try objectFrames(from: pointer(thread, field), cframes: [])
        case .objectWithCFrames(let field, let cframe):
            let chain = cframeChain(from: pointer(thread, cframe), currentFrame: nil).map(\.address)
            return try objectFrames(from: pointer(thread, field), cframes: chain)
        case .cframe(let field, let currentFrame):
            let chain = cframeChain(from: pointer(thread, field), currentFrame: currentFrame)
            return try throughCFrames(chain, chunk(of: thread))
        case .pointer(let field):
            return try frames(from: pointer(thread, field), chunk(of: thread), base: base(state))
        }
    }

    private func pointer(_ bytes: UnsafeRawBufferPointer, _ field: Int) -> UInt64 {
        bytes.value(UInt64.self, at: field) ?? 0
    }

    private func base(_ state: UInt64) -> UInt64? {
        interpreter.layout.thread.baseFrame.map { state &+ UInt64($0) }
    }

    /// The part of the target's memory that is in ``chunk``.
    private func chunk(of thread: UnsafeRawBufferPointer) -> Range<UInt64> {
        guard let field = interpreter.layout.thread.stackChunk else { return 0..<0 }
        let (start, top) = (pointer(thread, field), pointer(thread, field + 8))
        guard start > 0, top > start, top - start <= 1 << 24 else { return 0..<0 }
        // Of a larger one the newest frames.
        let first = max(start, top > UInt64(Self.chunkLimit) ? top - UInt64(Self.chunkLimit) : 0)
        let buffer = UnsafeMutableRawBufferPointer(rebasing: chunk[..<Int(top - first)])
        return memory.read(first, into: buffer) ? first..<top : 0..<0
    }

    private struct CFrame {
        var address: UInt64
        var currentFrame: UInt64
    }

    /// The records that activations leave on the C stack, innermost first. The last belongs to the thread itself.
    private func cframeChain(from first: UInt64, currentFrame: Int?) -> [CFrame] {
        var found: [CFrame] = []
        var next = first
        while next != 0, found.count < Self.objectFrameLimit {
            guard let words = memory.words(3, at: next) else { break }
            found.append(CFrame(address: next, currentFrame: currentFrame.map { words[$0 / 8] } ?? 0))
            let previous = words[interpreter.layout.cframePrevious / 8]
            // Callers lie further up; only the thread's own record lies elsewhere, and ends the chain.
            if previous == next { break }
            next = previous
        }
        return found
    }

    /// 3.11 and 3.12.
    private func throughCFrames(
        _ chain: [CFrame], _ chunk: Range<UInt64>
    ) throws(PythonReadFailure) -> [RawActivation] {
        guard let index = chain.indices.prefix(2).first(where: { isBegun(chain, $0, chunk) }) else {
            return []
        }
        var found = try frames(from: chain[index].currentFrame, chunk, base: nil)
        if case .entryFlag = interpreter.layout.frame.activation {
            for place in found.indices where place + index < chain.count {
                found[place].anchor = chain[place + index].address
            }
        }
        return found
    }

    /// Whether an activation has set its frame: until it has, what stands there is left over from others. A frame that
    /// is set runs code.
    private func isBegun(_ chain: [CFrame], _ index: Int, _ chunk: Range<UInt64>) -> Bool {
        let address = chain[index].currentFrame
        guard address != 0, address & 7 == 0, let bytes = frame(at: address, chunk) else { return false }
        let code = pointer(bytes, interpreter.layout.frame.code)
        return objects.identity(ofCode: code, type: interpreter.codeType) != nil
    }

    /// From 3.11 on: frames lie in chunks of a stack of their own, in generators, or on the C stack.
    private func frames(
        from first: UInt64, _ chunk: Range<UInt64>, base: UInt64?
    ) throws(PythonReadFailure) -> [RawActivation] {
        let layout = interpreter.layout.frame
        var activations: [RawActivation] = []
        var group = RawActivation()
        var (next, count) = (first, 0)
        while next != 0 {
            guard next & 7 == 0, let bytes = frame(at: next, chunk) else { throw .unreadable }
            let previous = pointer(bytes, layout.previous)
            count += 1
            guard count <= Self.frameLimit, previous != next else { throw .endless }
            // A process from 3.13 on says itself where it is, perhaps beyond the frame.
            let owner = layout.owner.flatMap { bytes.value(UInt8.self, at: $0) } ?? 0
            if layout.activation == .shim, owner >= 3 {
                // The thread's own last frame (3.15) is no activation.
                if next != base {
                    group.anchor = next
                    activations.append(group)
                    group = RawActivation()
                }
            } else {
                group.frames.append(rawFrame(bytes, at: next))
                if case .entryFlag(let field) = layout.activation, bytes[field] != 0 {
                    activations.append(group)
                    group = RawActivation()
                }
            }
            next = previous
        }
        if !group.frames.isEmpty { activations.append(group) }
        return activations
    }

    /// The bytes of a frame: from the chunk where it lies in there, else read by itself. Valid until the next call.
    private func frame(at address: UInt64, _ chunk: Range<UInt64>) -> UnsafeRawBufferPointer? {
        let size = interpreter.layout.frame.size
        if address >= chunk.lowerBound, address < chunk.upperBound, chunk.upperBound - address >= UInt64(size)
        {
            let start = Int(address - chunk.lowerBound)
            return UnsafeRawBufferPointer(rebasing: self.chunk[start..<start + size])
        }
        let buffer = UnsafeMutableRawBufferPointer(rebasing: frameBytes[..<min(size, frameBytes.count)])
        return memory.read(address, into: buffer) ? UnsafeRawBufferPointer(buffer) : nil
    }

    private func rawFrame(_ bytes: UnsafeRawBufferPointer, at address: UInt64) -> RawFrame {
        let layout = interpreter.layout.frame
        let code = pointer(bytes, layout.code)
        let instruction: FrameInstruction =
            switch layout.instruction {
            case .byteIndex(let field): .byteOffset(Int(bytes.value(Int32.self, at: field) ?? -1))
            case .unitIndex(let field): .byteOffset(Int(bytes.value(Int32.self, at: field) ?? -1) * 2)
            case .pointer(let field): .address(pointer(bytes, field))
            }
        return RawFrame(
            address: address, code: layout.isCodeTagged ? code & ~3 : code, instruction: instruction,
            copy: layout.codeCopy.flatMap { bytes.value(Int32.self, at: $0) } ?? 0)
    }

    /// The frames with what they run.
    private func resolved(
        _ activations: [RawActivation], _ identities: [UInt64: CodeObject.Identity]
    ) throws(PythonReadFailure) -> [PythonStack.Activation] {
        var found: [PythonStack.Activation] = []
        found.reserveCapacity(activations.count)
        for activation in activations {
            var frames: [PythonFrame] = []
            frames.reserveCapacity(activation.frames.count)
            for raw in activation.frames {
                guard let identity = identities[raw.code], let code = code(at: raw.code, identity) else {
                    throw .notCode
                }
                var instruction = raw.instruction
                if raw.copy > 0, case .address(let address) = instruction {
                    instruction = .address(inOwnCode(address, raw.copy, code))
                }
                frames.append(PythonFrame(address: raw.address, code: code, instruction: instruction))
            }
            found.append(PythonStack.Activation(frames: frames, anchor: activation.anchor))
        }
        return found
    }

    /// An instruction of a thread's own copy of some code, as one of the code itself (free-threaded builds).
    private func inOwnCode(_ address: UInt64, _ copy: Int32, _ code: PythonCode) -> UInt64 {
        guard let field = interpreter.layout.code.copies,
            let array: UInt64 = memory.value(at: code.address &+ UInt64(field)),
            let start: UInt64 = memory.value(at: array &+ 8 &+ UInt64(copy) * 8), address >= start,
            let instructions = code.object.instructions
        else { return address }
        return instructions &+ (address - start)
    }

    /// To 3.10: frames are objects, each of an activation of its own.
    private func objectFrames(
        from first: UInt64, cframes: [UInt64]
    ) throws(PythonReadFailure) -> [RawActivation] {
        var activations: [RawActivation] = []
        var next = first
        while next != 0 {
            guard next & 7 == 0, let bytes = frame(at: next, 0..<0) else { throw .unreadable }
            let previous = pointer(bytes, interpreter.layout.frame.previous)
            let place = activations.count
            guard place < Self.objectFrameLimit, previous != next else { throw .endless }
            activations.append(
                RawActivation(
                    frames: [rawFrame(bytes, at: next)], anchor: place < cframes.count ? cframes[place] : nil)
            )
            next = previous
        }
        return activations
    }

    // MARK: - Code

    /// What code the frames run, by address: looked at each time, for the memory of code that was freed is given to other
    /// code, and a name that was right a moment ago is wrong.
    private func identities(of activations: [RawActivation]) -> [UInt64: CodeObject.Identity] {
        var found: [UInt64: CodeObject.Identity] = [:]
        for activation in activations {
            for frame in activation.frames where found[frame.code] == nil {
                found[frame.code] = objects.identity(ofCode: frame.code, type: interpreter.codeType)
            }
        }
        return found
    }

    /// The code object that was at an address when it had an identity; nil where it is gone before its names could be read.
    private func code(at address: UInt64, _ identity: CodeObject.Identity) -> PythonCode? {
        if let known = codes[address], known.identity == identity { return known }
        guard let object = objects.code(at: address, identity),
            objects.identity(ofCode: address, type: interpreter.codeType) == identity
        else { return nil }
        if codes.count >= Self.codeLimit { codes = [:] }
        let code = PythonCode(address: address, identity: identity, object: object)
        codes[address] = code
        return code
    }
}

extension PythonLayout {
    /// Where the field lies that leads to a thread's newest frame.
    var topFrameField: Int {
        switch thread.topFrame {
        case .object(let field), .pointer(let field): field
        case .objectWithCFrames(let field, let cframe): max(field, cframe)
        case .cframe(let field, _): field
        }
    }
}
