internal import Measurement

/// One file of callgrind: what a program executed itself, by function, since the file before it. Pure.
struct CallgrindPart: Equatable {
    /// A function as callgrind names it, in the file that it is in.
    struct Function: Hashable {
        var object: String
        var name: String
    }

    /// From which edge on it counted, and before which it ended, where the marker's library had it written; nil for what
    /// callgrind wrote when the program ended.
    var segment: (since: UInt64, until: UInt64)?
    var functions: [Function: Int64] = [:]
    /// Whether the file is whole: callgrind writes the sum last.
    var isWhole = false

    static func == (left: CallgrindPart, right: CallgrindPart) -> Bool {
        left.segment?.since == right.segment?.since && left.segment?.until == right.segment?.until
            && left.functions == right.functions && left.isWhole == right.isWhole
    }

    /// Reads a file; nil where a count in it is none.
    ///
    /// Names are written once, as `fn=(3) main`, and then by their number. After `calls=` comes a line with what the
    /// callee cost, which is in the callee's own lines too.
    init?(_ bytes: [UInt8]) {
        var objects: [Substring: String] = [:]
        var names: [Substring: String] = [:]
        var here = Function(object: "", name: "")
        var sum: Int64 = 0
        var isCall = false
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if let key = line.firstIndex(of: "="), let first = line.first, first.isLetter {
                let value = line[line.index(after: key)...]
                switch line[..<key] {
                case "ob": here.object = Self.name(value, &objects)
                case "fn": here.name = Self.name(value, &names)
                case "cob": _ = Self.name(value, &objects)
                case "cfn": _ = Self.name(value, &names)
                case "calls": isCall = true
                default: continue
                }
            } else if let first = line.first, first.isNumber || first == "+" || first == "-" || first == "*" {
                defer { isCall = false }
                guard !isCall else { continue }
                guard let word = line.split(separator: " ").last, let count = Int64(word), count >= 0 else {
                    return nil
                }
                let (total, isTooLarge) = sum.addingReportingOverflow(count)
                guard !isTooLarge else { return nil }
                sum = total
                functions[here, default: 0] += count
            } else if line.hasPrefix("desc: Trigger: ") {
                segment = Self.segment(line)
            } else if line.hasPrefix("totals: ") {
                guard Int64(line.dropFirst("totals: ".count)) == sum else { return nil }
                isWhole = true
            }
        }
    }

    /// `(3) name` or `(3)` for a name that was written before.
    private static func name(_ text: Substring, _ known: inout [Substring: String]) -> String {
        guard text.first == "(", let end = text.firstIndex(of: ")") else { return String(text) }
        let number = text[...end]
        let rest = text[text.index(after: end)...].drop { $0 == " " }
        if !rest.isEmpty { known[number] = String(rest) }
        return known[number] ?? ""
    }

    /// `desc: Trigger: Client Request: segment 3 4`
    private static func segment(_ line: Substring) -> (since: UInt64, until: UInt64)? {
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "segment"), at + 2 < words.count,
            let since = UInt64(words[at + 1]),
            let until = UInt64(words[at + 2])
        else { return nil }
        return (since, until)
    }
}

/// A program that callgrind counted: a process until it executes another program. Pure.
struct CallgrindProgram: Hashable {
    var process: Int32
    /// What distinguishes the programs that one process was.
    var image: String

    /// Of `part.PROCESS.IMAGE`, and of `part.PROCESS.IMAGE.NUMBER`, which is written before the program's end.
    static func of(file: String) -> (program: CallgrindProgram, number: Int?)? {
        let words = file.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count == 3 || words.count == 4, "\(words[0])." == CallgrindDirectory.prefix,
            let process = Int32(words[1])
        else { return nil }
        let number = words.count == 4 ? Int(words[3]) : nil
        guard words.count == 3 || number != nil else { return nil }
        return (CallgrindProgram(process: process, image: String(words[2])), number)
    }

    /// When a program began to count, and when it ended, by edges.
    struct Life: Equatable {
        var begin: UInt64?
        var end: UInt64?
    }

    /// The lives in a file `processes`: lines `begin PROCESS IMAGE EDGE` and `end PROCESS IMAGE EDGE`.
    static func lives(_ bytes: [UInt8]) -> [CallgrindProgram: Life] {
        var lives: [CallgrindProgram: Life] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4, let process = Int32(words[1]), let epoch = UInt64(words[3]) else {
                continue
            }
            let program = CallgrindProgram(process: process, image: String(words[2]))
            switch words[0] {
            // A program that could not become another one goes on.
            case "begin": lives[program] = Life(begin: lives[program]?.begin ?? epoch, end: nil)
            case "end": lives[program, default: Life()].end = epoch
            default: continue
            }
        }
        return lives
    }
}
