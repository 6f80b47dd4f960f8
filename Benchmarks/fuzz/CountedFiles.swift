import InstructionCounting
import LinuxSystem
import TestSupport

/// The files of a counted run in one input: pieces, each a line `KIND OFFSET COUNT` and the bytes. Kinds are the letters of
/// the files' names.
enum CountedFiles {
    private static let names = [
        "t": "table-1", "u": "table-2", "l": "log-1", "n": "notes", "c": "codes-1", "p": "python-1",
        "s": "shared",
    ]

    /// Lays the files out, sparse where they are, and reads them.
    static func areRead(_ bytes: [UInt8]) throws -> Bool {
        let directory = Scratch.directory.path + "/counts"
        if Files.exists(directory) { try Files.removeTree(directory) }
        try Files.createDirectories(directory)
        var rest = bytes[...]
        while let end = rest.prefix(100).firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            rest = rest[(end + 1)...]
            guard words.count == 3, let name = names[String(words[0])], let offset = Int64(words[1]),
                (0..<256 << 20).contains(offset), let count = Int(words[2]), count >= 0
            else { continue }
            let content = rest.prefix(count)
            let path = "\(directory)/\(name)"
            let file = try FileDescriptor.open(path, Files.exists(path) ? .writeExisting : .createNew)
            try file.skip(toOffset: offset)
            try file.write(Array(content))
            rest = rest[content.endIndex...]
        }
        do {
            return try CountDirectory(path: directory).read().processes > 0
        } catch {
            return Reader.isRefused(error)
        }
    }
}
