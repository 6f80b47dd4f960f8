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
    /// The size of the environment and the arguments is a multiple of this, in bytes: where the stack begins depends on it.
    static let granularity = 16_384

    /// The variables to set.
    ///
    /// - Parameters:
    ///   - inherited: Our own environment, as `NAME=value`.
    ///   - added: What the command gets from us.
    ///   - overrides: What the user wants instead.
    ///   - words: What else the kernel copies there: the program's path and its arguments.
    public static func variables(
        inherited: [String], added: [String: String], overrides: [String: String] = [:], words: [String] = []
    ) -> [String: String] {
        let own = CurrentProcess.variables(of: inherited)
        var set = fixed
        for (name, value) in seeds where own[name] == nil { set[name] = value }
        set.merge(added) { $1 }
        set.merge(overrides) { $1 }
        let all = own.merging(set) { $1 }.filter { $0.key != padding }
        // Each entry stands as `NAME=value` with a zero byte after it, and a list says where each begins.
        let pointer = MemoryLayout<UInt64>.size
        let entries = all.reduce(padding.utf8.count + 2 + pointer) {
            $0 + $1.key.utf8.count + $1.value.utf8.count + 2 + pointer
        }
        let size = words.reduce(entries) { $0 + $1.utf8.count + 1 + pointer }
        let missing = (granularity - size % granularity) % granularity
        set[padding] = String(repeating: "0", count: missing)
        return set
    }
}
