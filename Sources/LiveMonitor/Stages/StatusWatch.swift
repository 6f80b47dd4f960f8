internal import LinuxSystem

/// Wakes the monitor when the status file is replaced.
///
/// The directory may be created later: until then the nearest directory above it is watched.
final class StatusWatch {
    /// What a wake-up means.
    struct News: Equatable {
        var isRelevant = false
        /// Replacements that came together: all but the last could not be read one by one.
        var replacements = 0
        var hasOverflowed = false
    }

    /// To be polled; nil where the kernel grants no watch and the file has to be looked at in short intervals.
    var descriptor: Int32? {
        switch watch {
        case .some(let watch): watch.descriptor
        case .none: nil
        }
    }
    /// Why there is no watch.
    private(set) var problem: String?

    private let directory: String
    private let name: String
    private var watch: DirectoryWatch?

    /// How often the file is looked at where it cannot be watched.
    static let pollingInterval = Duration.milliseconds(20)

    init(statusFile: String) {
        let path = Files.absolute(statusFile)
        directory = Files.directory(of: path)
        name = Files.name(of: path)
        attach()
    }

    /// What has happened since the last call.
    func news() -> News {
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
                case .directoryGone: mustAttach = true
                case .overflow: news.hasOverflowed = true
                case .written, .created: break
                }
            }
        } catch {
            problem = error.description
            mustAttach = true
        }
        news.isRelevant = news.replacements > 0 || news.hasOverflowed || mustAttach
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
                if isStillNearest { return }
            } catch {
                if !error.isNotFound {
                    problem = error.description
                    return
                }
            }
        }
    }

    /// The directory one step further down the way to the watched one.
    private func next(below ancestor: String) -> String {
        let prefix = ancestor == "/" ? "/" : ancestor + "/"
        let step = directory.dropFirst(prefix.count).split(separator: "/").first ?? ""
        return prefix + step
    }
}
