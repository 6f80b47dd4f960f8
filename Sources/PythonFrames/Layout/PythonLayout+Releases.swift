extension PythonLayout {
    /// The layout of a version that does not carry its own: 3.8 to 3.12. Nil for others.
    ///
    /// Taken from the debug information of the releases; patch releases of one minor version do not differ.
    public init?(release version: PythonVersion) {
        guard version.major == 3 else { return nil }
        switch version.minor {
        case 8: self = .objectFrames(version, interpreterID: 32, instruction: .byteIndex(104), frameSize: 112)
        case 9: self = .objectFrames(version, interpreterID: 32, instruction: .byteIndex(104), frameSize: 112)
        case 10: self = .objectFrames(version, interpreterID: 32, instruction: .unitIndex(96), frameSize: 104)
        case 11: self = .release311(version)
        case 12: self = .release312(version)
        default: return nil
        }
    }

    private static func text(compact: Bool) -> Text {
        compact
            ? Text(length: 16, state: 32, asciiData: 40, otherData: 56, stateShift: 0)
            : Text(length: 16, state: 32, asciiData: 48, otherData: 72, stateShift: 0)
    }

    /// 3.8 to 3.10: frames are objects of their own.
    private static func objectFrames(
        _ version: PythonVersion, interpreterID: Int, instruction: Instruction, frameSize: Int
    ) -> PythonLayout {
        let hasCFrames = version.minor == 10
        return PythonLayout(
            version: version, isFreeThreaded: false,
            interpreter: Interpreter(head: interpreterID, next: 0, threadsHead: 8),
            thread: Thread(
                next: 8, interpreter: 16,
                topFrame: hasCFrames ? .objectWithCFrames(24, cframe: 48) : .object(24), threadID: 176),
            cframePrevious: 8,
            frame: Frame(
                code: 32, isCodeTagged: false, previous: 24, instruction: instruction,
                activation: .everyFrame, size: frameSize),
            code: Code(fileName: 104, name: 112, firstLine: 40, lineTable: 120),
            text: text(compact: false), bytes: Bytes(size: 16, data: 32), objectType: 8,
            lineTable: hasCFrames ? .ranges : .lnotab)
    }

    private static func release311(_ version: PythonVersion) -> PythonLayout {
        PythonLayout(
            version: version, isFreeThreaded: false,
            interpreter: Interpreter(head: 40, next: 0, threadsHead: 16),
            thread: Thread(
                next: 8, interpreter: 16, topFrame: .cframe(56, currentFrame: 8), threadID: 152,
                nativeThreadID: 160, stackChunk: 296),
            cframePrevious: 16,
            frame: Frame(
                code: 32, isCodeTagged: false, previous: 48, instruction: .pointer(56), owner: 69,
                activation: .entryFlag(68), size: 72),
            code: Code(
                fileName: 112, name: 120, qualifiedName: 128, firstLine: 72, lineTable: 136,
                instructions: 184, firstTraceable: 168),
            text: text(compact: false), bytes: Bytes(size: 16, data: 32), objectType: 8,
            lineTable: .locations)
    }

    private static func release312(_ version: PythonVersion) -> PythonLayout {
        PythonLayout(
            version: version, isFreeThreaded: false,
            interpreter: Interpreter(head: 40, next: 0, threadsHead: 72),
            thread: Thread(
                next: 8, interpreter: 16, topFrame: .cframe(56, currentFrame: 0), threadID: 136,
                nativeThreadID: 144, stackChunk: 232),
            cframePrevious: 8,
            frame: Frame(
                code: 0, isCodeTagged: false, previous: 8, instruction: .pointer(56), owner: 70,
                activation: .shim, size: 72),
            code: Code(
                fileName: 112, name: 120, qualifiedName: 128, firstLine: 68, lineTable: 136,
                instructions: 192, firstTraceable: 176),
            text: text(compact: true), bytes: Bytes(size: 16, data: 32), objectType: 8,
            lineTable: .locations)
    }
}
