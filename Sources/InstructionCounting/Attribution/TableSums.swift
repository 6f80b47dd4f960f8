internal import Measurement

/// The tables of all processes added up: executions by image, address and stage. Pure.
struct TableSums {
    /// A block of code, and for which function of Python it was executed.
    struct CodeAddress: Hashable {
        /// The place in ``functions``; -1 for none.
        var function = -1
        /// The line's place in ``mappings``; -1 for code in no file.
        var mapping: Int
        var address: UInt64
    }

    /// What was executed for one set of stages.
    struct Sum {
        /// Instructions by the block that they are in.
        var blocks: [CodeAddress: Int64] = [:]
        /// Instructions of blocks that are not known.
        var nameless: Int64 = 0
        /// Calls by number.
        var calls: [Int: Int64] = [:]
        var lowerBound: [String] = []

        var instructions: Int64 { blocks.values.reduce(nameless, +) }
    }

    /// Different lines of the maps of all processes.
    private(set) var mappings: [String] = []
    private var mappingIndices: [String: Int] = [:]
    /// Different functions of Python of all processes.
    private(set) var functions: [PythonFunction] = []
    private var functionIndices: [PythonFunction: Int] = [:]
    /// Sentences about functions of Python without names.
    private(set) var notes: [String] = []
    /// By the stages that were worked for, in the order in which they were met.
    private(set) var sums: [[StageName]: Sum] = [:]
    private(set) var order: [[StageName]] = []
    /// Whether the files name more executions than a process can reach: another program has written into them.
    private(set) var isImplausible = false
    /// All instructions and calls so far: no sum of a part is larger.
    private var total: Int64 = 0

    /// Adds up tables with their logs.
    init(tables: [UInt32: CountTable], logs: [UInt32: [CountTable.Segment]], epochs: StageEpochs) {
        for (serial, table) in tables.sorted(by: { $0.key < $1.key }) {
            let ancestors = Self.ancestors(of: table, in: tables)
            let numbering = Self.numbering(of: table, in: tables)
            let places = numbering.mappings.map { intern($0) }
            let functions = table.python.mapValues { intern($0) }
            notePython(table)
            for segment in (logs[serial] ?? []) + table.rest {
                let stages = epochs.stages(of: segment.thread, at: segment.epoch, ancestors: ancestors)
                if sums[stages] == nil { order.append(stages) }
                var sum = sums.removeValue(forKey: stages) ?? Sum()
                let function = functions[segment.code] ?? -1
                add(segment, of: table, numbering.blocks, places, function: function, to: &sum)
                sums[stages] = sum
            }
        }
    }

    private mutating func add(
        _ segment: CountTable.Segment, of table: CountTable, _ blocks: [CountTable.Block], _ places: [Int],
        function: Int, to sum: inout Sum
    ) {
        for (number, count) in segment.blocks {
            guard number > 0, number <= blocks.count else {
                sum.nameless += counted(count)
                continue
            }
            let block = blocks[number - 1]
            let mapping = Int(block.mapping)
            let place = mapping > 0 && mapping <= places.count ? places[mapping - 1] : -1
            let code = CodeAddress(function: function, mapping: place, address: block.address)
            sum.blocks[code, default: 0] += counted(count, times: block.instructions)
        }
        for (number, count) in segment.calls { sum.calls[number, default: 0] += counted(count) }
        if table.flags.contains(.lanesShared) {
            let reason =
                "\(Self.name(table)) ran more than \(CountTable.Layout.maximumLanes) threads at a time"
            if !sum.lowerBound.contains(reason) { sum.lowerBound.append(reason) }
        }
    }

    /// A count as part of the total; 0 where the total would be too large for a number, which is remembered.
    private mutating func counted(_ count: UInt64, times instructions: UInt32 = 1) -> Int64 {
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: UInt64(instructions))
        guard !isTooLarge, let part = Int64(exactly: product), part <= .max - total else {
            isImplausible = true
            return 0
        }
        total += part
        return part
    }

    /// Takes note of why the counts of some stages are too low.
    mutating func note(_ reason: String, in stages: [StageName]) {
        if sums[stages] == nil { order.append(stages) }
        var sum = sums.removeValue(forKey: stages) ?? Sum()
        if !sum.lowerBound.contains(reason) { sum.lowerBound.append(reason) }
        sums[stages] = sum
    }

    private mutating func intern(_ line: String) -> Int {
        if let known = mappingIndices[line] { return known }
        mappings.append(line)
        mappingIndices[line] = mappings.count - 1
        return mappings.count - 1
    }

    private mutating func intern(_ function: PythonFunction) -> Int {
        if let known = functionIndices[function] { return known }
        functions.append(function)
        functionIndices[function] = functions.count - 1
        return functions.count - 1
    }

    private mutating func notePython(_ table: CountTable) {
        var sentences: [String] = []
        if table.flags.contains(.pythonRefused) {
            sentences.append(
                "The functions of the Python that ran '\(Self.name(table))' have no names: its structures are not "
                    + "known. Those of releases 3.8 to 3.15 are, except free-threaded ones.")
        }
        if table.flags.contains(.pythonOverflowed) {
            sentences.append(
                "'\(Self.name(table))' ran more Python functions than can be counted separately: the rest stands under the "
                    + "interpreter's own functions.")
        }
        for sentence in sentences where !notes.contains(sentence) { notes.append(sentence) }
    }

    static func name(_ table: CountTable) -> String {
        let name = table.program.split(separator: "/").last.map(String.init) ?? "a program"
        return PlainText.sanitized(name, maximumCharacters: 64)
    }

    /// The threads that made the process and those before it, nearest first.
    static func ancestors(of table: CountTable, in tables: [UInt32: CountTable]) -> [StageEpochs.Ancestor] {
        var ancestors: [StageEpochs.Ancestor] = []
        var child = table
        // Serials grow from parent to child, so this ends, whatever the files say.
        while let serial = child.parent, serial < child.serial {
            ancestors.append(StageEpochs.Ancestor(thread: child.parentThread, epoch: child.firstEpoch))
            guard let parent = tables[serial] else { break }
            child = parent
        }
        return ancestors
    }

    /// The blocks and mappings by their numbers, those that fork copied from its parent first.
    private static func numbering(
        of table: CountTable, in tables: [UInt32: CountTable]
    ) -> (blocks: [CountTable.Block], mappings: [String]) {
        var blocks: [ArraySlice<CountTable.Block>] = [table.blocks[...]]
        var mappings: [ArraySlice<String>] = [table.mappings[...]]
        var child = table
        while child.inheritedBlocks > 0, let serial = child.parent, serial < child.serial,
            let parent = tables[serial]
        {
            blocks.append(parent.blocks.prefix(max(0, child.inheritedBlocks - parent.inheritedBlocks)))
            mappings.append(
                parent.mappings.prefix(max(0, child.inheritedMappings - parent.inheritedMappings)))
            child = parent
        }
        return (blocks.reversed().flatMap(Array.init), mappings.reversed().flatMap(Array.init))
    }
}
