internal import LinuxSystem

/// What a counted command finds in its environment, so that the same work takes the same instructions. Pure.
public enum DeterministicEnvironment {
    /// Settings of runtimes that would otherwise be drawn by lot: a value that the user has set is kept.
    public static let seeds: [String: String] = [
        "PYTHONHASHSEED": "0", "SWIFT_DETERMINISTIC_HASHING": "1", "PERL_HASH_SEED": "0",
        "MALLOC_ARENA_MAX": "1",
    ]
    /// Settings that change what programs do from user to user.
    public static let fixed: [String: String] = [
        "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC", "SHLVL": "1", "OLDPWD": "/", "_": "",
    ]
    /// The variable that fills the environment up.
    static let padding = "FREEZE_PROFILE_PADDING"
    /// The environment's size is a multiple of this, in bytes: where the stack begins depends on it.
    static let granularity = 16_384

    /// The variables to set.
    ///
    /// - Parameters:
    ///   - inherited: Our own environment, as `NAME=value`.
    ///   - added: What the command gets from us.
    ///   - overrides: What the user wants instead.
    public static func variables(
        inherited: [String], added: [String: String], overrides: [String: String] = [:]
    ) -> [String: String] {
        var own: [String: String] = [:]
        for entry in inherited {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            own[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        var set = fixed
        for (name, value) in seeds where own[name] == nil { set[name] = value }
        set.merge(added) { $1 }
        set.merge(overrides) { $1 }
        let all = own.merging(set) { $1 }.filter { $0.key != padding }
        // Each entry stands as `NAME=value` with a zero byte after it.
        let size = all.reduce(padding.utf8.count + 2) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }
        let missing = (granularity - size % granularity) % granularity
        set[padding] = String(repeating: "0", count: missing)
        return set
    }
}
