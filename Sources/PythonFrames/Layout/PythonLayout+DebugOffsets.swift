extension PythonLayout {
    /// What an interpreter from 3.13 on begins `_PyRuntime` with: "xdebugpy".
    static let debugCookie: UInt64 = 0x7970_6775_6265_6478
    /// The words of `_Py_DebugOffsets` that are read, in any version.
    static let debugWordCount = 96

    /// Why the offsets that an interpreter gives for itself are not believed.
    enum DebugOffsetsError: Error, Equatable {
        /// They do not begin as they should.
        case noCookie
        /// A version whose words are not known here.
        case version(PythonVersion)
        /// A word that can be no offset.
        case implausible(word: Int)
    }

    /// Which word means what, in the releases that are known: the block is laid out anew with each.
    struct Words {
        var interpreterHead = 5, interpreterNext = 8, threadsHead = 9
        var codeGeneration: Int?
        var threadNext: Int, threadInterpreter: Int, currentFrame: Int, baseFrame: Int?
        var threadID: Int, nativeThreadID: Int, stackChunk: Int
        var previous: Int, executable: Int, instruction: Int, locals: Int, owner: Int, codeCopy: Int?
        var fileName: Int, name: Int, qualifiedName: Int, lineTable: Int, firstLine: Int, instructions: Int
        var copies: Int?
        var objectType: Int, bytesSize: Int, bytesData: Int
        var textState: Int, textLength: Int, asciiSize: Int

        init?(_ minor: Int) {
            switch minor {
            case 13:
                (threadNext, threadInterpreter, currentFrame) = (21, 22, 23)
                (threadID, nativeThreadID, stackChunk) = (24, 25, 26)
                (previous, executable, instruction, locals, owner) = (29, 30, 31, 32, 33)
                (fileName, name, qualifiedName, lineTable, firstLine, instructions) = (35, 36, 37, 38, 39, 43)
                (objectType, bytesSize, bytesData) = (45, 65, 66)
                (textState, textLength, asciiSize) = (68, 69, 70)
            case 14:
                codeGeneration = 20
                (threadNext, threadInterpreter, currentFrame) = (24, 25, 26)
                (threadID, nativeThreadID, stackChunk) = (27, 28, 29)
                (previous, executable, instruction, locals, owner, codeCopy) = (32, 33, 34, 35, 36, 38)
                (fileName, name, qualifiedName, lineTable, firstLine, instructions) = (40, 41, 42, 43, 44, 48)
                (copies, objectType, bytesSize, bytesData) = (49, 51, 75, 76)
                (textState, textLength, asciiSize) = (78, 79, 80)
            case 15:
                codeGeneration = 20
                (threadNext, threadInterpreter, currentFrame, baseFrame) = (24, 25, 26, 27)
                (threadID, nativeThreadID, stackChunk) = (30, 31, 32)
                (previous, executable, instruction, locals, owner, codeCopy) = (40, 41, 42, 43, 44, 46)
                (fileName, name, qualifiedName, lineTable, firstLine, instructions) = (48, 49, 50, 51, 52, 56)
                (copies, objectType, bytesSize, bytesData) = (57, 59, 87, 88)
                (textState, textLength, asciiSize) = (90, 91, 92)
            default: return nil
            }
        }
    }

    /// The version in the words that an interpreter gives for itself; nil where they are none.
    static func version(inDebugOffsets words: [UInt64]) -> PythonVersion? {
        guard words.count >= 3, words[0] == debugCookie else { return nil }
        return PythonVersion(hexadecimal: UInt32(truncatingIfNeeded: words[1]))
    }

    /// The layout that an interpreter gives for itself (`_Py_DebugOffsets`, 3.13 to 3.15), as 64-bit words.
    ///
    /// What they say is untrusted: each must be a small multiple of what it points at.
    init(debugOffsets words: [UInt64]) throws(DebugOffsetsError) {
        guard let version = PythonLayout.version(inDebugOffsets: words) else { throw .noCookie }
        guard version.major == 3, let at = Words(version.minor), words.count >= PythonLayout.debugWordCount
        else { throw .version(version) }
        let isFreeThreaded = words[2] & 1 != 0
        func offset(_ word: Int, from least: UInt64 = 0, within limit: UInt64 = 1 << 20, aligned: UInt64 = 8)
            throws(DebugOffsetsError)
            -> Int
        {
            guard words[word] >= least, words[word] < limit, words[word] % aligned == 0 else {
                throw .implausible(word: word)
            }
            return Int(words[word])
        }
        let code = try Code(
            fileName: offset(at.fileName, within: 4096), name: offset(at.name, within: 4096),
            qualifiedName: offset(at.qualifiedName, within: 4096),
            firstLine: offset(at.firstLine, within: 4096, aligned: 4),
            lineTable: offset(at.lineTable, within: 4096),
            instructions: offset(at.instructions, from: 16, within: 4096),
            firstTraceable: offset(at.instructions, from: 16, within: 4096) - 16,
            copies: isFreeThreaded
                ? at.copies.map { (word) throws(DebugOffsetsError) in try offset(word) } : nil)
        let ascii = try offset(at.asciiSize, within: 4096)
        self.init(
            version: version, isFreeThreaded: isFreeThreaded,
            interpreter: try Interpreter(
                head: offset(at.interpreterHead), next: offset(at.interpreterNext),
                threadsHead: offset(at.threadsHead),
                codeGeneration: at.codeGeneration.map { (word) throws(DebugOffsetsError) in try offset(word) }
            ),
            thread: try Thread(
                next: offset(at.threadNext, within: 1 << 14),
                interpreter: offset(at.threadInterpreter, within: 1 << 14),
                topFrame: .pointer(offset(at.currentFrame, within: 1 << 14)),
                threadID: offset(at.threadID, within: 1 << 14),
                nativeThreadID: offset(at.nativeThreadID, within: 1 << 14),
                stackChunk: offset(at.stackChunk, within: 1 << 14),
                baseFrame: at.baseFrame.map { (word) throws(DebugOffsetsError) in try offset(word) }),
            cframePrevious: 0,
            frame: try Frame(
                code: offset(at.executable, within: 4096), isCodeTagged: version.minor >= 14,
                previous: offset(at.previous, within: 4096),
                instruction: .pointer(offset(at.instruction, within: 4096)),
                owner: offset(at.owner, within: 4096, aligned: 1), activation: .shim,
                codeCopy: isFreeThreaded
                    ? at.codeCopy.map { (word) throws(DebugOffsetsError) in try offset(word, aligned: 1) }
                    : nil,
                size: offset(at.locals, within: 4096)),
            code: code,
            text: try Text(
                length: offset(at.textLength, within: 4096),
                state: offset(at.textState, within: 4096, aligned: 4),
                asciiData: ascii, otherData: ascii + 16,
                stateShift: isFreeThreaded && version.minor >= 14 ? 6 : 0),
            bytes: try Bytes(
                size: offset(at.bytesSize, within: 4096), data: offset(at.bytesData, within: 4096)),
            objectType: try offset(at.objectType, from: 8, within: 4096), lineTable: .locations)
    }
}
