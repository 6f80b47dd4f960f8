internal import FrozenProfile
internal import LinuxSystem

extension ProfileStore {
    /// The keys by one of which a profile is known, of this schema or an older one.
    private static let tellingKeys: Set = ["schema_version", "release", "stages", "totals"]
    /// How much of a file is looked at: a profile's first keys stand in its first lines.
    private static let lookedAt = 1 << 16

    /// Whether a file is a profile, and not other YAML that is kept beside profiles, such as `regression_rules.yaml`.
    ///
    /// A file in which no key can be found is taken for a profile: one that is damaged has to be seen.
    static func isProfile(_ path: String) -> Bool {
        do throws(Files.ReadError) {
            return isProfile(try Files.readBeginning(path, .beside, limit: lookedAt))
        } catch {
            // The code that loads it reports why it cannot be read.
            return true
        }
    }

    /// Whether a document has one of the keys, or none at all. Looks no further than it needs to.
    static func isProfile(_ bytes: [UInt8]) -> Bool {
        var hasKey = false
        var rest = bytes[...]
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(line.count + 1)
            guard let key = topLevelKey(line) else { continue }
            if tellingKeys.contains(key) { return true }
            hasKey = true
        }
        return !hasKey
    }

    /// The key of a line of a document in block style: a word at its beginning, up to a colon; nil for any other line.
    private static func topLevelKey(_ line: ArraySlice<UInt8>) -> String? {
        guard let first = line.first, first != UInt8(ascii: " "), first != UInt8(ascii: "#"),
            let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex
        else { return nil }
        let key = line[..<colon]
        let isPlain = key.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isPlain ? String(decoding: key, as: UTF8.self) : nil
    }
}
