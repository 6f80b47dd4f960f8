internal import LinuxSystem

/// The directory of a counted run, whose files may be missing.
struct CountFiles {
    let path: String

    /// The names of its files.
    func names() throws(CountingError) -> [String] {
        do throws(SystemError) {
            return try Files.names(inDirectory: path)
        } catch {
            throw .unreadable(error.description)
        }
    }

    /// A file's bytes, none where nothing was written.
    func bytes(_ name: String) throws(CountingError) -> [UInt8] {
        guard Files.exists("\(path)/\(name)") else { return [] }
        do throws(Files.ReadError) {
            return try Files.read("\(path)/\(name)", limit: 1 << 30)
        } catch {
            throw .unreadable(error.description)
        }
    }
}
