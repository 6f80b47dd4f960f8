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
            let keys = topLevelKeys(try Files.readBeginning(path, .beside, limit: lookedAt))
            return keys.isEmpty || !keys.isDisjoint(with: tellingKeys)
        } catch {
            // Whoever loads it says why it cannot be read.
            return true
        }
    }

    /// The keys of a document in block style: words at the beginning of a line, up to a colon.
    static func topLevelKeys(_ bytes: [UInt8]) -> Set<String> {
        var keys: Set<String> = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                continue
            }
            let key = line[..<colon]
            let isPlain = key.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            if isPlain { keys.insert(String(decoding: key, as: UTF8.self)) }
        }
        return keys
    }
}
