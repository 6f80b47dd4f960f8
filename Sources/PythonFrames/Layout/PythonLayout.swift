/// Where the fields of an interpreter's structures lie, in bytes from the beginning of each: of 64-bit builds.
///
/// Versions before 3.13 carry no offsets, so there is a table of each; from 3.13 on the interpreter carries its own
/// (``init(debugOffsets:)``). Either is believed only after a look at the running interpreter: see
/// ``PythonInterpreter``.
public struct PythonLayout: Hashable, Sendable {
    /// How the frame of the running function is reached from its thread.
    public enum TopFrame: Hashable, Sendable {
        /// `frame`, a `PyFrameObject`; nothing marks the interpreter's own C frames (3.8, 3.9).
        case object(Int)
        /// The same, and a chain of `CFrame` on the C stack, one for each Python frame (3.10).
        case objectWithCFrames(Int, cframe: Int)
        /// Through the innermost `_PyCFrame` on the C stack (3.11, 3.12).
        case cframe(Int, currentFrame: Int)
        /// A pointer to the frame (3.13 and later).
        case pointer(Int)
    }

    /// How a frame shows which instruction runs.
    public enum Instruction: Hashable, Sendable {
        /// An index in bytes, 32 bits (3.8, 3.9).
        case byteIndex(Int)
        /// An index in units of two bytes, 32 bits (3.10).
        case unitIndex(Int)
        /// A pointer into the code (3.11 and later).
        case pointer(Int)
    }

    /// How activations of the interpreter's loop are distinguished from Python calls within one.
    public enum Activation: Hashable, Sendable {
        /// Every Python frame has one of its own (to 3.10).
        case everyFrame
        /// The outermost frame of each says so (3.11).
        case entryFlag(Int)
        /// A frame that is no Python call stands between them (3.12 and later).
        case shim
    }

    /// Which form the table of line numbers has.
    public enum LineTableForm: Hashable, Sendable {
        /// `co_lnotab` (3.8, 3.9).
        case lnotab
        /// `co_linetable` of 3.10.
        case ranges
        /// The location table of 3.11 and later.
        case locations
    }

    public struct Interpreter: Hashable, Sendable {
        /// The newest interpreter, in `_PyRuntime`.
        public var head: Int
        public var next: Int
        public var threadsHead: Int
        /// A count that grows when code is freed, from 3.14 on.
        public var codeGeneration: Int?
    }

    public struct Thread: Hashable, Sendable {
        public var next: Int
        public var interpreter: Int
        public var topFrame: TopFrame
        /// `pthread_t`.
        public var threadID: Int
        /// The kernel's thread identifier, from 3.11 on.
        public var nativeThreadID: Int?
        /// The newest chunk of the stack of Python frames, and behind it where that is used up to; from 3.11 on.
        public var stackChunk: Int?
        /// Where a frame that ends every chain lies within the thread's own structure, from 3.15 on.
        public var baseFrame: Int?
    }

    public struct Frame: Hashable, Sendable {
        public var code: Int
        /// Whether the low two bits of the pointer to the code are flags (3.14 and later).
        public var isCodeTagged: Bool
        public var previous: Int
        public var instruction: Instruction
        /// Who owns the frame: 1 for a generator, 3 and more for a frame that is no Python call.
        public var owner: Int?
        public var activation: Activation
        /// Which copy of the code the thread runs, in free-threaded builds from 3.14 on.
        public var codeCopy: Int?
        /// Bytes up to the local variables: as much as is read.
        public var size: Int
    }

    public struct Code: Hashable, Sendable {
        public var fileName: Int
        public var name: Int
        /// From 3.11 on.
        public var qualifiedName: Int?
        public var firstLine: Int
        public var lineTable: Int
        /// Where the instructions begin, from 3.11 on: in the object itself.
        public var instructions: Int?
        /// The index of the instruction from which on a frame is complete, from 3.11 on.
        public var firstTraceable: Int?
        /// The copies of the instructions for each thread, in free-threaded builds from 3.14 on.
        public var copies: Int?
    }

    public struct Text: Hashable, Sendable {
        public var length: Int
        public var state: Int
        /// Where the characters of an ASCII text begin, and those of any other.
        public var asciiData: Int
        public var otherData: Int
        /// By how many bits the state's fields lie further up: 6 where `interned` takes a whole byte.
        public var stateShift: UInt32
    }

    public struct Bytes: Hashable, Sendable {
        public var size: Int
        public var data: Int
    }

    public var version: PythonVersion
    /// Whether it runs threads without a lock of the interpreter (`python3.13t`).
    public var isFreeThreaded: Bool
    public var interpreter: Interpreter
    public var thread: Thread
    /// Within a `_PyCFrame`, the one before.
    public var cframePrevious: Int
    public var frame: Frame
    public var code: Code
    public var text: Text
    public var bytes: Bytes
    /// The type of any object.
    public var objectType: Int
    public var lineTable: LineTableForm

    /// The versions that are read.
    public static let oldest = PythonVersion(3, 8)
    public static let newest = PythonVersion(3, 15)
}
