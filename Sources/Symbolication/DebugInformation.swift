internal import CElfutils

/// The DWARF of a session's file: which compilation unit an address belongs to, its line, and the functions
/// inlined there.
///
/// Not through `.debug_aranges`, which Clang and Swift do not write: the units' own ranges are indexed once.
final class DebugInformation {
    private struct Unit {
        /// The unit's first entry, with the line table.
        var entry: Dwarf_Die
        /// The entry under which the functions stand: another one where the unit is split into a `.dwo` file.
        var content: Dwarf_Die
    }

    /// The file's own addresses plus this are the addresses in its DWARF.
    private let shift: UInt64
    private let units: [Unit]
    private let unitByAddress: IntervalTable<Int>
    private var functionsByUnit: [Int: UnitFunctions] = [:]
    /// Units libdw could not read.
    private(set) var unreadable = 0

    private static let unitLimit = 2_000_000
    private static let rangeLimit = 16_000_000

    /// Opens the debug information of a session's file, nil where there is none.
    init?(_ session: borrowing DwflSession) {
        var dwarfBias: Dwarf_Addr = 0
        guard let dwarf = dwfl_module_getdwarf(session.module, &dwarfBias) else { return nil }
        session.keepFromOpeningOthers(dwarf)
        shift = session.bias &- dwarfBias
        var units: [Unit] = []
        var ranges: [IntervalTable<Int>.Entry] = []
        var current: OpaquePointer?
        var kind: UInt8 = 0
        while units.count < Self.unitLimit {
            var entry = Dwarf_Die()
            var split = Dwarf_Die()
            var next: OpaquePointer?
            // Asked for the other part of a split unit, libdw opens whatever path the file names.
            let status =
                session.opensFilesItNames
                ? dwarf_get_units(dwarf, current, &next, nil, &kind, &entry, &split)
                : dwarf_get_units(dwarf, current, &next, nil, &kind, &entry, nil)
            guard status == 0, let next else {
                if status < 0 { unreadable += 1 }
                break
            }
            current = next
            guard Int(kind) == Int(DW_UT_compile) || Int(kind) == Int(DW_UT_skeleton) else { continue }
            let isSplit = Int(kind) == Int(DW_UT_skeleton) && split.addr != nil
            DebugEntry.forEachRange(of: entry, limit: Self.rangeLimit - ranges.count) { low, high in
                ranges.append(.init(low: low, high: high, payload: units.count))
            }
            units.append(Unit(entry: entry, content: isSplit ? split : entry))
        }
        guard !units.isEmpty else { return nil }
        self.units = units
        unitByAddress = IntervalTable(ranges)
    }

    /// The line of an address, by the line table of its unit.
    func position(of address: UInt64) -> SourcePosition? {
        let target = address &+ shift
        guard let unit = unitByAddress.entry(holding: target)?.payload else { return nil }
        var entry = units[unit].entry
        guard let line = dwarf_getsrc_die(&entry, target), let file = dwarf_linesrc(line, nil, nil) else {
            return nil
        }
        var number: Int32 = 0
        let isKnown = dwarf_lineno(line, &number) == 0 && number > 0
        return SourcePosition(
            file: DisplayText.safe(SymbolName(bytes: file).text), line: isKnown ? Int(number) : nil)
    }

    /// What the DWARF says about the function at an address.
    struct Function {
        var name: DebugEntry.Name?
        var lowestAddress: UInt64
        /// The inlined calls at the address, outermost first.
        var inlined: [InlinedCall]
    }

    /// A function inlined at a place.
    struct InlinedCall {
        var name: DebugEntry.Name?
        /// Where it was called.
        var callPosition: SourcePosition?
    }

    /// The function at an address, with the calls inlined into it.
    func function(at address: UInt64) -> Function? {
        let target = address &+ shift
        guard let unit = unitByAddress.entry(holding: target)?.payload else { return nil }
        let functions = functionsByUnit[unit] ?? UnitFunctions(of: units[unit].content)
        functionsByUnit[unit] = functions
        guard let function = functions.entry(holding: target) else { return nil }
        let calls = DebugEntry.inlinedCalls(in: function.entry, at: target)
        return Function(
            name: DebugEntry.name(of: function.entry), lowestAddress: function.low &- shift,
            inlined: calls.map { call in
                InlinedCall(name: DebugEntry.name(of: call), callPosition: callPosition(of: call, unit: unit))
            })
    }

    private func callPosition(of call: Dwarf_Die, unit: Int) -> SourcePosition? {
        guard let number = DebugEntry.number(of: call, UInt32(DW_AT_call_file)) else { return nil }
        var entry = units[unit].entry
        var files: OpaquePointer?
        var count = 0
        guard dwarf_getsrcfiles(&entry, &files, &count) == 0, number < UInt64(count),
            let path = dwarf_filesrc(files, Int(number), nil, nil)
        else { return nil }
        let line = DebugEntry.number(of: call, UInt32(DW_AT_call_line)).flatMap { Int(exactly: $0) }
        return SourcePosition(
            file: DisplayText.safe(SymbolName(bytes: path).text), line: line == 0 ? nil : line)
    }
}

/// The functions of one compilation unit by address.
struct UnitFunctions {
    struct Found {
        var low: UInt64
        var entry: Dwarf_Die
    }

    private let entries: [Dwarf_Die]
    private let byAddress: IntervalTable<Int>

    /// Entries looked at in one unit: a hostile file can nest and repeat them without end.
    private static let visitLimit = 20_000_000

    init(of unit: Dwarf_Die) {
        var entries: [Dwarf_Die] = []
        var ranges: [IntervalTable<Int>.Entry] = []
        var visitsLeft = Self.visitLimit
        Self.collect(under: unit, depth: 0, visitsLeft: &visitsLeft) { function in
            DebugEntry.forEachRange(of: function, limit: 4096) { low, high in
                ranges.append(.init(low: low, high: high, payload: entries.count))
            }
            entries.append(function)
        }
        self.entries = entries
        byAddress = IntervalTable(ranges)
    }

    func entry(holding address: UInt64) -> Found? {
        guard let found = byAddress.entry(holding: address) else { return nil }
        return Found(low: found.low, entry: entries[found.payload])
    }

    /// Functions stand in the unit itself (C, C++, Swift), in namespaces and types (Rust), or in types within another function
    /// and its blocks (lambdas, methods of local classes).
    private static func collect(
        under parent: Dwarf_Die, depth: Int, visitsLeft: inout Int, _ body: (Dwarf_Die) -> Void
    ) {
        DebugEntry.forEachChild(of: parent, visitsLeft: &visitsLeft) { child, visitsLeft in
            var entry = child
            switch Int(dwarf_tag(&entry)) {
            case Int(DW_TAG_subprogram): body(entry)
            case Int(DW_TAG_namespace), Int(DW_TAG_module), Int(DW_TAG_class_type),
                Int(DW_TAG_structure_type), Int(DW_TAG_union_type), Int(DW_TAG_enumeration_type),
                Int(DW_TAG_lexical_block):
                break
            default: return
            }
            if depth < 32 { collect(under: entry, depth: depth + 1, visitsLeft: &visitsLeft, body) }
        }
    }
}
