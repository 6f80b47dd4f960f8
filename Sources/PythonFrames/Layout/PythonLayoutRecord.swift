/// Where the fields of one version are, as plain numbers for a reader that is not written in Swift: the plugin of the
/// emulator (`struct python_layout` in `table.h`).
public struct PythonLayoutRecord: Sendable {
    /// In the order of that structure. Up to 3.12 offsets; from 3.13 on the places of words in what an interpreter begins
    /// with, which hold the offsets. -1 for what a version does not have.
    public let numbers: [Int32]

    /// One record for each version that is known.
    public static let all: [PythonLayoutRecord] =
        (PythonLayout.oldest.minor...PythonLayout.newest.minor).compactMap { minor in
            if let words = PythonLayout.Words(minor) { return PythonLayoutRecord(minor, words) }
            return PythonLayout(release: PythonVersion(3, minor)).map { PythonLayoutRecord(minor, $0) }
        }

    private init(_ minor: Int, _ words: PythonLayout.Words) {
        let fields = [
            words.interpreterHead, words.interpreterNext, words.threadsHead, words.threadNext,
            words.threadInterpreter, words.nativeThreadID, words.currentFrame, words.executable,
            words.previous,
            words.owner, words.fileName, words.qualifiedName, words.firstLine, words.lineTable,
            words.objectType,
            words.textLength, words.textState, words.asciiSize,
        ]
        numbers = ([minor, 1] + fields + [1, -1, minor >= 14 ? 1 : 0, 16]).map { Int32($0) }
    }

    private init(_ minor: Int, _ layout: PythonLayout) {
        let (top, withinCFrame): (Int, Int) =
            switch layout.thread.topFrame {
            case .object(let field), .pointer(let field), .objectWithCFrames(let field, _): (field, -1)
            case .cframe(let field, let currentFrame): (field, currentFrame)
            }
        let fields = [
            layout.interpreter.head, layout.interpreter.next, layout.interpreter.threadsHead,
            layout.thread.next,
            layout.thread.interpreter, layout.thread.nativeThreadID ?? layout.thread.threadID, top,
            layout.frame.code, layout.frame.previous, layout.frame.owner ?? -1, layout.code.fileName,
            layout.code.qualifiedName ?? layout.code.name, layout.code.firstLine, layout.code.lineTable,
            layout.objectType, layout.text.length, layout.text.state, layout.text.asciiData,
        ]
        let rest = [
            layout.thread.nativeThreadID == nil ? 0 : 1, withinCFrame, layout.frame.isCodeTagged ? 1 : 0,
            layout.text.otherData - layout.text.asciiData,
        ]
        numbers = ([minor, 0] + fields + rest).map { Int32($0) }
    }
}

extension PythonLayoutRecord {
    /// The characters of a text, of 1, 2 or 4 bytes each. What is no character becomes U+FFFD.
    public static func text(_ bytes: [UInt8], width: Int) -> String {
        PythonObjects.decode(bytes, width: width)
    }
}
