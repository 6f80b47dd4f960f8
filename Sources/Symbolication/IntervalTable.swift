/// Half-open ranges of addresses with a payload each, looked up by an address inside them.
///
/// Ranges may nest and overlap: the one that begins last wins. A lookup is a binary search and a short walk back,
/// cut off by the running maximum of the ends, so that a table of a million ranges costs no more than a small one.
struct IntervalTable<Payload> {
    struct Entry {
        var low: UInt64
        var high: UInt64
        var payload: Payload
    }

    private let entries: [Entry]
    /// The largest `high` among the entries up to each index.
    private let reach: [UInt64]

    /// How far a lookup walks back at most. A real file nests a handful of ranges; a hostile one could make
    /// every lookup walk the whole table.
    private static var walkLimit: Int { 1024 }

    /// A table of entries; empty ones are dropped. Of equal ranges the one that `precedes` others wins.
    init(_ entries: [Entry], precedes: (Payload, Payload) -> Bool = { _, _ in false }) {
        self.entries = entries.filter { $0.low < $0.high }.sorted { left, right in
            if left.low != right.low { return left.low < right.low }
            // The walk goes backwards, so what should win stands last.
            if precedes(left.payload, right.payload) { return false }
            if precedes(right.payload, left.payload) { return true }
            return left.high > right.high
        }
        var furthest: UInt64 = 0
        reach = self.entries.map { entry in
            furthest = max(furthest, entry.high)
            return furthest
        }
    }

    var count: Int { entries.count }

    /// The entry that holds an address and begins last.
    func entry(holding address: UInt64) -> Entry? {
        var index = firstIndex(above: address) - 1
        var stepsLeft = Self.walkLimit
        while index >= 0, reach[index] > address, stepsLeft > 0 {
            if entries[index].high > address { return entries[index] }
            index -= 1
            stepsLeft -= 1
        }
        return nil
    }

    /// The entry with the greatest beginning at or below an address, whether or not it holds the address.
    func lastEntry(beginningAtOrBelow address: UInt64) -> Entry? {
        let index = firstIndex(above: address) - 1
        return index >= 0 ? entries[index] : nil
    }

    /// The index of the first entry that begins above an address.
    private func firstIndex(above address: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].low <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension IntervalTable: Sendable where Payload: Sendable {}
extension IntervalTable.Entry: Sendable where Payload: Sendable {}
