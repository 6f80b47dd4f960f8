import LinuxProcess
import LinuxSystem
import Symbolication
import Testing

/// A directory for compiled fixtures, gone with its owner.
final class Fixture {
    let directory: String
    static let sources: String = {
        let here = Files.directory(of: #filePath)
        return Files.directory(of: here) + "/Fixtures/native-symbols"
    }()

    init() throws {
        directory = try Files.createTemporaryDirectory(prefix: "/tmp/symbolication-tests-")
    }

    deinit {
        do { try Files.removeTree(directory) } catch { Issue.record("cannot clean up: \(error)") }
    }

    /// Runs a program in the directory and returns what it printed; any other end than success is a failure.
    @discardableResult
    func run(_ arguments: String...) throws -> String { try run(arguments) }

    @discardableResult
    func run(_ arguments: [String]) throws -> String {
        let log = directory + "/output-\(SystemClock.monotonicNanoseconds)"
        let output = try FileDescriptor.open(log, .createNew)
        var request = ChildRequest(arguments)
        request.workingDirectory = directory
        request.standardOutput = .descriptor(output.rawValue)
        request.standardError = .descriptor(output.rawValue)
        request.environment = ["LC_ALL": "C"]
        var child = try ChildProcess.start(request)
        let outcome = try #require(try child.wait(timeout: .seconds(120)), "\(arguments) took too long")
        let text = String(decoding: try Files.read(log, limit: 256 << 20), as: UTF8.self)
        try #require(outcome.status == .code(0), "\(arguments): \(outcome.status)\n\(text)")
        return text
    }

    /// Compiles a source of the fixtures and returns the path of the result.
    func compile(
        _ compiler: String, _ source: String, to name: String, _ options: String...
    ) throws -> String {
        try run([compiler] + options + ["\(Self.sources)/\(source)", "-o", name])
        return "\(directory)/\(name)"
    }

    /// The image as a capture would hold it.
    func image(_ path: String) throws -> ProgramImage {
        let file = try OpenFile(path)
        return ProgramImage(path: path, buildID: try ElfImage(file).buildID, content: .file(file))
    }

    func symbolize(
        _ path: String, _ addresses: [UInt64], inlines: Bool = false
    ) throws -> [UInt64: SymbolizedAddress] {
        var symbolicator = try Symbolicator(try image(path), options: .init(lines: true, inlines: inlines))
        let result = symbolicator.symbolize(addresses.map { ImageAddress($0) })
        return Dictionary(uniqueKeysWithValues: result.map { ($0.key.value, $0.value) })
    }

    /// A function as `nm` lists it.
    struct Listed: Hashable {
        var address: UInt64
        var size: UInt64
        var name: String
        var isLocal: Bool
    }

    /// The sized functions of a file by `nm`, lower-case letters being local symbols.
    func functions(of path: String, _ options: String...) throws -> [Listed] {
        try run(["nm", "--defined-only", "-S"] + options + [path]).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 3)
            guard fields.count == 4, "tTwWi".contains(fields[2]), let address = UInt64(fields[0], radix: 16),
                let size = UInt64(fields[1], radix: 16), size > 0
            else { return nil }
            return Listed(
                address: address, size: size, name: String(fields[3]), isLocal: fields[2] == "t")
        }
    }

    /// A frame as addr2line prints it.
    struct Frame: Hashable {
        var function: String
        var file: String?
        var line: Int?
    }

    enum Oracle { case gnu, llvm }

    /// The symbolizer of the Swift toolchain, else the one in PATH.
    private static let llvmSymbolizer: String = {
        for directory in (CurrentProcess.environmentVariable("PATH") ?? "").split(separator: ":")
        where Files.isExecutable("\(directory)/swiftc") && Files.isExecutable("\(directory)/llvm-symbolizer")
        {
            return "\(directory)/llvm-symbolizer"
        }
        return "llvm-symbolizer"
    }()

    /// What another program says of each address: the frames, innermost first.
    func frames(_ path: String, _ addresses: [UInt64], by oracle: Oracle) throws -> [UInt64: [Frame]] {
        let list = directory + "/addresses-\(SystemClock.monotonicNanoseconds)"
        try Files.replace(list, with: addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "\n"))
        let program =
            switch oracle {
            case .gnu: ["addr2line", "-a", "-f", "-i", "-C", "-e", path]
            case .llvm:
                [
                    Self.llvmSymbolizer, "--output-style=GNU", "-a", "-f=linkage", "-i", "--no-demangle",
                    "-e",
                    path,
                ]
            }
        var result: [UInt64: [Frame]] = [:]
        var current: UInt64 = 0
        var function: String?
        for line in try run(program + ["@" + list]).split(separator: "\n") {
            if line.hasPrefix("0x"), let address = UInt64(line.dropFirst(2), radix: 16) {
                current = address
                function = nil
            } else if let name = function {
                function = nil
                result[current, default: []].append(Self.frame(name, place: line))
            } else {
                // Names apart: the demanglers differ in their spaces.
                function = oracle == .llvm ? NormalizedName.key(for: line) : String(line)
            }
        }
        return result
    }

    /// `file:line`, `file:line (discriminator 3)`, `file:?`, `??:0`.
    private static func frame(_ function: String, place: Substring) -> Frame {
        let place = place.split(separator: " (discriminator")[0]
        let colon = place.lastIndex(of: ":") ?? place.endIndex
        let line = Int(place[colon...].dropFirst()).flatMap { $0 > 0 ? $0 : nil }
        let file = place[..<colon]
        return Frame(function: function, file: file == "??" ? nil : String(file), line: line)
    }
}
