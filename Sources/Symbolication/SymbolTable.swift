/// A name out of an ELF file: bytes that live as long as the session that read them, and end with a zero.
struct SymbolName {
    let bytes: UnsafePointer<CChar>

    /// How many bytes of a name are looked at. Real names end long before; what is cut is not demangled.
    static let limit = 4096

    /// The length in bytes, at most one more than the limit.
    var length: Int {
        var count = 0
        while count <= Self.limit, bytes[count] != 0 { count += 1 }
        return count
    }

    var text: String {
        let buffer = UnsafeBufferPointer(start: bytes, count: min(length, Self.limit))
        return buffer.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
    }
}

/// A symbol that may name code.
struct CodeSymbol {
    enum Kind: UInt8 { case function, untyped }

    var name: SymbolName
    var address: UInt64
    var size: UInt64
    var kind: Kind
    var isLocal: Bool

    /// Which of several names of the same code is shown. An exported name before a local one, as it is the one
    /// others know; then a name without a version, without leading underscores, the shorter, and the one that
    /// sorts first, so that the choice never depends on the order in a file.
    static func isPreferred(_ left: CodeSymbol, over right: CodeSymbol) -> Bool {
        if left.kind != right.kind { return left.kind == .function }
        if left.isLocal != right.isLocal { return right.isLocal }
        let (leftName, rightName) = (left.name.text, right.name.text)
        let (leftScore, rightScore) = (oddity(of: leftName), oddity(of: rightName))
        if leftScore != rightScore { return leftScore < rightScore }
        let (leftLength, rightLength) = (leftName.utf8.count, rightName.utf8.count)
        return leftLength != rightLength ? leftLength < rightLength : leftName < rightName
    }

    /// Leading underscores that are not part of a mangling, and 100 for a symbol version.
    private static func oddity(of name: String) -> Int {
        let isMangled = name.hasPrefix("_Z") || name.hasPrefix("_R") || name.hasPrefix("_T")
        let underscores = isMangled ? 0 : name.utf8.prefix { $0 == UInt8(ascii: "_") }.count
        return underscores + (name.utf8.contains(UInt8(ascii: "@")) ? 100 : 0)
    }
}

/// A stretch of executable memory of an image: a section, or a segment where the file has no section headers.
struct CodeSection {
    var address: UInt64
    var size: UInt64
    var name: String
    /// The section's index in the file; nil for a segment.
    var index: Int?

    func contains(_ address: UInt64) -> Bool { address >= self.address && address - self.address < size }
}

/// The symbols of an image, found by address.
struct SymbolTable {
    private let symbols: [CodeSymbol]
    private let functions: IntervalTable<Int>
    private let untyped: IntervalTable<Int>
    private let unsized: IntervalTable<Int>
    private let sections: [CodeSection]

    init(symbols: [CodeSymbol], sections: [CodeSection]) {
        self.symbols = symbols
        self.sections = sections
        func table(_ isIncluded: (CodeSymbol) -> Bool) -> IntervalTable<Int> {
            let entries: [IntervalTable<Int>.Entry] = symbols.indices.compactMap { index in
                let symbol = symbols[index]
                guard isIncluded(symbol) else { return nil }
                let (end, overflows) = symbol.address.addingReportingOverflow(max(symbol.size, 1))
                return .init(low: symbol.address, high: overflows ? .max : end, payload: index)
            }
            return IntervalTable(entries) { CodeSymbol.isPreferred(symbols[$0], over: symbols[$1]) }
        }
        functions = table { $0.kind == .function && $0.size > 0 }
        untyped = table { $0.kind == .untyped && $0.size > 0 }
        unsized = table { $0.size == 0 }
    }

    var count: Int { symbols.count }
    subscript(_ index: Int) -> CodeSymbol { symbols[index] }

    /// The executable section an address lies in.
    func section(holding address: UInt64) -> CodeSection? { sections.first { $0.contains(address) } }

    /// The symbol an address belongs to.
    ///
    /// First a function that holds it, then anything sized that holds it. A symbol without a size, such as an
    /// assembler's label, reaches up to the next symbol of any kind, and never out of its section.
    func index(holding address: UInt64) -> Int? {
        if let entry = functions.entry(holding: address) { return entry.payload }
        if let entry = untyped.entry(holding: address) { return entry.payload }
        guard let nearest = unsized.lastEntry(beginningAtOrBelow: address) else { return nil }
        let barrier = max(
            functions.lastEntry(beginningAtOrBelow: address)?.low ?? 0,
            untyped.lastEntry(beginningAtOrBelow: address)?.low ?? 0)
        guard barrier <= nearest.low, let section = section(holding: address), section.contains(nearest.low)
        else {
            return nil
        }
        return nearest.payload
    }
}
