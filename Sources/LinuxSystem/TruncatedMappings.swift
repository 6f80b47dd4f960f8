internal import CLinux

/// Files that a library maps by itself, and that may be written anew meanwhile, as by a build.
///
/// What we read ourselves is copied, never mapped: see `OpenFile`. libdw alone maps files that it opens, the parts of split
/// units, and those too large to be copied; it gets only those that root and this user alone can write.
public enum TruncatedMappings {
    /// From now on a part of a mapped file that is gone reads as zeros, instead of ending this process by SIGBUS.
    ///
    /// Where the kernel refuses, a file cut short ends us as before.
    public static func survive() { _ = isArmed }

    private static let isArmed = clinux_survive_truncated_files() == 0
}
