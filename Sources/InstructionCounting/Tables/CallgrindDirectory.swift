internal import LinuxSystem
internal import Measurement
internal import StackProfile
internal import Stages
internal import Symbolication

/// The directory that callgrind and the marker's library write to during a run.
package struct CallgrindDirectory {
    let path: String

    /// What callgrind's files of counts begin with, and those of its messages.
    static let prefix = "part."
    static let logPrefix = "log."

    /// The directory at a path.
    package init(path: String) {
        self.path = path
    }

    /// Makes what the marker's library expects to find: the file that all processes share.
    func prepare() throws(SystemError) {
        try Files.replace("\(path)/shared", with: [UInt8](repeating: 0, count: 4096))
    }

    /// What callgrind wrote last about itself: of the process that wrote most recently.
    func lastWords() -> [String] {
        do {
            let logs = try CountFiles(path: path).names().filter { $0.hasPrefix(Self.logPrefix) }
            let texts = try logs.map { try CountFiles(path: path).bytes($0) }.map {
                String(decoding: $0, as: UTF8.self)
            }
            // `==PROCESS== text`
            let lines = texts.flatMap { $0.split(separator: "\n") }.map { line in
                line.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
            }
            let words = ["valgrind:", "unhandled", "nrecognised", "impossible", "Process terminating"]
            return lines.filter { line in words.contains { line.contains($0) } }.suffix(4)
                .map { PlainText.sanitized($0) }
        } catch {
            return ["(\(error))"]
        }
    }

    /// What was executed for one set of stages.
    private struct Sum {
        var functions: [CallgrindPart.Function: Int64] = [:]
        var lowerBound: [String] = []
        var instructions: Int64 { functions.values.reduce(0, +) }
    }

    /// The sums, and the order in which their stages were met.
    private struct Sums {
        var sums: [[StageName]: Sum] = [:]
        var order: [[StageName]] = []

        mutating func change(_ key: [StageName], _ change: (inout Sum) -> Void) {
            if sums[key] == nil { order.append(key) }
            change(&sums[key, default: Sum()])
        }
    }

    /// What the run left, added up.
    package func read() throws(CountingError) -> InstructionCounts {
        let notes = CountNotes(try CountFiles(path: path).bytes("notes"))
        let epochs = StageEpochs(notes)
        let lives = CallgrindProgram.lives(try CountFiles(path: path).bytes("processes"))
        let newest = notes.notes.last?.epoch ?? 0
        var sums = Sums()
        var programs = try parts()
        guard !programs.isEmpty else { throw .unreadable("callgrind counted nothing: it did not start.") }
        // Callgrind makes a file of a program when it first has something to write.
        for program in lives.keys where lives[program]?.end == nil && programs[program] == nil {
            programs[program] = []
        }
        for (program, parts) in programs.sorted(by: {
            ($0.key.process, $0.key.image) < ($1.key.process, $1.key.image)
        }) {
            let life = lives[program]
            var since = life?.begin
            for part in parts {
                let until = part.segment?.until ?? (life?.end ?? newest) + 1
                let key = (part.segment?.since ?? since).map { epochs.stages(from: $0, before: until) } ?? []
                sums.change(key) { sum in
                    for (function, count) in part.functions where !Self.isMarker(function) {
                        sum.functions[function, default: 0] += count
                    }
                    if life == nil {
                        let reason =
                            "a program ran without the library that marks stages: it is static or has other rights"
                        if !sum.lowerBound.contains(reason) { sum.lowerBound.append(reason) }
                    }
                }
                since = part.segment?.until
            }
            // A program that becomes another one, or that ends, says so; else it was killed with what it had counted.
            if life?.end == nil, !parts.contains(where: { $0.segment == nil }) {
                let open = since.map { epochs.stages(from: $0, before: newest + 1) } ?? []
                noteLoss("a process was killed before its counts were written", in: open, &sums)
            }
        }
        return try counts(sums, epochs, processes: Set(programs.keys.map(\.process)).count)
    }

    /// Marks each stage in which something may have been lost.
    private func noteLoss(_ reason: String, in stages: [StageName], _ sums: inout Sums) {
        for key in stages.isEmpty ? [[]] : stages.map({ [$0] }) {
            sums.change(key) { if !$0.lowerBound.contains(reason) { $0.lowerBound.append(reason) } }
        }
    }

    private static func isMarker(_ function: CallgrindPart.Function) -> Bool {
        function.object.hasSuffix("/" + CallgrindEngine.markerFile)
    }

    /// The parts of each program, in order, the last at its end.
    private func parts() throws(CountingError) -> [CallgrindProgram: [CallgrindPart]] {
        var found: [CallgrindProgram: [(number: Int, part: CallgrindPart)]] = [:]
        for name in try CountFiles(path: path).names() {
            guard let (program, number) = CallgrindProgram.of(file: name) else { continue }
            found[program, default: []] += []
            let content = try CountFiles(path: path).bytes(name)
            // Made with the first part, and written at the program's end.
            if content.isEmpty { continue }
            guard let part = CallgrindPart(content), part.isWhole else {
                throw .unreadable("The counts of callgrind in '\(PlainText.sanitized(name))' are not whole.")
            }
            found[program, default: []].append((number ?? .max, part))
        }
        return found.mapValues { parts in parts.sorted { $0.number < $1.number }.map(\.part) }
    }

    private func counts(
        _ sums: Sums, _ epochs: StageEpochs, processes: Int
    ) throws(CountingError) -> InstructionCounts {
        let calls = Reading<[String: Int64]>.unavailable(reason: "callgrind does not see system calls")
        var builder = StackProfileBuilder(unit: .instructions)
        var stages: [InstructionCounts.Stage] = []
        for key in epochs.order(sums.order) {
            guard let sum = sums.sums[key] ?? (key.count == 1 ? Sum() : nil) else { continue }
            let stage = epochs.stage(
                key, instructions: sum.instructions, systemCalls: calls, lowerBound: sum.lowerBound)
            stages.append(stage)
            let labels = builder.id(of: stage.labels)
            do throws(StackProfileError) {
                let sorted = sum.functions.sorted {
                    ($0.key.object, $0.key.name) < ($1.key.object, $1.key.name)
                }
                for (function, count) in sorted {
                    let stack = builder.stack([builder.id(of: Self.frame(function))])
                    try builder.add(stack, weight: count, labels: labels)
                }
            } catch {
                throw .unreadable(error.description)
            }
        }
        return InstructionCounts(stages: stages, functions: builder.build(), processes: processes, notes: [])
    }

    /// A function without a name is `0x` and its address, or question marks.
    private static func frame(_ function: CallgrindPart.Function) -> Frame {
        let module = PlainText.sanitized(Files.name(of: function.object), maximumCharacters: 128)
        // A function that calls itself stands for each depth: `walk` and `walk'2`.
        let name = function.name.lastIndex(of: "'").map { String(function.name[..<$0]) } ?? function.name
        if name.isEmpty || name.hasPrefix("0x") || name.hasPrefix("???") {
            return Frame.unknown(module: module)
        }
        return Frame(Demangling.displayName(of: name), module: module)
    }
}
