internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// The program that the kernel would run for a path: itself, or the interpreter of a script.
struct ProgramFormat: Equatable {
    /// The ELF program.
    var program: String
    /// What a script puts before the command's own arguments: the interpreter's argument, and the script.
    var added: [String] = []

    /// How many interpreters deep scripts may be, as in the kernel.
    private static let maximumDepth = 5

    /// Looks at the file at a path; the reason is a phrase.
    static func of(_ path: String) -> Reading<ProgramFormat> {
        var found = ProgramFormat(program: path)
        for _ in 0..<maximumDepth {
            let head: [UInt8]
            do throws(SystemError) {
                head = try FileDescriptor.open(found.program, .read).read(upTo: 512)
            } catch {
                return .unavailable(reason: error.description)
            }
            if head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
                return head.count > 4 && head[4] == 2
                    ? .value(found) : .unavailable(reason: "'\(found.program)' is no 64-bit program")
            }
            guard head.starts(with: "#!".utf8) else {
                return .unavailable(reason: "'\(found.program)' is neither a program nor a script")
            }
            let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
            let words = String(decoding: line, as: UTF8.self)
                .split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
            guard let interpreter = words.first else {
                return .unavailable(reason: "'\(found.program)' names no interpreter")
            }
            let argument = words.dropFirst().map { String($0).trimmingBlanks }.filter { !$0.isEmpty }
            found = ProgramFormat(
                program: String(interpreter), added: argument + [found.program] + found.added)
        }
        return .unavailable(reason: "'\(path)' is a script of a script, too many deep")
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var rest = self[...]
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        return String(rest)
    }
}
