internal import CLinux

/// How many descriptors this process may have open.
public enum OpenFileLimit {
    /// Raises the limit to as much as is allowed, for good; programs started from now on get the former one all the same.
    ///
    /// It cannot be lowered again while more is open: nothing further could be opened. Where the kernel refuses, the
    /// code that opens too many files gets the error and reports it.
    public static func raise() { _ = clinux_raise_open_file_limit() }

    /// How many may be open now. The corresponding C function is `getrlimit`.
    public static var current: Int { clinux_open_file_limit() }
}
