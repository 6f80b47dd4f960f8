internal import CLinux

/// How many descriptors this process may have open.
public enum OpenFileLimit {
    /// Raises the limit to as much as is allowed, for good; programs started from now on get the former one all the same.
    ///
    /// It cannot be lowered again while more is open: nothing further could be opened. Where the kernel refuses, whoever
    /// opens too much meets the limit and says so.
    public static func raise() { _ = clinux_raise_open_file_limit() }
}
