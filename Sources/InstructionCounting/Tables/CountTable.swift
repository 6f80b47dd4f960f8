internal import LinuxProcess
internal import LinuxSystem

/// What one process of a counted run has executed, as the plugin wrote it. `docs/formats/count-table.md` has the layout.
///
/// The file may be of a process that was killed: every number in it is checked before it is used.
struct CountTable {
    /// Instructions that are executed in a row.
    struct Block: Hashable {
        var address: UInt64
        /// The place of its mapping among the process's, from 1; 0 for code that is in no file.
        var mapping: UInt32
        var instructions: UInt32
    }

    /// What one thread did between two edges.
    struct Segment: Equatable {
        var thread: Int32
        var epoch: UInt64
        /// The function of Python that it was for, by its number in ``CountTable/python``; 0 for none.
        var code = 0
        /// Executions by the number of the block; of number 0 instructions that belong to no known block.
        var blocks: [(number: Int, count: UInt64)]
        /// Calls by their number.
        var calls: [(number: Int, count: UInt64)]

        static func == (left: Segment, right: Segment) -> Bool {
            left.thread == right.thread && left.epoch == right.epoch && left.code == right.code
                && left.blocks.elementsEqual(right.blocks, by: ==)
                && left.calls.elementsEqual(right.calls, by: ==)
        }
    }

