public import Measurement

/// What is known about one address of an image.
public struct SymbolizedAddress: Hashable, Sendable {
    /// The function whose machine code is at the address, demangled for display. Safe to show. Unavailable
    /// where no symbol covers the address: callers then show the image and the address.
    public var function: Reading<String>
    /// The function's name for comparing profiles of different builds (see `NormalizedName`); nil without one.
    public var key: String?
    /// The function's name as the file has it, made safe to show; nil without one.
    public var mangled: String?
    /// Bytes from the function's first instruction to the address; nil without a function.
    public var offset: UInt64?
    /// The source position in `function`. With `inlined` frames it is the place where the outermost of them was
    /// called; without, the line the address belongs to, whichever function that line stands in.
    public var position: SourcePosition?
    /// The calls the compiler replaced by their bodies at this address, innermost first. Empty unless asked for.
    public var inlined: [InlinedFrame]

    /// The file of the source position.
    public var file: String? { position?.file }
    /// The line of the source position, counted from 1.
    public var line: Int? { position?.line }

    /// An address made of its parts.
    public init(
        function: Reading<String>, key: String? = nil, mangled: String? = nil, offset: UInt64? = nil,
        position: SourcePosition? = nil, inlined: [InlinedFrame] = []
    ) {
        self.function = function
        self.key = key
        self.mangled = mangled
        self.offset = offset
        self.position = position
        self.inlined = inlined
    }

    /// An address about which nothing is known.
    public static func unknown(_ reason: String) -> SymbolizedAddress {
        SymbolizedAddress(function: .unavailable(reason: reason))
    }
}

/// A function whose body stands inlined in another's.
public struct InlinedFrame: Hashable, Sendable {
    /// The function's name, demangled for display and safe to show.
    public var function: String
    /// The function's name for comparing builds.
    public var key: String
    /// The function's name as the debug information has it, where it has a mangled one.
    public var mangled: String?
    /// The place in this function.
    public var position: SourcePosition?

    /// An inlined frame made of its parts.
    public init(function: String, key: String, mangled: String?, position: SourcePosition?) {
        self.function = function
        self.key = key
        self.mangled = mangled
        self.position = position
    }
}

/// A line of a source file, as the debug information reports it.
public struct SourcePosition: Hashable, Sendable {
    /// The path the compiler saw, safe to show.
    public var file: String
    /// The line counted from 1; nil where the code belongs to no line.
    public var line: Int?

    /// A position.
    public init(file: String, line: Int?) {
        self.file = file
        self.line = line
    }
}
