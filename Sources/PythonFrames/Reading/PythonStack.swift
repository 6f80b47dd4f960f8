/// A code object, shared by all frames that run it.
public final class PythonCode: Sendable {
    /// Where it is in its process's memory.
    let address: UInt64
    let identity: CodeObject.Identity
    public let object: CodeObject

    init(address: UInt64, identity: CodeObject.Identity, object: CodeObject) {
        self.address = address
        self.identity = identity
        self.object = object
    }
}

/// A frame of a thread as it was read, before it is shown.
public struct PythonFrame: Sendable {
    /// Where the frame itself is.
    public var address: UInt64
    public var code: PythonCode
    public var instruction: FrameInstruction

    /// Whether it is shown: a call of a function that has begun.
    public var isShown: Bool { !code.object.isIncomplete(at: instruction) }
    /// The line it is in, counted from 1.
    public var line: Int { code.object.line(of: instruction) }
}

/// The Python frames of a thread at a moment, innermost first, in groups: one for each activation of the interpreter's
/// loop, that is for each of its native frames.
public struct PythonStack: Sendable {
    public struct Activation: Sendable {
        public var frames: [PythonFrame]
        /// An address within the activation's native frame; nil where the version has none.
        public var anchor: UInt64?
    }

    public var activations: [Activation]

    /// The frames that are shown, innermost first.
    public var shown: [PythonFrame] { activations.flatMap { $0.frames.filter(\.isShown) } }
}

/// Why a thread's frames could not be read.
public enum PythonReadFailure: Error, Hashable, Sendable {
    /// No structure of the interpreter stands for the thread: it runs no Python.
    case noThread
    /// The thread has none at the moment.
    case noFrames
    /// Memory that a structure leads to could not be read.
    case unreadable
    /// What should be a code object is none.
    case notCode
    /// The chain of frames does not end.
    case endless
}
