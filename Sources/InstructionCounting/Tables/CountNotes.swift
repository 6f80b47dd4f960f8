/// What the plugin noted on the way: edges of stages, and programs that it could not follow. Pure.
struct CountNotes: Equatable {
    /// Something that happened at an edge.
    struct Note: Equatable {
        enum Kind: String {
            /// The status file was replaced; the content is what it said.
            case status
            /// Lines were added to the event trace; the content is the lines.
            case event
            /// A program was executed that cannot be emulated; its path and the reason, a line each.
            case uncounted
        }

        var kind: Kind
        /// The number of edges before it and itself.
        var epoch: UInt64
        /// The table of the process that it happened in.
        var serial: UInt32
        var thread: Int32
        var content: [UInt8]
    }

    /// In order of their epochs.
    var notes: [Note] = []

    /// The notes in a file. Each has a line `kind epoch serial thread length`, then its content and a line's end.
    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            guard words.count == 5, let epoch = UInt64(words[1]), let serial = UInt32(words[2]),
                let thread = Int32(words[3]), let length = Int(words[4]), length >= 0,
                length <= rest.endIndex - end - 1
            else { break }
            let content = rest[(end + 1)..<(end + 1 + length)]
            if let kind = Note.Kind(rawValue: String(words[0])) {
                notes.append(
                    Note(kind: kind, epoch: epoch, serial: serial, thread: thread, content: Array(content)))
            }
            rest = rest[content.endIndex...].dropFirst()
        }
        // Processes append at the same time.
        notes.sort { $0.epoch < $1.epoch }
    }
}
