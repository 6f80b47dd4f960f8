internal import LinuxSystem

/// Wakes a reader when the status file is replaced.
///
/// The directory may be created later: until then the nearest directory above it is watched. Directories in it are
/// watched as well, until it is known where the pipeline writes.
package final class StatusWatch {
    /// What a wake-up means.
    package struct News: Equatable {
        package var isRelevant = false
        /// Replacements that came together: all but the last could not be read one by one.
        package var replacements = 0
        package var hasOverflowed = false
    }

    /// To be polled; nil where the kernel grants no watch and the file has to be looked at in short intervals.
    package var descriptor: Int32? {
        switch watch {
        case .some(let watch): watch.descriptor
        case .none: nil
        }
    }
    /// Why there is no watch.
    package private(set) var problem: String?

    private var directory: String
    private var name: String
    private var watch: DirectoryWatch?
    /// Directories in the watched one that are watched too; nil once it is known where the pipeline writes.
    private var below: Set<String>? = []

    /// How often the file is looked at where it cannot be watched.
    package static let pollingInterval = Duration.milliseconds(20)

    package init(statusFile: String) {
        let path = Files.absolute(statusFile)
        directory = Files.directory(of: path)
        name = Files.name(of: path)
        attach()
    }

    /// Says where the pipeline writes, now that it is known.
    package func settle(on statusFile: String) {
        guard below != nil else { return }
        let path = Files.absolute(statusFile)
        let isElsewhere = Files.directory(of: path) != directory || !(below ?? []).isEmpty
        below = nil
        directory = Files.directory(of: path)
        name = Files.name(of: path)
        if isElsewhere { attach() }
    }

    /// What has happened since the last call.
    package func news() -> News {
        var news = News()
        guard watch != nil else {
            attach()
            return News(isRelevant: true)
        }
        let isOnDirectory = watch?.directory == directory
        var mustAttach = !isOnDirectory
        do throws(SystemError) {
            for event in try watch?.events() ?? [] {
                switch event {
                case .written(let written) where written == name: news.replacements += 1
                case .writtenBelow(_, let written) where written == name: news.isRelevant = true
                case .directoryGone: mustAttach = true
                case .overflow: news.hasOverflowed = true
                // A directory is created in its place, or moved there.
                case .written(let name), .created(let name):
                    if isOnDirectory, watchBelow("\(directory)/\(name)") { news.isRelevant = true }
                case .writtenBelow: break
                }
            }
        } catch {
            problem = error.description
            mustAttach = true
        }
        if news.replacements > 0 || news.hasOverflowed || mustAttach { news.isRelevant = true }
        if mustAttach { attach() }
        return news
    }

    /// Watches the directory, or the nearest one above it that is there.
    private func attach() {
        watch = nil
        // The directory may appear between looking and watching, hence again until both agree.
        for _ in 0..<64 {
            var candidate = directory
            while !Files.isDirectory(candidate), candidate != "/" {
                candidate = Files.directory(of: candidate)
            }
            do throws(SystemError) {
                let found = try DirectoryWatch(candidate)
                let isStillNearest = candidate == directory || !Files.isDirectory(next(below: candidate))
                watch = consume found
                if isStillNearest {
                    if candidate == directory { watchAllBelow() }
                    return
                }
            } catch {
                if !error.isNotFound {
                    problem = error.description
                    return
                }
            }
        }
    }

    private func watchAllBelow() {
        guard below != nil else { return }
        below = []
        do throws(SystemError) {
            let names = try Files.names(inDirectory: directory)
            for name in names.prefix(StatusSearch.maximumCandidates) {
                _ = watchBelow("\(directory)/\(name)")
            }
        } catch {
            // It has just gone; the next look attaches anew.
            return
        }
    }

    /// Watches a name in the directory, if it is a directory itself; false when nothing has changed.
    private func watchBelow(_ path: String) -> Bool {
        guard let below, below.count < StatusSearch.maximumCandidates, !below.contains(path),
            Files.isDirectory(path)
        else { return false }
        do throws(SystemError) {
            try watch?.add(path)
            self.below?.insert(path)
            return true
        } catch {
            // It is then found at the next tick.
            return true
        }
    }

    /// The directory one step further down the way to the watched one.
    private func next(below ancestor: String) -> String {
        let prefix = ancestor == "/" ? "/" : ancestor + "/"
        let step = directory.dropFirst(prefix.count).split(separator: "/").first ?? ""
        return prefix + step
    }
}
