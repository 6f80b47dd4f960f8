/// A native stack with the Python frames of the same moment in their places.
///
/// Every activation of the interpreter's loop leaves something on the C stack within its own native frame: its anchor.
/// The native frame whose part of the stack holds an anchor is that activation, and its Python frames take its place.
/// No name of a function is needed. Pure.
public struct MergedStack: Equatable {
    /// A frame of the merged stack.
    public enum Frame: Equatable {
        /// A native frame by its index, and whether it is the interpreter's own.
        case native(Int, isInterpreter: Bool)
        /// A Python frame by its activation and place.
        case python(activation: Int, frame: Int)
    }

    /// A frame of the native stack.
    public struct NativeFrame: Equatable {
        /// The stack pointer within the frame: the next frame's is where this one ends.
        public var stackPointer: UInt64
        /// Whether its code is of the file that holds the interpreter.
        public var isOfInterpreter: Bool
        /// Whether its code is known to be the interpreter's loop.
        public var isEvaluation: Bool
        /// Whether it is of the C library or the loader, which start programs and threads.
        public var isOfSystem: Bool

        public init(
            stackPointer: UInt64, isOfInterpreter: Bool, isEvaluation: Bool = false, isOfSystem: Bool = false
        ) {
            self.stackPointer = stackPointer
            self.isOfInterpreter = isOfInterpreter
            self.isEvaluation = isEvaluation
            self.isOfSystem = isOfSystem
        }
    }

    /// Leaf first.
    public private(set) var frames: [Frame] = []
    /// Whether some Python frames belong beyond the part of the native stack that was walked.
    public private(set) var isPartial = false
    /// The native frames that were found to be the interpreter's loop.
    public private(set) var evaluations: [Int] = []

    /// Merges the two.
    ///
    /// - Parameters:
    ///   - native: The native frames, leaf first.
    ///   - isComplete: Whether they reach the thread's first function.
    ///   - python: The Python frames, innermost first.
    public init(_ native: [NativeFrame], isComplete: Bool, _ python: PythonStack) {
        let places =
            python.activations.contains { $0.anchor != nil }
            ? Self.placesByAnchor(native, isComplete: isComplete, python)
            : Self.placesByCount(native, isComplete: isComplete, python)
        arrange(native, python, places)
        hideInterpreter(native)
        hideBeginning(native)
    }

    /// Where an activation belongs: in place of a native frame, before one, or beyond all.
    private enum Place {
        case instead(of: Int)
        case before(Int)
        case beyond
        /// The activation has ended: what its structures hold is left over.
        case nowhere
    }

    private static func placesByAnchor(
        _ native: [NativeFrame], isComplete: Bool, _ python: PythonStack
    ) -> [Place] {
        var last = Place.before(0)
        return python.activations.map { activation in
            guard let anchor = activation.anchor else {
                // Frames without an activation of their own follow those before them.
                if case .instead(let index) = last { return .before(index + 1) }
                return last
            }
            guard let first = native.first, anchor >= first.stackPointer else { return .nowhere }
            // Stack pointers grow towards the root, except where a signal changed stacks.
            let index = native.indices.last { native[$0].stackPointer <= anchor } ?? 0
            if index == native.count - 1, !isComplete || !native[index].isOfInterpreter {
                last = .beyond
            } else {
                last = native[index].isOfInterpreter ? .instead(of: index) : .before(index)
            }
            return last
        }
    }

    /// Versions without anchors: as many native frames of the loop as there are Python frames, counted from the root;
    /// innermost, a call may have its native frame already and not yet its Python frame.
    private static func placesByCount(
        _ native: [NativeFrame], isComplete: Bool, _ python: PythonStack
    ) -> [Place] {
        let loops = native.indices.filter { native[$0].isEvaluation }
        let count = python.activations.count
        if loops.count >= count {
            return loops.suffix(count).map { .instead(of: $0) }
        }
        // The root is missing: counted from the leaf, and the rest beyond.
        return python.activations.indices.map { $0 < loops.count ? .instead(of: loops[$0]) : .beyond }
    }

    private mutating func arrange(_ native: [NativeFrame], _ python: PythonStack, _ places: [Place]) {
        var instead: [Int: [Int]] = [:]
        var before: [Int: [Int]] = [:]
        var beyond: [Int] = []
        for (activation, place) in places.enumerated() {
            switch place {
            case .instead(let index): instead[index, default: []].append(activation)
            case .before(let index): before[index, default: []].append(activation)
            case .beyond: beyond.append(activation)
            case .nowhere: break
            }
        }
        for (index, frame) in native.enumerated() {
            for activation in before[index] ?? [] { append(activation, of: python) }
            if let activations = instead[index] {
                evaluations.append(index)
                for activation in activations { append(activation, of: python) }
            } else {
                frames.append(.native(index, isInterpreter: frame.isOfInterpreter))
            }
        }
        for activation in (before[native.count] ?? []) + beyond { append(activation, of: python) }
        isPartial = !beyond.isEmpty
    }

    private mutating func append(_ activation: Int, of python: PythonStack) {
        for (index, frame) in python.activations[activation].frames.enumerated() where frame.isShown {
            frames.append(.python(activation: activation, frame: index))
        }
    }

    /// Drops the interpreter's own frames that have called Python functions. Those at the leaf stay: they may be what
    /// a Python function waits for, such as the sorting of a list.
    private mutating func hideInterpreter(_ native: [NativeFrame]) {
        guard let first = frames.firstIndex(where: \.isPython) else { return }
        let leaf = frames[..<first]
        frames =
            leaf
            + frames[first...].filter { frame in
                if case .native(_, let isInterpreter) = frame { return !isInterpreter }
                return true
            }
    }

    /// Drops what starts a program or a thread, where nothing but that has called the outermost Python function.
    private mutating func hideBeginning(_ native: [NativeFrame]) {
        guard let last = frames.lastIndex(where: \.isPython) else { return }
        let isBeginning = frames[(last + 1)...].allSatisfy { frame in
            if case .native(let index, _) = frame { return native[index].isOfSystem }
            return false
        }
        if isBeginning { frames.removeSubrange((last + 1)...) }
    }
}

extension MergedStack.Frame {
    var isPython: Bool {
        if case .python = self { return true }
        return false
    }
}
