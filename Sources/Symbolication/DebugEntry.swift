internal import CElfutils

/// What we ask of a debugging information entry. Every walk is bounded: files may point in circles.
enum DebugEntry {
    /// A function's names as the DWARF has them.
    struct Name {
        var text: String
        /// Whether it is a linkage name, the one a symbol table would have.
        var isLinkageName: Bool
    }

    /// Calls a function with each child. Siblings must come later in the file than what they follow.
    static func forEachChild(
        of parent: Dwarf_Die, visitsLeft: inout Int, _ body: (Dwarf_Die, inout Int) -> Void
    ) {
        var parent = parent
        var child = Dwarf_Die()
        var offset = dwarf_dieoffset(&parent)
        guard dwarf_child(&parent, &child) == 0 else { return }
        while visitsLeft > 0 {
            let next = dwarf_dieoffset(&child)
            guard next > offset else { return }
            offset = next
            visitsLeft -= 1
            body(child, &visitsLeft)
            var sibling = Dwarf_Die()
            guard dwarf_siblingof(&child, &sibling) == 0 else { return }
            child = sibling
        }
    }

    /// Calls a function with each range of addresses of an entry.
    static func forEachRange(of entry: Dwarf_Die, limit: Int, _ body: (UInt64, UInt64) -> Void) {
        var entry = entry
        var base: Dwarf_Addr = 0
        var offset = 0
        for _ in 0..<max(0, limit) {
            var low: Dwarf_Addr = 0
            var high: Dwarf_Addr = 0
            offset = dwarf_ranges(&entry, offset, &base, &low, &high)
            guard offset > 0 else { return }
            // Functions the linker dropped keep the address 0 or 1.
            if low > 1, low < high { body(low, high) }
        }
    }

    /// The inlined calls around an address, outermost first.
    static func inlinedCalls(in function: Dwarf_Die, at address: UInt64) -> [Dwarf_Die] {
        var calls: [Dwarf_Die] = []
        var visitsLeft = 1_000_000
        var scope: Dwarf_Die? = function
        // One level of the tree each turn; lexical blocks count as levels too.
        for _ in 0..<256 {
            guard let current = scope else { break }
            scope = nil
            forEachChild(of: current, visitsLeft: &visitsLeft) { child, visitsLeft in
                var entry = child
                let tag = Int(dwarf_tag(&entry))
                guard tag == Int(DW_TAG_inlined_subroutine) || tag == Int(DW_TAG_lexical_block),
                    dwarf_haspc(&entry, address) > 0
                else { return }
                if tag == Int(DW_TAG_inlined_subroutine) { calls.append(entry) }
                scope = entry
                visitsLeft = -visitsLeft
            }
            // A negated count has ended the walk at the hit; the walk below it goes on with what is left.
            if visitsLeft < 0 { visitsLeft = -visitsLeft }
        }
        return calls
    }

    /// The name of a function, through the entries it is an instance of.
    static func name(of entry: Dwarf_Die) -> Name? {
        var entry = entry
        var attribute = Dwarf_Attribute()
        for key in [UInt32(DW_AT_linkage_name), UInt32(DW_AT_MIPS_linkage_name)] {
            if dwarf_attr_integrate(&entry, key, &attribute) != nil, let text = dwarf_formstring(&attribute) {
                return Name(text: SymbolName(bytes: text).text, isLinkageName: true)
            }
        }
        return dwarf_diename(&entry).map { Name(text: SymbolName(bytes: $0).text, isLinkageName: false) }
    }

    /// An attribute that is a number.
    static func number(of entry: Dwarf_Die, _ key: UInt32) -> UInt64? {
        var entry = entry
        var attribute = Dwarf_Attribute()
        var value: Dwarf_Word = 0
        guard dwarf_attr(&entry, key, &attribute) != nil, dwarf_formudata(&attribute, &value) == 0 else {
            return nil
        }
        return value
    }
}
