/// One function of a stack, as a person reads it.
public struct Frame: Hashable, Sendable {
    /// The function's demangled name, or what stands for it where it is not known.
    public var function: String
    /// The file the code was loaded from, such as `libc.so.6`.
    public var module: String?
    /// The source file.
    public var file: String?
    /// The line in the source file, counted from 1.
    public var line: Int?
    /// What else is to be said of the frame.
    public var traits: FrameTraits

    /// A frame of a function.
    public init(
        _ function: String, module: String? = nil, file: String? = nil, line: Int? = nil,
        traits: FrameTraits = []
    ) {
        self.function = function
        self.module = module
        self.file = file
        self.line = line
        self.traits = traits
    }

    /// Names that are the same letters in other code points are two names: `String` would take them for one.
    public static func == (one: Frame, other: Frame) -> Bool {
        one.line == other.line && one.traits == other.traits && one.function.isIdentical(to: other.function)
            && one.module.isIdentical(to: other.module) && one.file.isIdentical(to: other.file)
    }

    /// A frame of code whose function is not known: named after its module in brackets, or `[unknown]`.
    public static func unknown(module: String? = nil) -> Frame {
        Frame("[\(module ?? "unknown")]", module: module, traits: .unknown)
    }

    /// What stands where a stack was cut off because it was deeper than what was captured of it.
    public static let truncationMarker = Frame("[truncated]", traits: .truncationMarker)

    /// What stands for Python functions that were not read, or not in time.
    public static let unreadPython = Frame("[Python, not read]")

    /// True when this is a function of an interpreted language, such as Python: it has a source file, and no file of machine
    /// code.
    public var isInterpreted: Bool { module == nil && file != nil && traits.subtracting(.guessed).isEmpty }
    /// True when the function is not known.
    public var isUnknown: Bool { traits.contains(.unknown) }
    /// True when the frame was found by guessing, for example by scanning the stack for return addresses.
    public var isGuessed: Bool { traits.contains(.guessed) }
    /// True when the compiler has put the function's body in the place of a call.
    public var isInlined: Bool { traits.contains(.inlined) }
    /// True when frames are missing at this place.
    public var isTruncationMarker: Bool { traits.contains(.truncationMarker) }
    /// True when this is no function but the stage, thread, process or state that samples were grouped by.
    public var isGroup: Bool { !traits.isDisjoint(with: [.stage, .thread, .process, .state]) }
}

/// What is to be said of a frame beyond its names.
public struct FrameTraits: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The function is not known.
    public static let unknown = FrameTraits(rawValue: 1)
    /// The frame was found by guessing.
    public static let guessed = FrameTraits(rawValue: 2)
    /// Frames are missing here.
    public static let truncationMarker = FrameTraits(rawValue: 4)
    /// A group of samples of one stage.
    public static let stage = FrameTraits(rawValue: 8)
    /// A group of samples of one thread.
    public static let thread = FrameTraits(rawValue: 16)
    /// A group of samples of one process.
    public static let process = FrameTraits(rawValue: 32)
    /// A group of samples of threads that were doing the same: running, or waiting in one system call.
    public static let state = FrameTraits(rawValue: 64)

    /// The function is inlined into its caller.
    public static let inlined = FrameTraits(rawValue: 128)

    /// All of them.
    static let known: FrameTraits = [
        .unknown, .guessed, .truncationMarker, .stage, .thread, .process, .state, .inlined,
    ]
}

/// The place of a frame in the table of its profile.
public struct FrameID: Hashable, Sendable {
    let index: Int32

    init(_ index: Int32) {
        self.index = index
    }

    /// The index into ``StackProfile/frames``.
    public var position: Int { Int(index) }
}
