internal import CLibunwind
internal import LinuxProcess
internal import PythonFrames

extension SampleRecorder {
    /// Puts Python frames in their places among the native ones, whose indices are in ``indices``. Returns how many frames
    /// there are then, and whether the outermost is a Python frame.
    func merge(_ count: Int, _ finding: PythonFinding, of process: TargetProcess) -> (
        count: Int, isWhole: Bool
    )? {
        switch finding {
        case .notPython: return nil
        case .noFrames(let interpreter):
            python.withoutFrames += 1
            noteImages(of: interpreter, process)
            return nil
        case .proven(let stack, let interpreter):
            python.proven += 1
            noteImages(of: interpreter, process)
            return merge(count, stack, interpreter, process)
        case .unproven(let interpreter, let reason):
            python.unproven += 1
            if reason == .unread { python.unread += 1 }
            if reason == .noRecords { python.withoutRecords += 1 }
            noteImages(of: interpreter, process)
            return (hide(count, interpreter, process), false)
        case .failed(let interpreter):
            python.failed += 1
            noteImages(of: interpreter, process)
            return (hide(count, interpreter, process), false)
        }
    }

    private func merge(
        _ count: Int, _ stack: PythonStack, _ interpreter: PythonInterpreter, _ process: TargetProcess
    ) -> (count: Int, isWhole: Bool) {
        let native = nativeFrames(count, interpreter, process)
        let merged = MergedStack(native, isComplete: isWalkComplete, stack)
        for index in merged.evaluations where index > 0 { evaluations.insert(walked[index].address) }
        let before = (0..<count).map { indices[$0] }
        var next = 0
        var isWhole = false
        for frame in merged.frames where next < indices.count {
            switch frame {
            case .native(let index, _):
                indices[next] = before[index]
                isWhole = false
            case .python(let activation, let place):
                let frame = stack.activations[activation].frames[place]
                guard let function = pythonFunctions.index(of: frame.code, processID: process.processID)
                else {
                    continue
                }
                let line = UInt64(UInt32(clamping: max(0, frame.line)))
                indices[next] = internFrame(
                    SampleInterner.FrameKey(
                        address: UInt64(function) << 32 | line, image: SampleInterner.pythonImage, process: 0,
                        flags: UInt32(cunwind_frame_is_exact)))
                isWhole = true
            }
            next += 1
        }
        return (next, isWhole)
    }

    /// Shows that there are Python frames that were not read, in the place of the interpreter's own. What was called last
    /// stays.
    private func hide(_ count: Int, _ interpreter: PythonInterpreter, _ process: TargetProcess) -> Int {
        let native = nativeFrames(count, interpreter, process)
        guard let first = native.firstIndex(where: \.isEvaluation) else { return count }
        let unread = internFrame(Self.key(.pythonNotRead))
        var next = first
        var isShown = false
        for index in first..<count {
            if native[index].isOfInterpreter {
                if !isShown {
                    indices[next] = unread
                    next += 1
                    isShown = true
                }
            } else if !(native[index].isOfSystem
                && native[index...].allSatisfy({ $0.isOfSystem || $0.isOfInterpreter }))
            {
                indices[next] = indices[index]
                next += 1
                isShown = false
            }
        }
        return next
    }

    private func nativeFrames(
        _ count: Int, _ interpreter: PythonInterpreter, _ process: TargetProcess
    ) -> [MergedStack.NativeFrame] {
        let modules = process.modules.modules
        return (0..<count).map { index in
            let frame = walked[index]
            let module = Int(frame.module)
            let image = module < modules.count ? modules[module].imageIndex : nil
            let role = image.flatMap { imageRoles[$0] }
            let address = index == 0 ? frame.address : frame.address &- 1
            return MergedStack.NativeFrame(
                stackPointer: frame.stack_pointer, isOfInterpreter: role == .interpreter,
                isEvaluation: interpreter.evaluation.contains(address) || evaluations.contains(frame.address),
                isOfSystem: role == .system)
        }
    }

    /// What the files that a process has mapped are to its interpreter.
    private func noteImages(of interpreter: PythonInterpreter, _ process: TargetProcess) {
        for module in process.modules.modules {
            guard let index = module.imageIndex, imageRoles[index] == nil || imageRoles[index] == .other
            else {
                continue
            }
            if imageRoles[index] == .other, interpretersKnown.contains(interpreter.path) { continue }
            let image = processes.images.images[index]
            let name = image.name
            if image.path == interpreter.path || name == "python" || name.hasPrefix("python3") {
                imageRoles[index] = .interpreter
            } else if ["libc.so", "libc-2", "ld-linux", "ld-2", "libpthread"].contains(where: name.hasPrefix)
            {
                imageRoles[index] = .system
            } else {
                imageRoles[index] = .other
            }
        }
        interpretersKnown.insert(interpreter.path)
    }

    /// What a file is to an interpreter.
    enum ImageRole {
        case interpreter, system, other
    }
}

/// What became of the Python frames of samples, as counts of samples.
public struct PythonAccount: Hashable, Sendable {
    /// With their Python frames, shown to be those of the sample's moment.
    public var proven = 0
    /// Whose frames were not read, or so late that the thread may have gone on: shown as `[Python, not read]`.
    public var unproven = 0
    /// Of which: that were not read at all, because the reader was late for the next sample already.
    public var unread = 0
    /// Of which: of times whose records of switches were lost.
    public var withoutRecords = 0
    /// Whose frames made no sense.
    public var failed = 0
    /// Of threads of a Python process that ran no Python.
    public var withoutFrames = 0

    public init() {}

    /// Samples of threads that ran Python.
    public var all: Int { proven + unproven + failed }
}
