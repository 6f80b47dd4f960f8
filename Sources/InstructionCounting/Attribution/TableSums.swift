internal import Measurement

/// The tables of all processes added up: executions by image, address and stage. Pure.
struct TableSums {
    /// A file that code is of, as a line of `/proc/PID/maps` names it; nil for code in no file.
    struct CodeAddress: Hashable {
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
    /// By the stages that were worked for, in the order in which they were met.
    private(set) var sums: [[StageName]: Sum] = [:]
    private(set) var order: [[StageName]] = []

    /// Adds up tables with their logs.
    init(tables: [UInt32: CountTable], logs: [UInt32: [CountTable.Segment]], epochs: StageEpochs) {
        for (serial, table) in tables.sorted(by: { $0.key < $1.key }) {
            let ancestors = Self.ancestors(of: table, in: tables)
            let numbering = Self.numbering(of: table, in: tables)
            let places = numbering.mappings.map { intern($0) }
            for segment in (logs[serial] ?? []) + table.rest {
                let stages = epochs.stages(of: segment.thread, at: segment.epoch, ancestors: ancestors)
                if sums[stages] == nil { order.append(stages) }
                var sum = sums.removeValue(forKey: stages) ?? Sum()
                add(segment, of: table, numbering.blocks, places, to: &sum)
                sums[stages] = sum
            }
        }
    }

    private func add(
        _ segment: CountTable.Segment, of table: CountTable, _ blocks: [CountTable.Block], _ places: [Int],
        to sum: inout Sum
    ) {
        for (number, count) in segment.blocks {
            guard number > 0, number <= blocks.count else {
                sum.nameless += Int64(clamping: count)
                continue
            }
            let block = blocks[number - 1]
            let mapping = Int(block.mapping)
            let place = mapping > 0 && mapping <= places.count ? places[mapping - 1] : -1
            sum.blocks[CodeAddress(mapping: place, address: block.address), default: 0] +=
                Int64(clamping: count) * Int64(block.instructions)
        }
        for (number, count) in segment.calls { sum.calls[number, default: 0] += Int64(clamping: count) }
        if table.flags.contains(.lanesShared) {
            let reason =
                "\(Self.name(table)) ran more than \(CountTable.Layout.maximumLanes) threads at a time"
            if !sum.lowerBound.contains(reason) { sum.lowerBound.append(reason) }
        }
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
