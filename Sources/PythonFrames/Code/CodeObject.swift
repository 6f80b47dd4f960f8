/// A function, class body or module of Python, as its code object describes it. All text is untrusted.
public struct CodeObject: Hashable, Sendable {
    /// `Class.method`, `f.<locals>.g`; before 3.11 only the last part.
    public var qualifiedName: String
    /// As the compiler was given it: absolute, relative, or no file, as `<frozen importlib._bootstrap>`.
    public var fileName: String
    /// Where it begins, counted from 1.
    public var firstLine: Int
    public var lines: LineTable
    /// Where its instructions begin in memory, from 3.11 on.
    var instructions: UInt64?
    /// Before which instruction a frame is not complete.
    var firstTraceable: UInt64

    /// What a code object was made of, to notice another one at the same address.
    struct Identity: Hashable, Sendable {
        var firstLine: Int32
        var fileName, name, lineTable: UInt64
    }
}

extension PythonObjects {
    /// What distinguishes a code object from another one at the same address; nil where there is no code object.
    ///
    /// - Parameter type: Where the type of code objects lies.
    func identity(ofCode address: UInt64, type: UInt64) -> CodeObject.Identity? {
        guard address & 7 == 0, address != 0 else { return nil }
        let code = layout.code
        let size =
            max(layout.objectType, code.lineTable, code.name, code.fileName, code.qualifiedName ?? 0) + 8
        guard let bytes = memory.bytes(size, at: address) else { return nil }
        return bytes.withUnsafeBytes { bytes -> CodeObject.Identity? in
            guard bytes.value(UInt64.self, at: layout.objectType) == type,
                let line = bytes.value(Int32.self, at: code.firstLine),
                let file = bytes.value(UInt64.self, at: code.fileName),
                let name = bytes.value(UInt64.self, at: code.qualifiedName ?? code.name),
                let table = bytes.value(UInt64.self, at: code.lineTable)
            else { return nil }
            return CodeObject.Identity(firstLine: line, fileName: file, name: name, lineTable: table)
        }
    }

    /// A code object, copied; nil where there is none, or its parts cannot be read.
    func code(at address: UInt64, _ identity: CodeObject.Identity) -> CodeObject? {
        guard let name = text(at: identity.name), let file = text(at: identity.fileName) else { return nil }
        let first = Int(identity.firstLine)
        // Without its table it has a name all the same.
        let table = bytes(at: identity.lineTable) ?? []
        var start: UInt64 = 0
        if let field = layout.code.firstTraceable {
            start = UInt64(memory.value(Int32.self, at: address &+ UInt64(field)).map { max(0, $0) } ?? 0)
        }
        return CodeObject(
            qualifiedName: name, fileName: file, firstLine: first,
            lines: LineTable(layout.lineTable, table, firstLine: first),
            instructions: layout.code.instructions.map { address &+ UInt64($0) }, firstTraceable: start * 2)
    }
}

extension CodeObject {
    /// The line that a frame is in; the function's first where the table gives none.
    public func line(of instruction: FrameInstruction) -> Int {
        switch instruction {
        case .byteOffset(let offset): return lines.line(atByteOffset: offset) ?? firstLine
        case .address(let address):
            guard let instructions, address >= instructions, address - instructions < 1 << 28 else {
                return firstLine
            }
            return lines.line(atByteOffset: Int(address - instructions)) ?? firstLine
        }
    }

    /// Whether a frame has not begun the function yet: CPython hides those from tracebacks.
    func isIncomplete(at instruction: FrameInstruction) -> Bool {
        guard case .address(let address) = instruction, let instructions else { return false }
        return address < instructions &+ firstTraceable
    }
}

/// Where in its code a frame is.
public enum FrameInstruction: Hashable, Sendable {
    case byteOffset(Int)
    case address(UInt64)
}
