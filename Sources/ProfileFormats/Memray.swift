internal import StackProfile

/// What `memray transform csv` writes: a line for each kind of allocation, with its stack.
struct Memray {
    private static let kind = "memray's CSV"
    private static let types = ["size", "num_allocations"]

    static func isLikely(_ beginning: UnsafeRawBufferPointer) -> Bool {
        var lines = TextLines(beginning)
        guard let header = lines.next() else { return false }
        let columns = CSVLine.fields(beginning.text(header))
        return columns.contains("stack_trace") && columns.contains("num_allocations")
    }

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        guard let taken = types.firstIndex(of: sampleType ?? "size") else {
            throw .noSampleType(sampleType ?? "", known: types)
        }
        var lines = TextLines(buffer)
        let columns = lines.next().map { CSVLine.fields(buffer.text($0)) } ?? []
        guard let value = columns.firstIndex(of: types[taken]),
            let stacks = columns.firstIndex(of: "stack_trace")
        else { throw .damaged(kind, "its first line lacks '\(types[taken])' or 'stack_trace'") }
        let thread = columns.firstIndex(of: "thread_name")
        let allocator = columns.firstIndex(of: "allocator")
        var builder = StackProfileBuilder(unit: taken == 0 ? .bytes : .counts("allocations"))
        var threads: Set<String> = []
        while let line = lines.next() {
            if line.isEmpty { continue }
            guard line.count <= 1 << 20 else { throw .damaged(kind, "line \(lines.number) is too long") }
            // Stacks can be longer than names may be.
            let fields = CSVLine.fields(String(decoding: buffer[line], as: UTF8.self))
            guard fields.count == columns.count, let weight = Int64(fields[value]), weight >= 0 else {
                throw .damaged(kind, "line \(lines.number) has other columns than the first")
            }
            let stack = builder.stack(frames(fields[stacks]).map { builder.id(of: $0) })
            guard builder.stackCount <= FormatLimits.stacks else {
                throw FormatError("It has more than \(FormatLimits.stacks) different stacks.")
            }
            let name = thread.map { fields[$0] }
            if let name, threads.count < FormatLimits.names { threads.insert(name) }
            let labels = SampleLabels(
                thread: name, others: allocator.map { ["allocator": fields[$0]] } ?? [:])
            try FormatError.adding { () throws(StackProfileError) in
                try builder.add(stack, weight: weight, labels: builder.id(of: labels))
            }
        }
        var result = ForeignProfile(profile: builder.build(), sampleTypes: types, taken: taken)
        if threads.count > 1 { result.grouping = [.thread] }
        return result
    }

    /// `function;file;line|...`, innermost first in the file.
    private static func frames(_ text: String) -> [Frame] {
        text.split(separator: "|").prefix(FormatLimits.depth).reversed().map { part in
            let parts = part.split(separator: ";", omittingEmptySubsequences: false)
            guard parts.count >= 3, let line = Int(parts[parts.count - 1]) else { return Frame(String(part)) }
            return Frame(
                String(parts[0]), file: parts[1..<(parts.count - 1)].joined(separator: ";"),
                line: line > 0 ? line : nil)
        }
    }
}

/// A line of comma-separated values (RFC 4180); a field in quotes does not reach over its end.
enum CSVLine {
    static func fields(_ line: String) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        for byte in line.utf8 {
            switch byte {
            // A quote within quotes is written twice: the second opens them again.
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                if isQuoted, !field.isEmpty { field.append(byte) }
            case UInt8(ascii: ",") where !isQuoted:
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
            default: field.append(byte)
            }
        }
        return fields + [String(decoding: field, as: UTF8.self)]
    }
}
