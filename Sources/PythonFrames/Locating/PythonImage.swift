internal import LinuxProcess
internal import LinuxSystem

/// A file that holds a Python interpreter: libpython, or a program that has it inside.
struct PythonImage: Sendable {
    var runtime: ImageAddress
    var codeType: ImageAddress
    /// Where the version stands, from 3.11 on.
    var version: ImageAddress?
    /// The interpreter's loop, as far as its symbol shows: builds that are optimised as a whole have it elsewhere.
    var evaluation: ElfSymbols.Symbol?
    /// The minor version by the file's name, for releases that state none.
    var namedVersion: PythonVersion?
    private let segments: [ElfImage.Segment]

    /// The interpreter in a file; nil where there is none.
    init?(_ file: OpenFile, name: String) {
        let image: ElfImage
        do throws(ElfImage.ParseError) {
            image = try ElfImage(file)
        } catch {
            return nil
        }
        let names = ["_PyRuntime", "PyCode_Type", "Py_Version", "_PyEval_EvalFrameDefault"]
        let symbols = ElfSymbols(names, in: file).found
        guard let runtime = symbols["_PyRuntime"], let codeType = symbols["PyCode_Type"] else { return nil }
        self.runtime = runtime.address
        self.codeType = codeType.address
        version = symbols["Py_Version"]?.address
        evaluation = symbols["_PyEval_EvalFrameDefault"]
        namedVersion = Self.version(inName: name)
        segments = image.segments
    }

    /// What the loader added to the file's addresses, by one of its mappings; nil where that is of no segment.
    func bias(of mapping: MemoryMapping) -> UInt64? {
        let page: UInt64 = 4095
        for segment in segments where segment.fileOffset & ~page == mapping.fileOffset {
            return mapping.start.value &- (segment.address.value & ~page)
        }
        return nil
    }

    /// `libpython3.8.so.1.0` and `python3.8` are of 3.8.
    static func version(inName name: String) -> PythonVersion? {
        guard let range = name.firstRange(of: "python3.") else { return nil }
        let digits = name[range.upperBound...].prefix { $0.isASCII && $0.isNumber }
        return digits.count <= 3 ? Int(digits).map { PythonVersion(3, $0) } : nil
    }
}
