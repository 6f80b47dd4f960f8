internal import StackProfile

/// The files of callgrind and of tools that write the same: costs of functions, and of their calls.
///
/// Such a file holds no stacks. They are made from the calls: what a function cost is shared out among its callers by
/// what their calls of it cost.
struct Callgrind {
    private static let kind = "a callgrind file"

    private struct Function: Hashable {
        var object: String
        var file: String
        var name: String
    }

    /// The names that a number in parentheses stands for, of files, objects and functions each.
    private struct Names {
        var known: [Substring: String] = [:]

        /// `(3) name` names 3, `(3)` is that name again, and anything else is a name by itself.
        mutating func resolve(_ text: Substring) -> String {
            guard text.first == "(", let close = text.firstIndex(of: ")") else { return String(text) }
            let key = text[...close]
            let name = text[text.index(after: close)...].drop { $0 == " " }
            if name.isEmpty { return known[key] ?? String(key) }
            known[key] = String(name)
            return String(name)
        }
    }

    private let buffer: UnsafeRawBufferPointer
    private var (objects, files, functionNames) = (Names(), Names(), Names())
    private var (object, file, called, calledObject, calledFile) = ("", "", "", "", "")
    private var function: Int?
    private var graph = CallGraph()
    private var numbers: [Function: Int] = [:]
    private var positions = 1
    private var events: [String] = []
    private var column = 0
    /// Whether the next line of costs is that of a call.
    private var isCall = false

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        var reader = Callgrind(buffer)
        try reader.readAll(sampleType)
        guard !reader.events.isEmpty else { throw .damaged(kind, "it does not say which events it counts") }
        let unit = WeightUnit.counts(reader.events[reader.column])
        var result = ForeignProfile(profile: try reader.graph.profile(unit: unit))
        (result.sampleTypes, result.taken) = (reader.events, reader.column)
        result.notes = [
            "A callgrind file holds calls, not stacks: a function's cost is shared among its callers by what their calls of "
                + "it cost."
        ]
        return result
    }

    private init(_ buffer: UnsafeRawBufferPointer) {
        self.buffer = buffer
    }

    private mutating func readAll(_ sampleType: String?) throws(FormatError) {
        var lines = TextLines(buffer)
        while let line = lines.next() {
            let place = buffer.trimmed(line)
            guard let first = place.first.map({ buffer[$0] }), first != UInt8(ascii: "#") else { continue }
            switch first {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "*"):
                try readCosts(place, line: lines.number)
            default: try readHeader(buffer.text(place), sampleType)
            }
            guard graph.functions.count < 1 << 22 else {
                throw FormatError("It names more than 4 million functions.")
            }
        }
    }

    private mutating func readHeader(_ text: String, _ sampleType: String?) throws(FormatError) {
        guard let end = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return }
        let rest = text[text.index(after: end)...].drop { $0 == " " }
        switch (text[..<end], text[end]) {
        case ("events", ":"):
            guard events.isEmpty else { return }
            events = rest.split(separator: " ").prefix(FormatLimits.names).map(String.init)
            if let sampleType {
                guard let index = events.firstIndex(of: sampleType) else {
                    throw .noSampleType(sampleType, known: events)
                }
                column = index
            }
        case ("positions", ":"): positions = max(1, rest.split(separator: " ").count)
        case ("ob", "="): object = objects.resolve(rest)
        case ("fl", "="): file = files.resolve(rest)
        // Code that was inlined or included from another file is still the function's.
        case ("fi", "="), ("fe", "="): _ = files.resolve(rest)
        case ("fn", "="):
            function = number(of: Function(object: object, file: file, name: functionNames.resolve(rest)))
            (calledObject, calledFile) = (object, file)
        case ("cob", "="): calledObject = objects.resolve(rest)
        case ("cfi", "="), ("cfl", "="): calledFile = files.resolve(rest)
        case ("cfn", "="): called = functionNames.resolve(rest)
        case ("calls", "="): isCall = true
        default: break
        }
    }

    private mutating func number(of function: Function) -> Int {
        if let known = numbers[function] { return known }
        let module = function.object.split(separator: "/").last.map(String.init)
        let isKnown = !function.file.isEmpty && function.file != "???"
        let number = graph.add(
            Frame(
                function.name.isEmpty ? "[unknown]" : function.name, module: module == "???" ? nil : module,
                file: isKnown ? function.file : nil))
        numbers[function] = number
        return number
    }

    private mutating func readCosts(_ place: Range<Int>, line: Int) throws(FormatError) {
        let words = buffer.words(place)
        let index = positions + column
        var cost: Int64 = 0
        if index < words.count {
            guard let number = buffer.wholeNumber(words[index]) else {
                throw .damaged(Self.kind, "line \(line) has no number where its cost belongs")
            }
            cost = number
        }
        guard let function else {
            throw .damaged(Self.kind, "line \(line) has costs before any function")
        }
        if isCall {
            isCall = false
            let target = number(of: Function(object: calledObject, file: calledFile, name: called))
            graph.add(call: target, from: function, cost: cost)
            (calledObject, calledFile) = (object, file)
        } else {
            graph.add(cost: cost, to: function)
        }
    }
}