    /// Why counts are too low.
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// Some code is not known by its block.
        static let overflowed = Flags(rawValue: 1)
        /// More threads than lanes.
        static let lanesShared = Flags(rawValue: 2)
        /// Some functions of Python have no counts of their own.
        static let pythonOverflowed = Flags(rawValue: 4)
        /// An interpreter of Python whose structures are not known.
        static let pythonRefused = Flags(rawValue: 8)
    }

    let serial: UInt32
    let processID: Int32
    /// The table of the process that this one comes from; nil for the first.
    let parent: UInt32?
    let parentThread: Int32
    let firstEpoch: UInt64
    let inheritedBlocks: Int
    let inheritedMappings: Int
    /// Its own blocks; the first has the number after the inherited ones.
    let blocks: [Block]
    let mappings: [String]
    let program: String
    let flags: Flags
    /// What had not been written to the log when the process ended.
    private(set) var rest: [Segment]
    /// Functions of Python by their numbers.
    var python: [Int: PythonFunction] = [:]

    /// Why a table cannot be used, as a phrase.
    struct Damage: Error, Equatable {
        let reason: String
    }

    /// Reads a table.
    init(_ file: OpenFile) throws(Damage) {
        guard file.load(UInt64.self, at: 0) == Layout.magic else {
            throw Damage(reason: "it does not begin as a count table does")
        }
        func number(_ offset: UInt64) throws(Damage) -> UInt32 {
            guard let value = file.load(UInt32.self, at: offset) else {
                throw Damage(reason: "it is cut off")
            }
            return value
        }
        serial = try number(8)
        processID = Int32(bitPattern: try number(12))
        let parent = try number(16)
        self.parent = parent == 0 ? nil : parent
        parentThread = Int32(bitPattern: try number(20))
        inheritedBlocks = Int(try number(24))
        inheritedMappings = Int(try number(28))
        firstEpoch = file.load(UInt64.self, at: 32) ?? 0
        let blockCount = Int(try number(40))
        let lanes = Int(try number(64))
        flags = Flags(rawValue: try number(68))
        guard blockCount < Layout.maximumBlocks, inheritedBlocks < Layout.maximumBlocks,
            lanes <= Layout.maximumLanes
        else { throw Damage(reason: "it holds more than a count table can") }
        let listed = file.bytes(at: Layout.blocks, upTo: 16 * blockCount)
        blocks = (0..<blockCount).map { index in
            Block(
                address: listed.load(UInt64.self, at: 16 * index) ?? 0,
                mapping: listed.load(UInt32.self, at: 16 * index + 8) ?? 0,
                instructions: listed.load(UInt32.self, at: 16 * index + 12) ?? 0)
        }
        let used = min(file.load(UInt64.self, at: 56) ?? 0, Layout.maximumMappings)
        mappings = Self.text(file, Layout.mappings, UInt64(used)).split(separator: "\n").map(String.init)
        program = String(Self.text(file, 72, 4096).prefix { $0 != "\0" })
        let known = inheritedBlocks + blockCount + 1
        rest = (0..<UInt64(lanes)).compactMap { Self.segment(file, lane: $0, blocks: known) }
    }

    /// What a lane holds, nil where it holds nothing.
    private static func segment(_ file: OpenFile, lane: UInt64, blocks: Int) -> Segment? {
        let start = Layout.lanes + lane * Layout.laneBytes
        guard let epoch = file.load(UInt64.self, at: start), let thread = file.load(Int32.self, at: start + 8)
        else { return nil }
        var segment = Segment(thread: thread, epoch: epoch, blocks: [], calls: [])
        let calls = file.bytes(at: start + 16, upTo: 4 * Layout.calls)
        for call in 0..<calls.count / 4 {
            let count = calls.load(UInt32.self, at: 4 * call) ?? 0
            if count > 0 { segment.calls.append((call, UInt64(count))) }
        }
        let counts = file.bytes(at: start + 16 + 4 * UInt64(Layout.calls), upTo: 8 * blocks)
        counts.withUnsafeBytes { counts in
            for block in 0..<counts.count / 8 {
                let count = counts.loadUnaligned(fromByteOffset: 8 * block, as: UInt64.self)
                if count > 0 { segment.blocks.append((block, count)) }
            }
        }
        return segment.blocks.isEmpty && segment.calls.isEmpty ? nil : segment
    }

    /// Adds what was counted for functions of Python and had not been written to the log.
    mutating func addPython(_ file: OpenFile) {
        let used = min(file.load(UInt64.self, at: 0) ?? 0, UInt64(Layout.maximumPythonPages))
        let pageBytes = Int(Layout.pythonPageBytes)
        for first in stride(from: 0, to: used, by: 1024) {
            let pages = file.bytes(
                at: Layout.pythonPages + first * Layout.pythonPageBytes,
                upTo: Int(min(used - first, 1024)) * pageBytes)
            for start in stride(from: 0, to: pages.count, by: pageBytes) { addPython(pages, at: start) }
        }
    }

    /// Adds what a page holds, which may be cut off.
    private mutating func addPython(_ pages: [UInt8], at start: Int) {
        guard let epoch = pages.load(UInt64.self, at: start),
            let thread = pages.load(Int32.self, at: start + 8),
            let code = pages.load(UInt32.self, at: start + 12), code > 0,
            let group = pages.load(UInt32.self, at: start + 16)
        else { return }
        var segment = Segment(thread: thread, epoch: epoch, code: Int(code), blocks: [], calls: [])
        for place in 0..<64 {
            guard let count = pages.load(UInt64.self, at: start + 24 + 8 * place), count > 0 else { continue }
            segment.blocks.append((Int(group) * 64 + place, count))
        }
        if !segment.blocks.isEmpty { rest.append(segment) }
    }

    private static func text(_ file: OpenFile, _ offset: UInt64, _ count: UInt64) -> String {
        String(decoding: file.bytes(at: offset, upTo: Int(count)), as: UTF8.self)
    }

    /// Where things are in the file: `table.h` of the plugin.
    enum Layout {
        static let magic: UInt64 = 0x3154_4e55_4f43_5046
        static let maximumBlocks = 1 << 20
        static let maximumMappings: UInt64 = 1 << 20
        static let maximumLanes = 512
        static let calls = 512
        static let blocks: UInt64 = 8192
        static let mappings = blocks + UInt64(16 << 20) + UInt64(1 << 24)
        static let lanes = mappings + maximumMappings
        static let pythonLayouts = 16
        static let sharedBytes = 16 + 4096 + 4096 + 256 + 16 * 4 * 24
        static let pythonPages: UInt64 = 4096
        static let pythonPageBytes: UInt64 = 24 + 64 * 8
        static let maximumPythonPages = 1 << 19
        static let laneBytes = (UInt64(16 + 4 * calls + 8 * maximumBlocks) + 4095) / 4096 * 4096
    }
}
