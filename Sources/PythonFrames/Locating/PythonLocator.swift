internal import LinuxProcess
package import LinuxSystem

/// Finds the interpreters of processes by what they have mapped, never by their names. Used by one thread at a time.
public final class PythonLocator {
    private struct FileKey: Hashable {
        var device, inode: UInt64
    }

    /// Files that were looked into, nil for those without an interpreter.
    private var images: [FileKey: PythonImage?] = [:]
    private static let imageLimit = 4096

    public init() {}

    /// Finds the interpreter of a process.
    public func locate(_ pid: Int32, _ memory: TargetMemory) throws(PythonInterpreter.Refusal)
        -> PythonInterpreter
    {
        let mappings: [MemoryMapping]
        do throws(Files.ReadError) {
            mappings = try MemoryMapping.ofProcess(pid)
        } catch {
            throw .noPython
        }
        for mapping in candidates(among: mappings, of: pid) {
            guard let image = image(of: mapping, pid), let bias = image.bias(of: mapping) else { continue }
            let evaluation = image.evaluation.map { (symbol) -> Range<UInt64> in
                let start = symbol.address.value &+ bias
                // The size is the file's word, which may lead around the end of all addresses.
                return start..<max(start, start &+ symbol.size)
            }
            return try PythonInterpreter(
                memory, runtime: image.runtime.value &+ bias, codeType: image.codeType.value &+ bias,
                statedVersion: image.version.map { $0.value &+ bias }, namedVersion: image.namedVersion,
                evaluation: evaluation ?? 0..<0, path: mapping.path)
        }
        throw .noPython
    }

    /// Whether a file holds an interpreter.
    package static func isInterpreter(_ path: String) throws(SystemError) -> Bool {
        PythonImage(try OpenFile(path), name: Files.name(of: path)) != nil
    }

    /// Whether a process has mapped a file with an interpreter in it.
    public func hasInterpreter(_ pid: Int32) -> Bool {
        do throws(Files.ReadError) {
            let mappings = try MemoryMapping.ofProcess(pid)
            return candidates(among: mappings, of: pid).contains { image(of: $0, pid) != nil }
        } catch {
            return false
        }
    }

    /// The first mappings of files that may hold an interpreter: libraries named so first, for a program that links one
    /// often has the name of an interpreter itself; then the program; then others that have Python in their name.
    private func candidates(among mappings: [MemoryMapping], of pid: Int32) -> [MemoryMapping] {
        var seen: Set<FileKey> = []
        let files = mappings.filter { mapping in
            mapping.isFileBacked
                && seen.insert(FileKey(device: mapping.device, inode: mapping.inode)).inserted
        }
        let program = programPath(of: pid)
        let libraries = files.filter { Files.name(of: $0.path).hasPrefix("libpython") }
        let programs = files.filter { $0.path == program }
        let others = files.filter {
            let name = Files.name(of: $0.path)
            return $0.path != program && name.contains("python") && !name.hasPrefix("libpython")
                && !name.contains(".cpython-")
        }
        return libraries + programs + others.prefix(4)
    }

    private func programPath(of pid: Int32) -> String? {
        do throws(SystemError) {
            var path = try Files.linkTarget("/proc/\(pid)/exe")
            if path.hasSuffix(" (deleted)") { path.removeLast(" (deleted)".count) }
            return path
        } catch {
            return nil
        }
    }

    private func image(of mapping: MemoryMapping, _ pid: Int32) -> PythonImage? {
        let key = FileKey(device: mapping.device, inode: mapping.inode)
        if let known = images[key] { return known }
        let range = "\(String(mapping.start.value, radix: 16))-\(String(mapping.end.value, radix: 16))"
        // As the process sees it, which leads into containers; what it has mapped, which also leads to deleted files.
        // The inode is no sign: overlay file systems show another one in the list of mappings.
        let mapped = ("/proc/\(pid)/map_files/\(range)", FileTrust.named)
        // The kernel names a mapping's file by a path without links: one that is there now was put there later.
        let seen = (mapping.path, FileTrust(.noneInRoot(ofProcess: pid)))
        for (path, trust) in mapping.isDeleted ? [mapped, ("/proc/\(pid)/exe", .named)] : [seen, mapped] {
            guard let file = open(path, trust) else { continue }
            let image = PythonImage(file, name: Files.name(of: mapping.path))
            if images.count < Self.imageLimit { images[key] = .some(image) }
            return image
        }
        return nil
    }

    private func open(_ path: String, _ trust: FileTrust) -> OpenFile? {
        do throws(SystemError) {
            return try OpenFile(path, trust)
        } catch {
            // Not ours to see, or gone.
            return nil
        }
    }
}
