internal import LinuxSystem

/// The end of a log, for telling why a command failed.
package enum LastLines {
    /// The last lines of a file that are not blank; none when it cannot be read.
    package static func read(_ path: String, count: Int) -> [String] {
        do throws(Files.ReadError) {
            return take(try Files.readEnd(path, limit: 1 << 16), count: count)
        } catch {
            return ["(\(error))"]
        }
    }

    /// The last lines of a text that are not blank.
    static func take(_ bytes: [UInt8], count: Int) -> [String] {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(count).map(String.init)
    }
}
