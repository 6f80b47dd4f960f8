import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import PythonFrames

/// Line tables against what each Python says of its own standard library.
@Suite("Line tables")
struct LineTableTests {
    /// Prints every code object of some modules: form, first line, table, and its own account of the lines.
    private static let oracle = """
        import dis, os, sys, sysconfig, types
        root = sysconfig.get_paths()["stdlib"]
        limit = int(sys.argv[1])
        paths = []
        for place, directories, names in os.walk(root):
            directories[:] = sorted(d for d in directories if d not in ("site-packages", "dist-packages", "lib2to3"))
            paths += [os.path.join(place, n) for n in sorted(names) if n.endswith(".py") and "bad" not in n]
        paths = paths[::max(1, len(paths) // limit)]
        version = sys.version_info[:2]
        form = "lnotab" if version < (3, 10) else "ranges" if version < (3, 11) else "locations"
        def show(code):
            table = code.co_lnotab if form == "lnotab" else code.co_linetable
            if form == "lnotab":
                starts = list(dis.findlinestarts(code))
                spans = [(o, starts[i + 1][0] if i + 1 < len(starts) else len(code.co_code), l)
                         for i, (o, l) in enumerate(starts)]
            else:
                spans = list(code.co_lines())
            text = ",".join("%d:%d:%s" % (s, e, "-" if l is None else l) for s, e, l in spans if e > s)
            print(form, code.co_firstlineno, table.hex() or "-", text or "-")
            for constant in code.co_consts:
                if isinstance(constant, types.CodeType): show(constant)
        import warnings
        warnings.simplefilter("ignore")
        for path in paths:
            try:
                with open(path, "rb") as file: code = compile(file.read(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError): continue
            show(code)
        """

    /// Modules of each library that are looked at. By hand: FREEZE_PROFILE_LIBRARY=100000 for all.
    private static var modules: Int {
        CurrentProcess.environmentVariable("FREEZE_PROFILE_LIBRARY").flatMap { Int($0) } ?? 12
    }

    @Test("every instruction has the line that its own Python gives it", arguments: Interpreters.all)
    func standardLibrary(python: String) throws {
        let result = try runCommand([python, "-c", Self.oracle, "\(Self.modules)"])
        try #require(result.status == .code(0), "\(result.standardError)")
        var (codes, compared, wrong) = (0, 0, 0)
        for line in result.standardOutput.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let form: PythonLayout.LineTableForm =
                switch fields[0] {
                case "lnotab": .lnotab
                case "ranges": .ranges
                default: .locations
                }
            let table = LineTable(form, Self.bytes(fields[2]), firstLine: try #require(Int(fields[1])))
            codes += 1
            for span in fields[3].split(separator: ",") where span != "-" {
                let parts = span.split(separator: ":")
                let (start, end) = (try #require(Int(parts[0])), try #require(Int(parts[1])))
                for offset in Set([start, (start + end) / 2 & ~1, end - 2]) where offset >= start {
                    compared += 1
                    if table.line(atByteOffset: offset) != Int(parts[2]) { wrong += 1 }
                }
            }
        }
        #expect(wrong == 0, "\(wrong) of \(compared) in \(codes) code objects of \(python)")
        #expect(codes > 50 && compared > 1000)
        if Self.modules > 1000 {
            print("\(python): \(compared) instructions of \(codes) code objects compared")
        }
    }

    private static func bytes(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while rest.count >= 2 {
            bytes.append(UInt8(String(rest.prefix(2)) ?? "", radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    @Test(
        "a damaged table gives some line or none",
        arguments: [PythonLayout.LineTableForm.lnotab, .ranges, .locations])
    func damaged(form: PythonLayout.LineTableForm) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            let table = LineTable(form, bytes, firstLine: 10)
            for offset in stride(from: -2, to: 200, by: 2) { _ = table.line(atByteOffset: offset) }
        }
        #expect(LineTable(.locations, [], firstLine: 3).line(atByteOffset: 0) == nil)
        #expect(LineTable(.lnotab, [], firstLine: 3).line(atByteOffset: 8) == 3)
    }
}
