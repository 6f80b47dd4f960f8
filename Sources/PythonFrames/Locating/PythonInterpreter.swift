internal import LinuxProcess
internal import LinuxSystem

/// A running Python interpreter whose structures have been found, and found to be as they should.
public struct PythonInterpreter: Hashable, Sendable {
    public var layout: PythonLayout
    /// Where `_PyRuntime` is in memory.
    public var runtime: UInt64
    /// Where the type of all code objects is in memory.
    public var codeType: UInt64
    /// The interpreter's loop in memory, as far as its symbol shows.
    public var evaluation: Range<UInt64>
    /// The file that holds the interpreter.
    public var path: String

    /// Why the frames of an interpreter cannot be read.
    public enum Refusal: Error, Hashable, Sendable {
        /// The process runs no Python, as far as its mappings show.
        case noPython
        /// It is still being set up, or already being taken down: worth another try.
        case notReady
        /// A version whose structures are not known here.
        case version(PythonVersion)
        /// The file states no version, and its name neither.
        case noVersion(path: String)
        /// The structures in memory are not those of that version.
        case unlike(PythonVersion, what: String)

        /// A sentence that says what is missing and what can be done; nil where nothing is amiss.
        public var sentence: String? {
            switch self {
            case .noPython, .notReady: nil
            case .version(let version) where version.isFinal:
                "The functions of Python \(version) are not named: its structures are not known; 3.8 to 3.15 are. "
                    + "Run it with `-X perf` where it has that."
            case .version(let version):
                "The functions of Python \(version) are not named: structures change until a version is released."
            case .noVersion(let path):
                "The functions of the Python in '\(path)' are not named: the file does not state its version."
            case .unlike(let version, let what):
                "The functions of Python \(version) are not named: its structures are not those of that release "
                    + "(\(what)), as in custom builds."
            }
        }
    }

    /// Looks at an interpreter in memory, and checks it against what is known of its version.
    ///
    /// - Parameters:
    ///   - runtime: Where `_PyRuntime` is.
    ///   - codeType: Where `PyCode_Type` is.
    ///   - statedVersion: Where the version stands, from 3.11 on.
    ///   - namedVersion: The version by the file's name.
    package init(
        _ memory: TargetMemory, runtime: UInt64, codeType: UInt64, statedVersion: UInt64?,
        namedVersion: PythonVersion?, evaluation: Range<UInt64>, path: String
    ) throws(Refusal) {
        layout = try Self.layout(memory, runtime, statedVersion, namedVersion, path)
        self.runtime = runtime
        self.codeType = codeType
        self.evaluation = evaluation
        self.path = path
        try check(memory)
    }

    private static func layout(
        _ memory: TargetMemory, _ runtime: UInt64, _ stated: UInt64?, _ named: PythonVersion?, _ path: String
    ) throws(Refusal) -> PythonLayout {
        guard let words = memory.words(PythonLayout.debugWordCount, at: runtime) else { throw .notReady }
        if let version = PythonLayout.version(inDebugOffsets: words) {
            guard version.isFinal else { throw .version(version) }
            do throws(PythonLayout.DebugOffsetsError) {
                return try PythonLayout(debugOffsets: words)
            } catch {
                switch error {
                case .version, .noCookie: throw .version(version)
                case .implausible(let word): throw .unlike(version, what: "word \(word) of its debug offsets")
                }
            }
        }
        var version = named
        if let stated {
            guard let number: UInt32 = memory.value(at: stated) else { throw .notReady }
            version = PythonVersion(hexadecimal: number)
        }
        guard let version else { throw .noVersion(path: path) }
        guard version.isFinal, let layout = PythonLayout(release: version) else { throw .version(version) }
        return layout
    }

    // MARK: - The look at what runs

    private func check(_ memory: TargetMemory) throws(Refusal) {
        try checkCodeType(memory)
        guard let interpreter: UInt64 = memory.value(at: runtime &+ UInt64(layout.interpreter.head)),
            interpreter != 0,
            let thread: UInt64 = memory.value(at: interpreter &+ UInt64(layout.interpreter.threadsHead)),
            thread != 0
        else { throw .notReady }
        let owner: UInt64? = memory.value(at: thread &+ UInt64(layout.thread.interpreter))
        guard owner == interpreter else {
            throw .unlike(layout.version, what: "a thread of another interpreter")
        }
    }

    /// CPython describes its code objects itself, by the table of their members.
    private func checkCodeType(_ memory: TargetMemory) throws(Refusal) {
        // A free-threaded build's objects have a longer head.
        let shift = UInt64(layout.objectType - 8)
        guard let size: Int64 = memory.value(at: codeType &+ 32 &+ shift),
            let members: UInt64 = memory.value(at: codeType &+ 240 &+ shift)
        else { throw .notReady }
        if let instructions = layout.code.instructions, size != instructions {
            throw .unlike(layout.version, what: "code objects of \(size) bytes")
        }
        // The type is set up when the interpreter is.
        guard members != 0 else { throw .notReady }
        var expected: [String: Int] = [
            "co_filename": layout.code.fileName, "co_name": layout.code.name,
            "co_firstlineno": layout.code.firstLine,
        ]
        var optional: [String: Int] = ["co_linetable": layout.code.lineTable]
        if layout.lineTable == .lnotab { optional = ["co_lnotab": layout.code.lineTable] }
        if let name = layout.code.qualifiedName { optional["co_qualname"] = name }
        for index in 0..<64 as Range<UInt64> {
            guard let words = memory.words(3, at: members &+ index * 40), words[0] != 0,
                let name = memory.text(at: words[0], limit: 64)
            else { break }
            let wanted = expected.removeValue(forKey: name) ?? optional[name]
            if let wanted, UInt64(wanted) != words[2] {
                throw .unlike(layout.version, what: "\(name) at \(words[2]) instead of \(wanted)")
            }
        }
        guard expected.isEmpty else {
            throw .unlike(layout.version, what: "code objects without \(expected.keys.sorted()[0])")
        }
    }
}
