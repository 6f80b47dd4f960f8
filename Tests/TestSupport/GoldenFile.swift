internal import LinuxSystem

/// A file whose bytes a test expects to get again.
///
/// With `RECORD_GOLDENS=1` in the environment the file is written instead, and the test fails, so that a
/// recording run is never taken for a passing one.
public enum GoldenFile {
    /// Compares bytes with a golden file.
    ///
    /// - Parameters:
    ///   - bytes: What the test got.
    ///   - name: The file's path below `Tests/Goldens/` and the folder that is named like the test's.
    ///   - testFile: The test's source file.
    /// - Returns: What is wrong, in one sentence; nil when the bytes are equal.
    public static func difference(
        between bytes: [UInt8], and name: String, testFile: String = #filePath
    ) -> String? {
        let folder = Files.directory(of: testFile)
        let path = "\(Files.directory(of: folder))/Goldens/\(Files.name(of: folder))/\(name)"
        do {
            if CurrentProcess.isSwitchedOn("RECORD_GOLDENS") {
                try Files.createDirectories(Files.directory(of: path))
                try Files.replace(path, with: bytes)
                return "'\(name)' was recorded; look at it, then run again without RECORD_GOLDENS."
            }
            let expected = try Files.read(path, limit: 1 << 26)
            guard expected != bytes else { return nil }
            let line = zip(expected, bytes).prefix { $0 == $1 }.count { $0.0 == 0x0A } + 1
            return "'\(name)' differs from line \(line) on."
        } catch {
            return "'\(name)' cannot be compared: \(error)"
        }
    }
}
