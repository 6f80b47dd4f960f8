internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import PythonFrames
internal import StackProfile

/// The directory that the plugin writes to during a run.
package struct CountDirectory {
    let path: String

    /// The directory at a path.
    package init(path: String) {
        self.path = path
    }

    /// Makes what the plugin expects to find: the file that all processes share.
    func prepare(emulator: String, plugin: String, cpuModel: String) throws(SystemError) {
        func padded(_ text: String, _ length: Int) -> [UInt8] {
            let bytes = Array(text.utf8.prefix(length - 1))
            return bytes + [UInt8](repeating: 0, count: length - bytes.count)
        }
        let counters = [UInt8](repeating: 0, count: 16)
        var bytes = counters + padded(emulator, 4096) + padded(plugin, 4096) + padded(cpuModel, 256)
        for record in PythonLayoutRecord.all.prefix(CountTable.Layout.pythonLayouts) {
            for number in record.numbers { withUnsafeBytes(of: number) { bytes += $0 } }
        }
        bytes += [UInt8](repeating: 0, count: max(0, CountTable.Layout.sharedBytes - bytes.count))
        try Files.replace("\(path)/shared", with: bytes)
    }

    /// What the run left, added up.
    package func read() throws(CountingError) -> InstructionCounts {
        let notes = CountNotes(try CountFiles(path: path).bytes("notes"))
        let epochs = StageEpochs(notes)
        var tables: [UInt32: CountTable] = [:]
        var logs: [UInt32: [CountTable.Segment]] = [:]
        for name in try CountFiles(path: path).names() where name.hasPrefix("table-") {
            var table: CountTable
            do {
                table = try CountTable(try OpenFile("\(path)/\(name)"))
                let pages = "\(path)/python-\(table.serial)"
                if Files.exists(pages) { table.addPython(try OpenFile(pages)) }
            } catch {
                throw .unreadable("The counts of a process cannot be read: \(error).")
            }
            table.python = PythonFunction.functions(try CountFiles(path: path).bytes("codes-\(table.serial)"))
            tables[table.serial] = table
            logs[table.serial] = CountLog.segments(try CountFiles(path: path).bytes("log-\(table.serial)"))
        }
        guard !tables.isEmpty else { throw .unreadable("The emulator counted nothing: it did not start.") }
        var sums = TableSums(tables: tables, logs: logs, epochs: epochs)
        guard !sums.isImplausible else {
            throw .unreadable(
                "The counts of a process are larger than any can reach: the process has written into their files."
            )
        }
        noteUncounted(notes, epochs, tables, &sums)
        if try uncountedProcesses() > 0 {
            sums.note("a process could not write down what it executed", in: [])
        }
        return try counts(sums, epochs, processes: tables.count)
    }

    private func noteUncounted(
        _ notes: CountNotes, _ epochs: StageEpochs, _ tables: [UInt32: CountTable], _ sums: inout TableSums
    ) {
        for note in notes.notes where note.kind == .uncounted {
            let lines = String(decoding: note.content, as: UTF8.self).split(separator: "\n")
            guard let table = tables[note.serial], lines.count == 2 else { continue }
            let stages = epochs.stages(
                of: note.thread, at: note.epoch, ancestors: TableSums.ancestors(of: table, in: tables))
            sums.note(
                "\(PlainText.sanitized(lines[0])) ran uncounted: \(PlainText.sanitized(lines[1]))", in: stages
            )
        }
    }

    private func counts(
        _ sums: TableSums, _ epochs: StageEpochs, processes: Int
    ) throws(CountingError) -> InstructionCounts {
        let names = FunctionNames(sums)
        var builder = StackProfileBuilder(unit: .instructions)
        var stages: [InstructionCounts.Stage] = []
        for key in epochs.order(sums.order) {
            guard let sum = sums.sums[key] ?? (key.count == 1 ? TableSums.Sum() : nil) else { continue }
            let stage = epochs.stage(
                key, instructions: sum.instructions, systemCalls: .value(SystemCallNames.named(sum.calls)),
                lowerBound: sum.lowerBound)
            stages.append(stage)
            let labels = builder.id(of: stage.labels)
            do throws(StackProfileError) {
                for (code, count) in sum.blocks.sorted(by: { Self.isBefore($0.key, $1.key) }) {
                    var frames =
                        code.function >= 0 ? [builder.id(of: sums.functions[code.function].frame)] : []
                    frames.append(builder.id(of: names.frame(of: code)))
                    try builder.add(builder.stack(frames), weight: count, labels: labels)
                }
                if sum.nameless > 0 {
                    let unknown = builder.stack([builder.id(of: .unknown())])
                    try builder.add(unknown, weight: sum.nameless, labels: labels)
                }
            } catch {
                throw .unreadable(error.description)
            }
        }
        for known in names.buildIDs { builder.buildIDs.insert(known.identifier, of: known.module) }
        return InstructionCounts(
            stages: stages, functions: builder.build(), processes: processes, notes: names.notes + sums.notes)
    }

    private static func isBefore(_ left: TableSums.CodeAddress, _ right: TableSums.CodeAddress) -> Bool {
        (left.function, left.mapping, left.address) < (right.function, right.mapping, right.address)
    }

    private func uncountedProcesses() throws(CountingError) -> UInt32 {
        let bytes = try CountFiles(path: path).bytes("shared")
        guard bytes.count >= 16 else { return 0 }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 12, as: UInt32.self) }
    }
}
