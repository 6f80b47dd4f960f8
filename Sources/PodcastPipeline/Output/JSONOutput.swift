internal import JSONDocument
internal import Measurement
internal import Stages

/// JSON to be written, its members in the order given. Foundation's coder is avoided: the monitor child shares this
/// binary, and may have eight megabytes.
enum JSONOutput {
    case object([(String, JSONOutput)])
    case array([JSONOutput])
    case string(String)
    case integer(Int)
    case number(Double, decimals: Int)
    case boolean(Bool)

    /// The text, indented by two spaces a level. Arrays of plain values stay on one line.
    func text(indentation: String = "") -> String {
        let inner = indentation + "  "
        switch self {
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(inner)\($0.0.asJSON): \($0.1.text(indentation: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
        case .array(let elements):
            if elements.allSatisfy(\.isPlain) {
                return "[" + elements.map { $0.text() }.joined(separator: ", ") + "]"
            }
            let lines = elements.map { inner + $0.text(indentation: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indentation)]"
        case .string(let text): return text.asJSON
        case .integer(let value): return String(value)
        case .number(let value, let decimals): return value.fixed(decimals)
        case .boolean(let value): return value ? "true" : "false"
        }
    }

    private var isPlain: Bool {
        switch self {
        case .object, .array: false
        case .string, .integer, .number, .boolean: true
        }
    }
}
