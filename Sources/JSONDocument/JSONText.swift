package import Measurement

/// Pieces of JSON text put together: for documents small enough to be made as a whole.
package enum JSONText {
    /// An object of members in this order; values are JSON texts themselves. Members of nil are left out.
    package static func object(_ members: [(String, String?)]) -> String {
        "{"
            + members.compactMap { name, value in value.map { "\(name.asJSON): \($0)" } }.joined(
                separator: ", ") + "}"
    }

    /// A list on one line.
    package static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }

    /// A list with a line for each item.
    package static func lines(_ items: [String]) -> String {
        items.isEmpty ? "[]" : "[\n    " + items.joined(separator: ",\n    ") + "\n  ]"
    }

    /// A number with so many decimals at most; null for what JSON has no number for.
    package static func number(_ value: Double, decimals: Int = 6) -> String {
        guard value.isFinite else { return "null" }
        let text = value.fixed(decimals)
        guard text.contains("."), !text.contains("e") else { return text }
        let short = text.reversed().drop { $0 == "0" }.reversed()
        return short.last == "." ? String(short.dropLast()) : String(short)
    }

    /// What was measured, or an object that says why nothing was.
    package static func reading<Value>(_ reading: Reading<Value>, _ convert: (Value) -> String) -> String {
        switch reading {
        case .value(let value): convert(value)
        case .unavailable(let reason): object([("unavailable", reason.asJSON)])
        }
    }
}
