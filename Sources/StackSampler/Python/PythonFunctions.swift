internal import LinuxSystem
internal import PythonFrames

/// A function of Python as it is shown and compared.
public struct RawPythonFunction: Hashable, Sendable {
    /// `Class.method`, `f.<locals>.g`: untrusted text.
    public var name: String
    /// The file, relative to where modules are imported from; as the compiler was given it where that is no file. Untrusted.
    public var file: String

    public init(name: String, file: String) {
        self.name = name
        self.file = file
    }
}

/// The functions of Python in samples, each once. Used by one thread only.
struct PythonFunctions {
    private(set) var functions: [RawPythonFunction] = []
    private var indices: [RawPythonFunction: Int32] = [:]
    /// By code object, which is kept so that no other one comes to its address.
    private var known: [ObjectIdentifier: (code: PythonCode, index: Int32)] = [:]
    private var files: [String: String] = [:]

    private static let knownLimit = 1 << 16
    private static let functionLimit = 1 << 20

    /// The index of what a code object is; nil when there are too many.
    mutating func index(of code: PythonCode, processID: Int32) -> Int32? {
        if let known = known[ObjectIdentifier(code)] { return known.index }
        let object = code.object
        let file = file(object.fileName, processID)
        let function = RawPythonFunction(name: object.qualifiedName, file: file)
        let index: Int32
        if let found = indices[function] {
            index = found
        } else {
            guard functions.count < Self.functionLimit else { return nil }
            index = Int32(functions.count)
            functions.append(function)
            indices[function] = index
        }
        if known.count >= Self.knownLimit { known = [:] }
        known[ObjectIdentifier(code)] = (code, index)
        return index
    }

    private mutating func file(_ path: String, _ processID: Int32) -> String {
        if let known = files[path] { return known }
        let file = ImportRoot.relative(path) { Files.exists("/proc/\(processID)/root\($0)") }
        if files.count >= Self.knownLimit { files = [:] }
        files[path] = file
        return file
    }
}

/// Where modules are imported from: what stands before it in a path differs from machine to machine. Pure.
enum ImportRoot {
    private static let mostLevels = 32

    /// A source file's path relative to its import root: after `site-packages` and the like, or from the outermost package
    /// around it; its name alone where it is in none. What is no absolute path stays as it is.
    static func relative(_ path: String, exists: (String) -> Bool) -> String {
        guard path.hasPrefix("/") else { return path }
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.count > 1, !parts.contains("..") else { return parts.last.map(String.init) ?? path }
        if let index = parts.lastIndex(where: { $0 == "site-packages" || $0 == "dist-packages" }),
            index < parts.count - 1
        {
            return parts[(index + 1)...].joined(separator: "/")
        }
        // The standard library: `lib/python3.11/`.
        if let index = parts.indices.dropFirst().last(where: {
            parts[$0].hasPrefix("python3") && parts[$0 - 1].hasPrefix("lib")
        }), index < parts.count - 1 {
            return parts[(index + 1)...].joined(separator: "/")
        }
        var first = parts.count - 1
        while first > 0, parts.count - first < mostLevels,
            exists("/" + parts[..<first].joined(separator: "/") + "/__init__.py")
        {
            first -= 1
        }
        return parts[first...].joined(separator: "/")
    }
}
